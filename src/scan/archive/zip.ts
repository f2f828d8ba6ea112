import { Buffer } from 'node:buffer'
import { bufferOf } from '../../util/buffer.ts'
import { concatenate } from '../../util/bytes.ts'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { Findings, type OpenInner, type SpanKind, type SpanSink } from './findings.ts'
import { Gather } from '../../util/gather.ts'
import { agrees, END_SEARCH_BYTES } from './zip-directory.ts'
import { ZipEndFinder } from './zip-end-finder.ts'
import { type SeenEntry, ZipEntry } from './zip-entry.ts'
import {
  type CentralRecord,
  type EndRecord,
  isPlausibleEnd,
  isPlausibleLocal,
  readCentral,
  readEnd,
  readLocal,
  readLocator,
  readZip64End,
  RECORD_BYTES,
  type RecordKind,
  recordKind,
  variableBytes,
} from './zip-records.ts'

const SIGNATURE = Buffer.from('PK')
const SIGNATURE_BYTES = 4
const NOTHING = new Uint8Array(0)

/** Maximum number of recorded directory ends, and of locators. There should be one. */
const MAX_ENDS = 16

/**
 * Reads ZIP archives as they arrive, anywhere in a file. It finds files by their local headers, and
 * checks at the end whether the central directory agrees.
 */
export class ZipReader {
  readonly findings = new Findings()
  readonly #budget: ScanBudget
  readonly #open: OpenInner
  readonly #sink: SpanSink
  #position = 0
  /** Bytes that may be the beginning of a signature. */
  #carry: Uint8Array = NOTHING
  #kind: SpanKind = 'free'
  #record: { kind: RecordKind; start: number; gather: Gather; isFixed: boolean } | undefined
  #entry: { start: number; reader: ZipEntry } | undefined
  #isStopped = false
  readonly #entries = new Map<number, SeenEntry>()
  readonly #central: CentralRecord[] = []
  #centralBytes = 0
  readonly #ends: EndRecord[] = []
  readonly #zip64Ends: EndRecord[] = []
  readonly #locators = new Map<number, number>()
  readonly #endFinder = new ZipEndFinder()

  constructor(budget: ScanBudget, open: OpenInner, sink: SpanSink) {
    this.#budget = budget
    this.#open = open
    this.#sink = sink
  }

  /** Takes the next bytes, and how they are otherwise handled. */
  *write(bytes: Uint8Array, kind: SpanKind): Steps {
    if (kind !== this.#kind) yield* this.#flush()
    this.#kind = kind
    const whole = this.#carry.length > 0 ? concatenate([this.#carry, bytes]) : bytes
    this.#carry = NOTHING
    for (let at = 0; at < whole.length;) {
      at += yield* this.#step(whole.subarray(at))
      if (this.#budget.isTurnOver) yield
    }
  }

  /** Ends the file. `isZip`: the file begins as an archive. Returns whether it contains one. */
  *close(isZip: boolean): Steps<boolean> {
    yield* this.#flush()
    if (this.#entry) yield* this.#entry.reader.abort()
    this.#noteEntry()
    this.#noteUnsized()
    const isArchive = isZip || this.#isNamed()
    const isHidden = this.#hasHiddenEnd()
    if (
      isHidden ||
      (isArchive && !this.#isStopped && this.#ends.length > 0 && !agrees(this.#records))
    )
      this.findings.note('ambiguous-archive')
    else if (isZip && this.#ends.length === 0) this.findings.note('damaged')
    return isArchive || isHidden || this.findings.problem !== undefined
  }

  /** A stored file whose size follows the data could be anything, unless it is empty. */
  #noteUnsized(): void {
    const empty = new Set(this.#central.filter(({ bytes }) => bytes === 0).map(({ name }) => name))
    for (const { isUnsized, name } of this.#entries.values()) {
      if (isUnsized && !empty.has(name)) this.findings.noteEntry('unsupported-entry')
    }
  }

  /** Whether an end of a directory has been read. */
  get hasEnd(): boolean {
    return this.#ends.length > 0
  }

  get #records() {
    return {
      entries: this.#entries,
      central: this.#central,
      ends: this.#ends,
      zip64Ends: this.#zip64Ends,
      locators: this.#locators,
    }
  }

  /** Whether programs that search for a central directory from the end of the file may find one. */
  #isNamed(): boolean {
    return this.#ends.some((end) => this.#isNear(end.start) && isPlausibleEnd(end))
  }

  /** Whether they may find one that this reader did not recognise. */
  #hasHiddenEnd(): boolean {
    const read = new Set(this.#ends.map(({ start }) => start))
    return this.#endFinder.found.some((start) => this.#isNear(start) && !read.has(start))
  }

  #isNear(position: number): boolean {
    return position >= this.#position - END_SEARCH_BYTES
  }

  /** Returns how many bytes were consumed: at least one. */
  *#step(bytes: Uint8Array): Steps<number> {
    const count = yield* this.#takeSome(bytes)
    this.#position += count
    if (this.#record?.gather.whole) yield* this.#useRecord(this.#record.gather.whole)
    if (this.#entry?.reader.isOver) this.#noteEntry()
    return count + this.#carry.length
  }

  *#takeSome(bytes: Uint8Array): Steps<number> {
    if (this.#record) {
      const count = this.#record.gather.take(bytes)
      yield* this.#pass(bytes.subarray(0, count), 'free')
      return count
    }
    if (this.#entry) return yield* this.#entry.reader.take(bytes)
    const end = this.#findRecord(bytes)
    if (end > 0) yield* this.#pass(bytes.subarray(0, end), this.#kind)
    return end
  }

  /** Hands on the bytes at the position. */
  *#pass(bytes: Uint8Array, kind: SpanKind): Steps {
    if (kind !== 'handed') this.#endFinder.write(bytes, this.#position)
    yield* this.#sink(bytes, kind)
  }

  /**
   * Returns where the next record, or possible record, begins. Too few bytes to decide are carried
   * over.
   */
  #findRecord(bytes: Uint8Array): number {
    if (this.#kind !== 'free') return bytes.length
    const view = bufferOf(bytes)
    let at = view.indexOf(SIGNATURE)
    for (; at >= 0 && at + SIGNATURE_BYTES <= bytes.length; at = view.indexOf(SIGNATURE, at + 1)) {
      const kind = recordKind(bytes.subarray(at, at + SIGNATURE_BYTES))
      if (kind && this.#begin(kind, this.#position + at)) return at
    }
    if (at < 0 && bytes.at(-1) === SIGNATURE[0]) at = bytes.length - 1
    if (at < 0) return bytes.length
    this.#carry = bytes.slice(at)
    return at
  }

  /** Returns whether to read it. */
  #begin(kind: RecordKind, start: number): boolean {
    if (this.#isStopped && kind !== 'end') return false
    this.#record = { kind, start, gather: new Gather(RECORD_BYTES[kind]), isFixed: false }
    return true
  }

  *#flush(): Steps {
    if (this.#carry.length > 0) yield* this.#pass(this.#carry, this.#kind)
    this.#position += this.#carry.length
    this.#carry = NOTHING
  }

  *#useRecord(bytes: Uint8Array): Steps {
    const record = this.#record
    if (!record) return
    const { kind, start, gather } = record
    const more = record.isFixed ? 0 : variableBytes(kind, bytes)
    if (kind === 'local' && !record.isFixed && !isPlausibleLocal(bytes)) {
      this.#record = undefined
      return
    }
    record.isFixed = true
    gather.grow(more)
    if (more > 0) return
    this.#record = undefined
    yield* this.#keepRecord(kind, bytes, start)
  }

  *#keepRecord(kind: RecordKind, bytes: Uint8Array, start: number): Steps {
    switch (kind) {
      case 'local':
        yield* this.#beginEntry(bytes, start)
        break
      case 'central':
        this.#keepCentral(bytes, start)
        break
      case 'end':
        this.#ends.push(readEnd(bytes, start))
        if (this.#ends.length > MAX_ENDS) this.#ends.shift()
        break
      case 'zip64End':
        if (this.#zip64Ends.length < MAX_ENDS) this.#zip64Ends.push(readZip64End(bytes, start))
        break
      case 'zip64Locator':
        if (this.#locators.size < MAX_ENDS) this.#locators.set(start, readLocator(bytes))
    }
  }

  *#beginEntry(bytes: Uint8Array, start: number): Steps {
    if (!this.#budget.take('entries')) return this.#stop()
    const parts = {
      budget: this.#budget,
      open: this.#open,
      sink: (data: Uint8Array, kind: SpanKind) => this.#pass(data, kind),
      findings: this.findings,
    }
    this.#entry = { start, reader: new ZipEntry(readLocal(bytes), parts) }
    yield* this.#entry.reader.begin()
  }

  #noteEntry(): void {
    if (this.#entry) this.#entries.set(this.#entry.start, this.#entry.reader.seen)
    this.#entry = undefined
  }

  #keepCentral(bytes: Uint8Array, start: number): void {
    this.#centralBytes += bytes.length
    const { entries, directoryBytes } = this.#budget.limits
    if (this.#central.length >= entries || this.#centralBytes > directoryBytes) this.#stop()
    else this.#central.push(readCentral(bytes, start))
  }

  #stop(): void {
    this.findings.noteEntry('over-limit')
    this.#isStopped = true
  }
}
