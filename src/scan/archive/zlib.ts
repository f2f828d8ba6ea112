import { concatenate } from '../../util/bytes.ts'
import { atOnce, only, type Steps } from '../../util/steps.ts'
import { ScanBudget } from '../budget.ts'
import { SCAN_LIMITS } from '../limits.ts'
import { Findings, type InnerScanner, type OpenInner, type SpanSink } from './findings.ts'
import { Inflater } from './inflate.ts'

const HEADER_BYTES = 2

/** Whether zlib (RFC 1950) begins here: a header that adds up, and deflate that can be inflated as far as it is there. */
export function isZlib(head: Uint8Array): boolean {
  return isZlibHeader(head) && inflated(head.subarray(HEADER_BYTES)) !== undefined
}

function isZlibHeader([first = 0, second = 0]: Uint8Array): boolean {
  const isHeader = (first & 15) === 8 && first >> 4 <= 7 && (second & 32) === 0
  return isHeader && (first * 256 + second) % 31 === 0
}

/** What the beginning of a raw deflate stream (RFC 1951) inflates to; `undefined` if it is none. */
export function inflated(head: Uint8Array): Uint8Array | undefined {
  const chunks: Uint8Array[] = []
  const inflater = new Inflater(new ScanBudget(SCAN_LIMITS), (bytes) =>
    only(void chunks.push(bytes)),
  )
  atOnce(inflater.push(head))
  const isSound = inflater.state === 'open' || inflater.state === 'ended'
  return isSound ? concatenate(chunks) : undefined
}

/** Reads zlib, or deflate without its header: what is behind its stream is nothing. */
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

  /** Whether its stream has come to its end, or can go no further. */
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
