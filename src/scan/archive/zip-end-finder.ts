import { Buffer } from 'node:buffer'
import { bufferOf } from '../../util/buffer.ts'
import { concatenate } from '../../util/bytes.ts'
import { isPlausibleEnd, readEnd, RECORD_BYTES } from './zip-records.ts'

const SIGNATURE = Buffer.from('PK\x05\x06')
/** Bytes at the end of a chunk that may begin a record. */
const TAIL_BYTES = RECORD_BYTES.end - 1

/** Maximum number of remembered ends. Only the last ones matter. */
const MAX_FOUND = 16

/**
 * Finds ends of central directories anywhere, even in compressed data or in data that a header
 * claims. Programs that search backwards from the end of the file do not know what those bytes
 * belong to.
 */
export class ZipEndFinder {
  #tail: Uint8Array = new Uint8Array(0)
  #next = 0
  /** Positions of ends that such a program would accept. */
  readonly found: number[] = []

  /** Takes bytes that lie at a position of the file. */
  write(bytes: Uint8Array, position: number): void {
    const tail = position === this.#next ? this.#tail : bytes.subarray(0, 0)
    const seam = concatenate([tail, bytes.subarray(0, TAIL_BYTES)])
    this.#search(seam, position - tail.length)
    this.#search(bytes, position)
    this.#tail = (bytes.length < TAIL_BYTES ? seam : bytes).slice(-TAIL_BYTES)
    this.#next = position + bytes.length
  }

  #search(bytes: Uint8Array, position: number): void {
    const view = bufferOf(bytes)
    for (let at = view.indexOf(SIGNATURE); at >= 0; at = view.indexOf(SIGNATURE, at + 1)) {
      if (at + RECORD_BYTES.end > bytes.length) return
      const start = position + at
      const end = readEnd(bytes.subarray(at, at + RECORD_BYTES.end), start)
      if (isPlausibleEnd(end) && !this.found.includes(start)) this.found.push(start)
      if (this.found.length > MAX_FOUND) this.found.shift()
    }
  }
}
