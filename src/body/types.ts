import type { BodySettings } from './settings.ts'

/** Takes a body's bytes as they come, and tells the files in it. */
export interface BodyReader {
  /**
   * Takes the next bytes, which may be told on and must not be changed afterwards.
   * @throws {MalformedBodyError | BodyOverLimitError}
   */
  write(piece: Uint8Array): void
  /** The body is whole. @throws {MalformedBodyError | BodyOverLimitError} */
  end(): void
}

/** Takes the bytes of one file. */
export interface FileSink {
  write(piece: Uint8Array): void
  /** The file is whole. */
  end(): void
}

/** What is known of a file beforehand. */
export interface FileInfo {
  /** Whether it is a field of a form, or the text around files: nothing that need be a file. */
  isText: boolean
  /** Name of the form's field that it is in. */
  name?: string | undefined
}

/** Why a body was not looked into. */
export type UnreadableReason = 'unsupported-encoding' | 'over-limit'

export interface BodyOptions extends BodySettings {
  /** Names of the fields of multipart forms that are looked at; all, if absent. */
  fields?: readonly string[] | undefined
}

/** Who is told what a reader finds. */
export interface BodyHandlers {
  openFile: (info: FileInfo) => FileSink
  /** The body, or something in it, was not looked into. */
  onUnreadable: (reason: UnreadableReason) => void
}

/** A text in a body, and the name of the field that it is in. */
export interface NamedText {
  text: string
  name?: string | undefined
}
