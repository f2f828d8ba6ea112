import type { Steps } from '../../util/steps.ts'
import type { FinishedInner } from '../scanned.ts'
import { TextRuns } from './text-runs.ts'
import { type TextOptions, TextSearch } from './text-search.ts'

/** Searches a file for files written in text: all of it, or the texts in other data. */
export class FileTexts {
  readonly #search: TextSearch
  readonly #runs: TextRuns | undefined
  /** Texts still to be searched. */
  readonly #found: Uint8Array[] = []

  constructor(options: TextOptions, isText: boolean) {
    this.#search = new TextSearch(options)
    if (!isText) this.#runs = new TextRuns((run) => this.#found.push(run))
  }

  /** Whether an incomplete file is being read. */
  get isReading(): boolean {
    return this.#search.isReading
  }

  /** Whether a limit kept some of it from being searched. */
  get isOverLimit(): boolean {
    return this.#search.isOverLimit
  }

  *take(chunk: Uint8Array): Steps {
    if (this.#runs) this.#runs.write(chunk)
    else this.#found.push(chunk)
    yield* this.#searchFound()
  }

  /** Ends the file. Returns the files in its texts. */
  *close(): Steps<FinishedInner[]> {
    this.#runs?.close()
    yield* this.#searchFound()
    return this.#search.close()
  }

  *#searchFound(): Steps {
    for (const run of this.#found.splice(0)) yield* this.#search.take(run)
  }
}
