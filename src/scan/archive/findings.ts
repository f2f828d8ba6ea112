import type { Steps } from '../../util/steps.ts'
import type { ArchiveProblem, Finished, Within } from '../scanned.ts'

/** A file within another that is being scanned. */
export interface InnerScanner {
  take(bytes: Uint8Array): Steps
  /** Tells that it is whole, and gives its memory back. */
  finish(): Steps<Finished>
}

/** Begins to scan a file within another; `undefined` if that would be too deep. */
export type OpenInner = (within: Within) => InnerScanner | undefined

/** What becomes of bytes: looked at here alone, also handed on as they are, or only in another form, or not at all. */
export type SpanKind = 'free' | 'handed' | 'coded'

/** Takes all bytes of a file in order, in chunks. */
export type SpanSink = (bytes: Uint8Array, kind: SpanKind) => Steps

/** Problems, the gravest first. */
const PROBLEMS: readonly ArchiveProblem[] = [
  'ambiguous-archive',
  'over-limit',
  'encrypted-entry',
  'unsupported-entry',
  'damaged',
]

export class Findings {
  readonly inner: Finished[] = []
  unscannableEntries = 0
  readonly #problems = new Set<ArchiveProblem>()

  get problem(): ArchiveProblem | undefined {
    return PROBLEMS.find((problem) => this.#problems.has(problem))
  }

  note(problem: ArchiveProblem): void {
    this.#problems.add(problem)
  }

  /** Notes an entry that is passed over, or of which something is missing. */
  noteEntry(problem: ArchiveProblem): void {
    this.note(problem)
    this.unscannableEntries++
  }

  /** Adds a file that is whole, or as much of it as there is; not if it is empty. */
  *add(scanner: InnerScanner): Steps {
    const file = yield* scanner.finish()
    if (typeof file === 'function' || file.bytes > 0) this.inner.push(file)
  }
}
