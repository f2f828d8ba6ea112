import type { ScanBudget } from '../scan/budget.ts'
import type { FileFormat } from '../scan/format.ts'
import type { TextKind } from '../scan/scanner.ts'
import type { Steps } from '../util/steps.ts'
import type { BodySettings } from './settings.ts'

/** Takes a body's bytes as they arrive, and reports the files in it. */
export interface BodyReader {
  /**
   * Takes the next bytes. They may be passed on, so they must not change afterwards.
   * @throws {MalformedBodyError | BodyOverLimitError}
   */
  write(chunk: Uint8Array): void
  /** The body is complete. @throws {MalformedBodyError | BodyOverLimitError} */
  end(): void
  /** The rest of the body is not read. Ends the files that are open. If absent, call `end`. */
  cut?(): void
}

/** Takes the bytes of one file. */
export interface FileSink {
  /** Takes the next bytes. `handed`: they are also reported as part of another file. */
  write(chunk: Uint8Array, kind?: 'free' | 'handed'): void
  /** The file is complete. */
  end(): void
}

/** What is known about a file before its bytes. */
export interface FileInfo {
  /** Whether it is a form field, or the text around files: it need not be a file. */
  isText: boolean
  /** Whether it is the whole body. On a route with `accept`, it must be what its type says. */
  isBody?: boolean
  /** The kind of text that its type names. */
  text?: TextKind | undefined
  /** Name of its form field. */
  name?: string | undefined
  /** Whether it is the plain bytes of a body or part, beside a parsed reading of them. */
  isRaw?: boolean
  /** Whether it is a part with its Content-Transfer-Encoding decoded, beside the undecoded part. */
  isDecoded?: boolean
  withoutDigests?: boolean
}

/** Why a body, or what may follow it, was not inspected. */
export type UnreadableReason = 'unsupported-encoding' | 'over-limit' | 'websocket'

export interface BodyOptions extends BodySettings {
  /** Names of fields of multipart forms that are not inspected. */
  skipFields?: readonly string[] | undefined
  /** Formats of files that may be uploaded; any, if absent. */
  accept?: readonly FileFormat[] | undefined
}

/** Receives what a reader finds. */
export interface BodyHandlers {
  /** Work that the upload may cause. */
  budget: ScanBudget
  openFile: (info: FileInfo) => FileSink
  /** Queues work. It runs before work queued later; what it queues runs after each of its steps. */
  later: (steps: Steps) => void
  /** The body, or something in it, was not inspected. */
  onUnreadable: (reason: UnreadableReason) => void
}
