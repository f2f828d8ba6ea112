import { Buffer } from 'node:buffer'

/** The same bytes as a `Buffer`, which can search them and write them as text. Nothing is copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
