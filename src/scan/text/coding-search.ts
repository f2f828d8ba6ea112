import { type CodedFinds, CodedSearch } from './coded-search.ts'
import type { Coding } from './codings.ts'

/** Searches a text for files in one coding, in each of its readings. */
export class CodingSearch {
  readonly #coding: Coding
  readonly #searches: readonly CodedSearch[]

  constructor(coding: Coding, finds: CodedFinds) {
    this.#coding = coding
    this.#searches = Array.from({ length: coding.readings }, () => new CodedSearch(coding, finds))
  }

  /** Whether a file is being read that is not whole, or may be. */
  get isReading(): boolean {
    return this.#searches.some((search) => search.isReading)
  }

  /**
   * Takes the next bytes, which come from a place in the upload's text.
   * @param isDoubtful whether the text may be read in another way, too
   */
  write(bytes: Uint8Array, rootAt: number, isDoubtful: boolean): void {
    const codes = this.#coding.pick(bytes)
    for (const [i, search] of this.#searches.entries()) {
      search.rootAt = rootAt
      search.isDoubtful = isDoubtful
      search.write(codes[i] as Uint16Array)
    }
  }

  close(): void {
    const codes = this.#coding.end()
    for (const [i, search] of this.#searches.entries()) {
      const rest = codes[i]
      if (rest) search.write(rest)
      search.close()
    }
  }
}
