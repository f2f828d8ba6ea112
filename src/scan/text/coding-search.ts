import { type CodedFinds, CodedSearch } from './coded-search.ts'
import type { Coding } from './codings.ts'

/** Searches a text for files in one coding, in each of its readings that has codes there. */
export class CodingSearch {
  readonly #coding: Coding
  readonly #finds: CodedFinds
  readonly #searches: CodedSearch[] = []

  constructor(coding: Coding, finds: CodedFinds) {
    this.#coding = coding
    this.#finds = finds
  }

  /** Whether an incomplete file is being read, or may be. */
  get isReading(): boolean {
    return this.#searches.some((search) => search.isReading)
  }

  /**
   * Takes the next bytes, which come from a position in the upload's text.
   * @param isDoubtful whether the text may also be read in another way
   */
  write(bytes: Uint8Array, rootAt: number, isDoubtful: boolean): void {
    this.#search(this.#coding.pick(bytes), rootAt, isDoubtful)
  }

  close(): void {
    this.#search(this.#coding.end())
    for (const search of this.#searches) search?.close()
  }

  #begin(reading: number): CodedSearch {
    const isFaint = reading >= (this.#coding.faintFrom ?? Infinity)
    return new CodedSearch(this.#coding, this.#finds, isFaint)
  }

  #search(readings: readonly Uint16Array[], rootAt?: number, isDoubtful?: boolean): void {
    let count = this.#coding.searched ?? 0
    for (const [i, codes] of readings.entries()) {
      count += codes.length
      let search = this.#searches[i]
      if (!search && codes.length === 0) continue
      search ??= this.#searches[i] = this.#begin(i)
      search.rootAt = rootAt ?? search.rootAt
      search.isDoubtful = isDoubtful ?? search.isDoubtful
      search.write(codes)
      if (codes.length > 0 && !search.mayBegin) this.#coding.rest?.(i)
    }
    this.#finds.onCodes(count)
  }
}
