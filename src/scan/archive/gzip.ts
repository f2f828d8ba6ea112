import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { Findings, type InnerScanner, type OpenInner, type SpanSink } from './findings.ts'
import { Gather } from '../../util/gather.ts'
import { Inflater } from './inflate.ts'

const HEADER_BYTES = 10
const TRAILER_BYTES = 8
const HAS_HEADER_CRC = 2
const HAS_EXTRA = 4
const HAS_NAME = 8
const HAS_COMMENT = 16

/**
 * Reads gzip (RFC 1952). Consecutive members are one file, even with zeros between them: tapes have
 * such zeros, and Python skips them. Anything else that follows is ignored.
 */
export class GzipReader {
  readonly findings = new Findings()
  readonly #budget: ScanBudget
  readonly #sink: SpanSink
  readonly #file: InnerScanner | undefined
  #state: State = 'header'
  #gather = new Gather(HEADER_BYTES)
  /** Header fields still to come. */
  #flags = 0
  #skip = 0
  #inflater: Inflater | undefined
  /** Bytes after the last member. */
  bytesBehind = 0

  constructor(budget: ScanBudget, open: OpenInner, sink: SpanSink) {
    this.#budget = budget
    this.#sink = sink
    this.#file = open('gzip')
    if (this.#file && budget.take('entries')) return
    this.findings.noteEntry('over-limit')
    this.#state = 'behind'
  }

  *write(bytes: Uint8Array): Steps {
    for (let at = 0; at < bytes.length;) {
      const chunk = bytes.subarray(at)
      const isData = this.#state === 'data'
      const count = yield* this.#step(chunk)
      yield* this.#sink(chunk.subarray(0, count), isData ? 'coded' : 'free')
      at += count
    }
  }

  *close(): Steps {
    if (!this.isComplete) this.findings.noteEntry('damaged')
    if (this.#file) yield* this.findings.add(this.#file)
  }

  /** Whether at least one member has ended and no other has begun. */
  get isComplete(): boolean {
    return this.#state === 'behind' || this.#state === 'magic'
  }

  /** Returns how many bytes were consumed. */
  *#step(bytes: Uint8Array): Steps<number> {
    switch (this.#state) {
      case 'behind':
        this.bytesBehind += bytes.length
        return bytes.length
      case 'data':
        return yield* this.#inflate(bytes)
      case 'skip':
        return this.#skipSome(bytes)
      case 'text':
        return this.#skipText(bytes)
      case 'header':
      case 'extra-length':
      case 'trailer':
      case 'magic': {
        if (this.#state === 'magic' && this.#gather.isEmpty && bytes[0] === 0) return zerosOf(bytes)
        const count = this.#gather.take(bytes)
        const whole = this.#gather.whole
        if (whole) this.#use(whole)
        return count
      }
    }
  }

  #use(whole: Uint8Array): void {
    const view = new DataView(whole.buffer)
    if (this.#state === 'magic') this.#expectMember(whole)
    else if (this.#state === 'header') {
      this.#flags = view.getUint8(3)
      // Python and Go ignore the flags that are reserved.
      if (isGzip(whole)) this.#nextField()
      else this.#fail('damaged')
    } else if (this.#state === 'extra-length') {
      this.#skip = view.getUint16(0, true)
      this.#state = 'skip'
      if (this.#skip === 0) this.#nextField()
    } else this.#checkTrailer(view)
  }

  /** Moves to the next field of the header, or to the data. */
  #nextField(): void {
    const flags = this.#flags
    if (flags & HAS_EXTRA) {
      this.#flags &= ~HAS_EXTRA
      this.#expect('extra-length', 2)
    } else if (flags & (HAS_NAME | HAS_COMMENT)) {
      this.#flags &= flags & HAS_NAME ? ~HAS_NAME : ~HAS_COMMENT
      this.#state = 'text'
    } else if (flags & HAS_HEADER_CRC) {
      this.#flags &= ~HAS_HEADER_CRC
      this.#skip = 2
      this.#state = 'skip'
    } else {
      this.#inflater = new Inflater(this.#budget, (bytes) => this.#write(bytes))
      this.#state = 'data'
    }
  }

  #skipSome(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#skip)
    this.#skip -= count
    if (this.#skip === 0) this.#nextField()
    return count
  }

  #skipText(bytes: Uint8Array): number {
    const end = bytes.indexOf(0)
    if (end < 0) return bytes.length
    this.#nextField()
    return end + 1
  }

  *#write(bytes: Uint8Array): Steps {
    if (this.#file) yield* this.#file.take(bytes)
  }

  *#inflate(bytes: Uint8Array): Steps<number> {
    const inflater = this.#inflater
    if (!inflater) return bytes.length
    const used = yield* inflater.push(bytes)
    if (inflater.state === 'ended') this.#expect('trailer', TRAILER_BYTES)
    else if (inflater.state !== 'open') this.#fail(inflater.state)
    return used
  }

  #checkTrailer(view: DataView): void {
    const inflater = this.#inflater
    const isRight =
      view.getUint32(0, true) === inflater?.crc &&
      view.getUint32(4, true) === inflater.outBytes % 2 ** 32
    if (isRight) this.#expect('magic', 3)
    else this.#fail('damaged')
  }

  /** Begins the next member, if there is one. */
  #expectMember(magic: Uint8Array): void {
    this.#state = 'behind'
    if (!isGzip(magic)) {
      this.bytesBehind += magic.length
      return
    }
    this.#expect('header', HEADER_BYTES)
    this.#gather.take(magic)
  }

  #expect(state: State, bytes: number): void {
    this.#state = state
    this.#gather = new Gather(bytes)
  }

  #fail(problem: 'damaged' | 'over-limit'): void {
    this.findings.noteEntry(problem)
    this.#state = 'behind'
  }
}

/** Whether a member of gzip with deflate begins here. */
function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8
}

type State = 'header' | 'extra-length' | 'skip' | 'text' | 'data' | 'trailer' | 'magic' | 'behind'

/** Number of leading zeros. */
function zerosOf(bytes: Uint8Array): number {
  const end = bytes.findIndex((byte) => byte !== 0)
  return end < 0 ? bytes.length : end
}
