import { AwsChunkedReader, isAwsChunked } from './aws-chunked.ts'
import { InflatingReader, readEncodings } from './content-encoding.ts'
import { isJsonType, isOddCharset, isUrlencodedType, textKindOf } from './content-type.ts'
import { MultipartReader } from './multipart.ts'
import { RawCopy } from './raw-copy.ts'
import type { TextKind } from '../scan/scanner.ts'

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
  /** Takes the next bytes, and whether they are also told as part of another file. */
  write(piece: Uint8Array, kind?: 'free' | 'handed'): void
  /** The file is whole. */
  end(): void
}

/** What is known of a file beforehand. */
export interface FileInfo {
  /** Whether it is a field of a form, or the text around files: nothing that need be a file. */
  isText: boolean
  /** What kind of text it is told to be. */
  text?: TextKind | undefined
  /** Name of the form's field that it is in. */
  name?: string | undefined
  /** Whether it is a body as it came, or a part, beside what it is read as. */
  isRaw?: boolean
  /** Whether it is a part without its Content-Transfer-Encoding, beside the part as it came. */
  isDecoded?: boolean
  withoutDigests?: boolean
}

/** Why a body was not looked into. */
export type UnreadableReason = 'unsupported-encoding' | 'over-limit'

export interface BodyOptions {
  /** Most files of a form. */
  maxFiles: number
  /** Names of fields in JSON and urlencoded bodies whose values are files in base64, whatever they begin like. */
  base64Fields: ReadonlySet<string>
  /** Names of the fields of multipart forms that need no look. */
  skipFields?: ReadonlySet<string> | undefined
}

/** Who is told what a reader finds. */
export interface BodyHandlers {
  openFile: (info: FileInfo) => FileSink
  /** The body, or something in it, was not looked into. */
  onUnreadable: (reason: UnreadableReason) => void
}

/**
 * A reader for a body with these headers. What it cannot look into is told as one file all the same.
 * @throws {MalformedBodyError} the headers may be read in several ways
 */
export function createBodyReader(
  headers: Headers,
  options: BodyOptions,
  handlers: BodyHandlers,
): BodyReader {
  const encodings = readEncodings(headers)
  if (encodings === 'unsupported') {
    handlers.onUnreadable('unsupported-encoding')
    return handlers.openFile({ isText: true, isRaw: true })
  }
  const type = headers.get('content-type') ?? ''
  const plain = readerByType(type, options, handlers)
  const isChunked = isAwsChunked(headers)
  if (encodings.length === 0 && !isChunked) return plain
  const inflating = encodings.reduce<BodyReader>(
    (reader, encoding) => new InflatingReader(encoding, reader),
    plain,
  )
  const decoding = isChunked ? new AwsChunkedReader(inflating) : inflating
  return new RawCopy(decoding, handlers.openFile({ isText: true, isRaw: true }))
}

function readerByType(type: string, options: BodyOptions, handlers: BodyHandlers): BodyReader {
  const multipart = MultipartReader.forType(type, options, handlers)
  if (multipart) return multipart
  const text = textKindOf(type)
  if (text && isOddCharset(type)) handlers.onUnreadable('unsupported-encoding')
  return handlers.openFile({ isText: isJsonType(type) || isUrlencodedType(type), text })
}
