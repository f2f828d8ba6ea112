import { crc32 } from 'node:zlib'
import {
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  zlibInflate,
  zlibInflateInit2,
  ZStream,
} from 'pako'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { INFLATED_BYTE_MS, INFLATER_MS } from '../work.ts'

/** Bytes of output produced at once. */
const OUTPUT_BYTES = 32 * 1024

/** Inflates one raw deflate stream (RFC 1951) as it arrives, within the budget. */
export class Inflater {
  readonly #stream = new ZStream()
  readonly #budget: ScanBudget
  readonly #onData: (bytes: Uint8Array) => Steps
  state: 'open' | 'ended' | 'damaged' | 'over-limit' = 'open'
  /** Bytes that went in and came out, and the CRC-32 of the latter. */
  inBytes = 0
  outBytes = 0
  crc = 0

  /** Chunks given to `onData` are not changed afterwards. */
  constructor(budget: ScanBudget, onData: (bytes: Uint8Array) => Steps) {
    this.#budget = budget
    budget.spend(INFLATER_MS)
    this.#onData = onData
    zlibInflateInit2(this.#stream, -15)
  }

  /** Whether it accepts no more bytes. */
  get isClosed(): boolean {
    return this.state !== 'open'
  }

  /** Returns how many of the bytes belong to the stream: not all if it ends or breaks off. */
  *push(bytes: Uint8Array): Steps<number> {
    const stream = this.#stream
    stream.input = bytes
    stream.next_in = 0
    stream.avail_in = bytes.length
    while (this.state === 'open' && (yield* this.#inflateSome()));
    const used = bytes.length - stream.avail_in
    stream.input = EMPTY // the caller may change it
    return used
  }

  /** Returns whether this input may yield more output. */
  *#inflateSome(): Steps<boolean> {
    const stream = this.#stream
    if (stream.avail_out === 0) {
      stream.output = new Uint8Array(OUTPUT_BYTES)
      stream.next_out = 0
      stream.avail_out = OUTPUT_BYTES
    }
    const [inStart, outStart] = [stream.next_in, stream.next_out]
    const status = zlibInflate(stream, Z_NO_FLUSH)
    this.inBytes += stream.next_in - inStart
    yield* this.#handOn(stream.output.subarray(outStart, stream.next_out))
    if (this.state !== 'open') return false
    if (status === Z_STREAM_END) this.state = 'ended'
    else if (status !== Z_OK && status !== Z_BUF_ERROR) this.state = 'damaged'
    return status === Z_OK && (stream.avail_in > 0 || stream.avail_out === 0)
  }

  *#handOn(bytes: Uint8Array): Steps {
    if (bytes.length === 0) return
    this.outBytes += bytes.length
    const { ratio, ratioFreeBytes } = this.#budget.limits
    const isDense = this.outBytes > ratioFreeBytes && this.outBytes > ratio * this.inBytes
    this.#budget.spend(bytes.length * INFLATED_BYTE_MS)
    const isWithin = this.#budget.take('inflatedBytes', bytes.length) && !this.#budget.isExhausted
    if (isDense || !isWithin) {
      this.state = 'over-limit'
      return
    }
    this.crc = crc32(bytes, this.crc)
    yield* this.#onData(bytes)
    if (this.#budget.isTurnOver) yield
  }
}

const EMPTY = new Uint8Array(0)
