import { MalformedBodyError } from './errors.ts'
import type { BodyReader } from './types.ts'

/**
 * Whether a body comes in the chunks of S3: `x-amz-content-sha256: STREAMING-…`, or the encoding
 * `aws-chunked`.
 */
export function isAwsChunked(headers: Headers): boolean {
  return (
    /(^|[\s,])aws-chunked([\s,]|$)/i.test(headers.get('content-encoding') ?? '') ||
    /^STREAMING-/i.test(headers.get('x-amz-content-sha256') ?? '')
  )
}

/** Longest line between chunks: a size, and a signature of 64 digits or a trailing checksum. */
const MAX_LINE = 1024

/**
 * Decodes the chunks of S3 (Signature Version 4, "chunked upload"). Each chunk is a line with its
 * size in hex digits and a signature, followed by that many bytes. A chunk of size 0 and trailing
 * headers end the body.
 */
export class AwsChunkedReader implements BodyReader {
  readonly #inner: BodyReader
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'ended' = 'size'
  #line = ''
  #left = 0

  constructor(inner: BodyReader) {
    this.#inner = inner
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#state === 'data') at = this.#takeData(bytes, at)
      else at = this.#takeLine(bytes, at)
    }
  }

  end(): void {
    if (this.#state !== 'ended') throw new MalformedBodyError('its last chunk is missing')
    this.#inner.end()
  }

  #takeData(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#inner.write(bytes.subarray(at, end))
    this.#left -= end - at
    if (this.#left === 0) this.#state = 'data-end'
    return end
  }

  #takeLine(bytes: Uint8Array, at: number): number {
    const feed = bytes.indexOf(10, at)
    const end = feed === -1 ? bytes.length : feed + 1
    this.#line += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + MAX_LINE + 1)))
    if (this.#line.length > MAX_LINE)
      throw new MalformedBodyError('a line between chunks is too long')
    if (this.#state === 'ended')
      throw new MalformedBodyError('there are bytes after its last chunk')
    if (feed !== -1) this.#useLine()
    return end
  }

  #useLine(): void {
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n'))
      throw new MalformedBodyError('a line between chunks does not end with CR LF')
    if (this.#state === 'trailer') {
      if (line === '\r\n') this.#state = 'ended'
      else if (!/^[\w-]+:[\x20-\x7e]*\r\n$/.test(line))
        throw new MalformedBodyError('a line after its last chunk is not a header')
      return
    }
    if (this.#state === 'data-end') {
      if (line !== '\r\n') throw new MalformedBodyError('a chunk is longer than its stated size')
      this.#state = 'size'
      return
    }
    const size = /^([0-9a-f]{1,8})(;[\x21-\x7e]*)?\r\n$/i.exec(line)?.[1]
    if (size === undefined) throw new MalformedBodyError('a chunk has no valid size')
    this.#left = parseInt(size, 16)
    this.#state = this.#left > 0 ? 'data' : 'trailer'
  }
}
