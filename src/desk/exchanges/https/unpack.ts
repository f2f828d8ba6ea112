import { createZstdDecompress } from 'node:zlib'
import { Readable } from 'node:stream'
import type { Bytes } from '../../../list/store.ts'
import { BadAnswerError } from '../errors.ts'

/**
 * The content of a file, unpacked if its first bytes say gzip or zstd.
 * @throws {BadAnswerError} it is damaged, truncated, or too long
 */
export async function* unpack(
  file: Bytes,
  maxBytes: number,
  what: string,
): AsyncGenerator<Uint8Array, void> {
  let length = 0
  try {
    for await (const chunk of contentOf(file)) {
      length += chunk.length
      if (length > maxBytes)
        throw new BadAnswerError(what, `unpacks to more than ${maxBytes} bytes`)
      yield chunk
    }
  } catch (error) {
    if (error instanceof BadAnswerError) throw error
    throw new BadAnswerError(what, 'cannot be unpacked')
  }
}

function contentOf(file: Bytes): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  const [a, b, c, d] = file
  if (a === 0x1f && b === 0x8b) {
    const packed = new Blob([file]).stream()
    return packed.pipeThrough(new DecompressionStream('gzip'))
  }
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) {
    return Readable.from([file]).pipe(createZstdDecompress()) as AsyncIterable<Uint8Array>
  }
  return [file]
}
