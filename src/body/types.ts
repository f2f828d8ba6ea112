import type { ScanBudget } from '../scan/budget.ts'
import type { FileFormat } from '../scan/format.ts'
import type { TextKind } from '../scan/scanner.ts'
import type { Steps } from '../util/steps.ts'
import type { BodySettings } from './settings.ts'

/** Takes a body's bytes as they come, and tells the files in it. */
export interface BodyReader {
  /**
   * Takes the next bytes, which may be told on and must not be changed afterwards.
   * @throws {MalformedBodyError | BodyOverLimitError}
   */
  write(chunk: Uint8Array): void
  /** The body is whole. @throws {MalformedBodyError | BodyOverLimitError} */
  end(): void
  /** No more of it is read: tells what is open as far as it has come. As `end`, if absent. */
  cut?(): void
}

/** Takes the bytes of one file. */
export interface FileSink {
  /** Takes the next bytes, and whether they are also told as part of another file. */
  write(chunk: Uint8Array, kind?: 'free' | 'handed'): void
  /** The file is whole. */
  end(): void
}

/** What is known of a file beforehand. */
export interface FileInfo {
  /** Whether it is a field of a form, or the text around files: nothing that need be a file. */
  isText: boolean
  /** Whether its type says that it is a text. On a route with `accept`, it must be one. */
  isBody?: boolean
  /** The kind of text that its type names. */
  text?: TextKind | undefined
  /** Name of the form's field that it is in. */
  name?: string | undefined
  /** Whether it is the plain bytes of a body or part, beside a parsed reading of them. */
  isRaw?: boolean
  /** Whether it is a part with its Content-Transfer-Encoding decoded, beside the undecoded part. */
  isDecoded?: boolean
  withoutDigests?: boolean
}

/** Why a body, or what may come behind it, was not looked into. */
export type UnreadableReason = 'unsupported-encoding' | 'over-limit' | 'websocket'

export interface BodyOptions extends BodySettings {
  /** Names of the fields of multipart forms that need no look. */
  skipFields?: readonly string[] | undefined
  /** Formats of files that may be uploaded; any, if absent. */
  accept?: readonly FileFormat[] | undefined
}

/** Receives what a reader finds. */
export interface BodyHandlers {
  /** Work that the upload may make. */
  budget: ScanBudget
  openFile: (info: FileInfo) => FileSink
  /** Given work that is done before anything that comes after it, and what it gives on after each of its steps. */
  later: (steps: Steps) => void
  /** The body, or something in it, was not looked into. */
  onUnreadable: (reason: UnreadableReason) => void
}
