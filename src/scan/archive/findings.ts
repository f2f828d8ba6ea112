import type { Steps } from '../../util/steps.ts'
import type { ArchiveProblem, Finished, Within } from '../scanned.ts'

/** Problems, the most serious first. */
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

  /** Records an entry that is skipped or incomplete. */
  noteEntry(problem: ArchiveProblem): void {
    this.note(problem)
    this.unscannableEntries++
  }

  /** Adds a complete file, or as much of it as there is, unless it is empty. */
  *add(scanner: InnerScanner): Steps {
    const file = yield* scanner.finish()
    if (typeof file === 'function' || file.bytes > 0) this.inner.push(file)
  }
}

/** A file within another that is being scanned. */
export interface InnerScanner {
  take(bytes: Uint8Array): Steps
  /** Whether its own end was read. */
  readonly hasEnd: boolean
  /** Ends the file and frees its memory. */
  finish(): Steps<Finished>
}

/** Begins to scan a file within another; `undefined` if that would be too deep. */
export type OpenInner = (within: Within) => InnerScanner | undefined

/** How bytes are handled: scanned only here, also handed on unchanged, or handed on only in another form or not at all. */
export type SpanKind = 'free' | 'handed' | 'coded'

/** Takes all bytes of a file in order, in chunks. */
export type SpanSink = (bytes: Uint8Array, kind: SpanKind) => Steps
