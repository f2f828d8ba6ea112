import { AwsChunkedReader, isAwsChunked } from './aws-chunked.ts'
import { InflatingReader, readEncodings } from './content-encoding.ts'
import { isJsonType, isOddCharset, isUrlencodedType, textKindOf } from './content-type.ts'
import { MultipartReader } from './multipart.ts'
import { RawCopy } from './raw-copy.ts'
import type { BodyHandlers, BodyOptions, BodyReader } from './types.ts'

/**
 * A reader for a body with these headers. A body that it cannot parse is still reported as one
 * file.
 * @throws {MalformedBodyError} parsers may read the headers differently
 */
export function createBodyReader(
  headers: Headers,
  options: BodyOptions,
  handlers: BodyHandlers,
): BodyReader {
  if (asksForWebSocket(headers)) handlers.onUnreadable('websocket')
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
    (reader, encoding) => new InflatingReader(encoding, reader, handlers),
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
  const isText = isJsonType(type) || isUrlencodedType(type)
  return handlers.openFile({ isText, text, isBody: true })
}

/** Whether a request asks for a WebSocket. It may have a body, which some servers read instead. */
export function asksForWebSocket(headers: Headers): boolean {
  return /\bwebsocket\b/i.test(headers.get('upgrade') ?? '')
}
