import { concatenate } from '../../util/bytes.ts'
import { atOnce, only, type Steps } from '../../util/steps.ts'
import { ScanBudget } from '../budget.ts'
import { SCAN_LIMITS } from '../limits.ts'
import { Findings, type InnerScanner, type OpenInner, type SpanSink } from './findings.ts'
import { Inflater } from './inflate.ts'

const HEADER_BYTES = 2

/** Whether zlib (RFC 1950) begins here: a valid header, and deflate data that can be inflated as far as it is present. */
export function isZlib(head: Uint8Array): boolean {
  return mayBeZlib(head) && inflated(head.subarray(HEADER_BYTES)) !== undefined
}

/** The same, without inflating any of it. */
export function mayBeZlib(head: Uint8Array): boolean {
  const [first = 0, second = 0] = [head[0], head[1]]
  const isHeader = (first & 15) === 8 && first >> 4 <= 7 && (second & 32) === 0
  return isHeader && (first * 256 + second) % 31 === 0 && mayBeDeflate(head, HEADER_BYTES)
}

/**
 * Order of the code lengths in a block header, and enough bytes for the longest (RFC 1951, 3.2.7).
 */
const MAX_LENGTHS = 19
const MAX_HEADER_BYTES = 10

/** Whether this can be a first block of deflate (RFC 1951). Most other data is ruled out by its first ten bytes. */
export function mayBeDeflate(data: Uint8Array, from = 0): boolean {
  if (data.length < from + MAX_HEADER_BYTES) return true
  const bits = (at: number, count: number) => {
    const byte = from + (at >> 3)
    const word = (data[byte] as number) | ((data[byte + 1] ?? 0) << 8)
    return (word >> (at & 7)) & ((1 << count) - 1)
  }
  const type = bits(1, 2)
  if (type === 0) return (bits(8, 8) ^ bits(24, 8)) === 0xff && (bits(16, 8) ^ bits(32, 8)) === 0xff
  // The first code refers to data before the stream.
  if (type === 1) return !isLengthCode(bits(3, 8))
  if (type === 3 || bits(3, 5) > 29 || bits(8, 5) > 29) return false
  // The code for code lengths must be complete.
  let used = 0
  const count = Math.min(MAX_LENGTHS, bits(13, 4) + 4)
  for (let i = 0; i < count; i++) {
    const length = bits(17 + 3 * i, 3)
    if (length > 0) used += 128 >> length
  }
  return used === 128
}

/** Whether the first fixed code in these bits, lowest bit first, is a length. */
function isLengthCode(bits: number): boolean {
  const isShort = (bits & 3) === 0 && (bits & 12) !== 12 && (bits & 127) !== 0
  return isShort || (bits & 31) === 3
}

/** What the beginning of a raw deflate stream (RFC 1951) inflates to; `undefined` if it is not deflate. */
export function inflated(head: Uint8Array): Uint8Array | undefined {
  const chunks: Uint8Array[] = []
  const inflater = new Inflater(new ScanBudget(SCAN_LIMITS), (bytes) =>
    only(void chunks.push(bytes)),
  )
  atOnce(inflater.push(head))
  const isSound = inflater.state === 'open' || inflater.state === 'ended'
  return isSound ? concatenate(chunks) : undefined
}

/** Reads zlib, or deflate without its header. Bytes after the stream are ignored. */
export class ZlibReader {
  readonly findings = new Findings()
  readonly #sink: SpanSink
  readonly #file: InnerScanner | undefined
  readonly #inflater: Inflater
  #headerLeft: number

  constructor(budget: ScanBudget, open: OpenInner, sink: SpanSink, isRaw = false) {
    this.#headerLeft = isRaw ? 0 : HEADER_BYTES
    this.#sink = sink
    this.#file = open('zlib')
    this.#inflater = new Inflater(budget, (bytes) => this.#handOn(bytes))
    if (!this.#file || !budget.take('entries')) this.findings.noteEntry('over-limit')
  }

  /** Whether its stream has ended or broken off. */
  get isComplete(): boolean {
    return this.#inflater.isClosed
  }

  *#handOn(bytes: Uint8Array): Steps {
    if (this.#file) yield* this.#file.take(bytes)
  }

  *write(bytes: Uint8Array): Steps {
    const skipped = Math.min(this.#headerLeft, bytes.length)
    this.#headerLeft -= skipped
    const data = bytes.subarray(skipped)
    const used = this.#inflater.isClosed ? 0 : yield* this.#inflater.push(data)
    yield* this.#sink(data.subarray(0, used), 'coded')
    yield* this.#sink(data.subarray(used), 'free')
  }

  *close(): Steps {
    const { state } = this.#inflater
    if (state !== 'ended') this.findings.noteEntry(state === 'over-limit' ? state : 'damaged')
    if (this.#file) yield* this.findings.add(this.#file)
  }
}
