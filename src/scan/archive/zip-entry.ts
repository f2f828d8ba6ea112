import { crc32 } from 'node:zlib'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import type { Findings, InnerScanner, OpenInner, SpanSink } from './findings.ts'
import { Inflater } from './inflate.ts'
import type { ArchiveProblem } from '../scanned.ts'
import type { LocalHeader, ZipFileInfo } from './zip-records.ts'

const STORED = 0
const DEFLATED = 8

/** A size that the header does not state. */
const UNKNOWN = 0xffffffff

/** Takes the data of one file in a ZIP archive. */
export class ZipEntry {
  readonly #header: LocalHeader
  readonly #parts: ZipEntryParts
  /** Compressed bytes still to come; `undefined` if only the data shows its end. */
  #left: number | undefined
  #file: InnerScanner | undefined
  #inflater: Inflater | undefined
  /** Whether a stored file is scanned, and what there was of it. */
  #isPassed = false
  #passedBytes = 0
  #crc = 0
  isOver = false

  constructor(header: LocalHeader, parts: ZipEntryParts) {
    this.#header = header
    this.#parts = parts
    const { compressedBytes, hasDescriptor } = header
    const isKnown = hasDescriptor ? compressedBytes > 0 : true
    this.#left = isKnown && compressedBytes !== UNKNOWN ? compressedBytes : undefined
    const problem = this.#whyUnreadable()
    if (problem) parts.findings.noteEntry(problem)
    else if (!this.#isUnsized) this.#begin()
    if (!this.#file && !this.#left) this.isOver = true
  }

  get #isUnsized(): boolean {
    return this.#header.method === STORED && this.#left === undefined
  }

  #whyUnreadable(): ArchiveProblem | undefined {
    const { isEncrypted, method } = this.#header
    if (isEncrypted) return 'encrypted-entry'
    return method === STORED || method === DEFLATED ? undefined : 'unsupported-entry'
  }

  #begin(): void {
    const { budget, open, findings } = this.#parts
    this.#file = open('zip')
    if (!this.#file) findings.noteEntry('over-limit')
    else if (this.#header.method === STORED) this.#isPassed = true
    else {
      this.#inflater = new Inflater(budget, (bytes) => this.#write(bytes))
    }
  }

  *#write(bytes: Uint8Array): Steps {
    if (this.#file) yield* this.#file.take(bytes)
  }

  /** Ends it if it is empty. */
  *begin(): Steps {
    if (!this.isOver && this.#left === 0) yield* this.#finish()
  }

  /** Takes bytes of the data. Returns how many belong to it. */
  *take(bytes: Uint8Array): Steps<number> {
    const data = bytes.subarray(0, Math.min(bytes.length, this.#left ?? bytes.length))
    const count = this.#inflater
      ? yield* this.#inflate(this.#inflater, data)
      : yield* this.#pass(data)
    if (this.#left !== undefined) this.#left -= count
    if (!this.isOver && this.#isAtEnd()) yield* this.#finish()
    return count
  }

  /** Ends it early: there are no more bytes. */
  *abort(): Steps {
    if (this.isOver) return
    if (this.#file) this.#parts.findings.noteEntry('damaged')
    yield* this.#end()
  }

  /** What it was, once it is over. */
  get seen(): SeenEntry {
    const { name, method, isEncrypted, crc, compressedBytes, bytes, hasDescriptor } = this.#header
    const entry = { name, method, isEncrypted, isUnsized: this.#isUnsized }
    if (!hasDescriptor) return { ...entry, crc, compressedBytes, bytes }
    return this.#isWhole ? { ...entry, ...this.#actual } : entry
  }

  /** Whether it was read completely. */
  get #isWhole(): boolean {
    return this.#inflater ? this.#inflater.state === 'ended' : this.#isPassed && this.#left === 0
  }

  get #actual(): Pick<ZipFileInfo, 'crc' | 'compressedBytes' | 'bytes'> {
    const inflater = this.#inflater
    if (!inflater)
      return { crc: this.#crc, compressedBytes: this.#passedBytes, bytes: this.#passedBytes }
    return { crc: inflater.crc, compressedBytes: inflater.inBytes, bytes: inflater.outBytes }
  }

  *#pass(data: Uint8Array): Steps<number> {
    const { sink } = this.#parts
    if (this.#file) {
      this.#passedBytes += data.length
      this.#crc = crc32(data, this.#crc)
      yield* this.#file.take(data)
    }
    yield* sink(data, this.#file ? 'handed' : 'coded')
    return data.length
  }

  *#inflate(inflater: Inflater, data: Uint8Array): Steps<number> {
    const { findings, sink } = this.#parts
    if (inflater.isClosed) {
      yield* sink(data, 'free') // bytes after the stream that the header counts as the file's
      return data.length
    }
    const used = yield* inflater.push(data)
    yield* sink(data.subarray(0, used), 'coded')
    if (inflater.state === 'damaged' || inflater.state === 'over-limit')
      findings.noteEntry(inflater.state)
    const isShort = this.#left !== undefined && used < this.#left
    if (inflater.state === 'ended' && isShort) findings.note('ambiguous-archive')
    return used
  }

  #isAtEnd(): boolean {
    const isInflated = this.#inflater !== undefined && this.#inflater.state !== 'open'
    return this.#left === undefined ? isInflated : this.#left === 0
  }

  /** Compares the data with the header. If the numbers follow the data, they are 0 in the header. */
  *#finish(): Steps {
    const { bytes, crc, hasDescriptor } = this.#header
    const { findings } = this.#parts
    const isEmpty = this.#inflater?.inBytes === 0 && bytes === 0
    if (this.#inflater?.state === 'open' && !isEmpty) findings.noteEntry('damaged')
    const actual = this.#actual
    if (this.#isWhole && !(hasDescriptor && bytes === 0) && bytes !== actual.bytes)
      findings.note('ambiguous-archive')
    if (this.#isWhole && !(hasDescriptor && crc === 0) && crc !== actual.crc)
      findings.noteEntry('damaged')
    yield* this.#end()
  }

  *#end(): Steps {
    if (this.#file) yield* this.#parts.findings.add(this.#file)
    this.#file = undefined
    this.isOver = true
  }
}

/**
 * What a file turned out to be. Unknown values are absent, so they do not contradict its header.
 */
export interface SeenEntry extends Partial<ZipFileInfo> {
  name: string
  method: number
  isEncrypted: boolean
  /** Whether it is stored with its size only after the data. Such a file is not read. */
  isUnsized?: boolean
}

export interface ZipEntryParts {
  budget: ScanBudget
  open: OpenInner
  sink: SpanSink
  findings: Findings
}
