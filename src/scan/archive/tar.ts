import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { Findings, type InnerScanner, type OpenInner, type SpanSink } from './findings.ts'
import { Gather } from '../../util/gather.ts'
import { readPax, readTarHeader, TAR_BLOCK_BYTES, type TarHeader } from './tar-header.ts'

/** Maximum bytes of an extended header. Paths and times take a few hundred. */
const MAX_PAX_BYTES = 64 * 1024

/** Types without data: links, devices, directories. Programs disagree if such an entry claims a size. */
const EMPTY_TYPES = /[1-6]/
/** Long names and links of GNU tar, labels, dumped directories. */
const NAME_TYPES = /[LKVNDX]/
/** Parts of files: sparse ones, and those continued from another volume. */
const PART_TYPES = /[SM]/

/** Reads a TAR archive as it arrives: headers, each with its data, until there is no further header. */
export class TarReader {
  /** Whether it is known to be complete. Never, since programs read on past zeros. */
  readonly isComplete = false
  readonly findings = new Findings()
  readonly #budget: ScanBudget
  readonly #open: OpenInner
  readonly #sink: SpanSink
  #state: 'header' | 'sparse-map' | 'data' | 'behind' = 'header'
  #block = new Gather(TAR_BLOCK_BYTES)
  /** Bytes of data, then of padding, still to come. */
  #left = 0
  #padding = 0
  #file: InnerScanner | undefined
  #pax: Gather | undefined
  /** Whether the extended header applies to all following entries. */
  #isGlobal = false
  /** What an extended header says about the next entry. */
  #next: { size?: number; isSparse: boolean } = { isSparse: false }

  constructor(budget: ScanBudget, open: OpenInner, sink: SpanSink) {
    this.#budget = budget
    this.#open = open
    this.#sink = sink
  }

  *write(bytes: Uint8Array): Steps {
    for (let at = 0; at < bytes.length;) {
      const chunk = bytes.subarray(at)
      at += this.#state === 'data' ? yield* this.#takeData(chunk) : yield* this.#takeBlock(chunk)
      if (this.#budget.isTurnOver) yield
    }
  }

  *close(): Steps {
    if (this.#state === 'data' && this.#left > 0) this.findings.noteEntry('damaged')
    yield* this.#endEntry()
  }

  *#takeBlock(bytes: Uint8Array): Steps<number> {
    const count = this.#state === 'behind' ? bytes.length : this.#block.take(bytes)
    yield* this.#sink(bytes.subarray(0, count), 'free')
    const block = this.#block.whole
    if (this.#state === 'behind' || !block) return count
    this.#block = new Gather(TAR_BLOCK_BYTES)
    if (this.#state === 'sparse-map') this.#state = block[504] ? 'sparse-map' : 'data'
    else yield* this.#useHeader(block)
    return count
  }

  *#useHeader(block: Uint8Array): Steps {
    const header = readTarHeader(block)
    if (header) yield* this.#beginEntry(header)
    else if (block.some((byte) => byte !== 0)) {
      this.findings.note('damaged') // some programs stop at the zeros, so for them it is not part of the archive
      this.#state = 'behind'
    }
  }

  *#beginEntry(header: TarHeader): Steps {
    const { type } = header
    const size = this.#sizeOf(header)
    if (size === undefined) return this.#stop('ambiguous-archive')
    if (!this.#budget.take('entries')) return this.#stop('over-limit')
    const isPax = type === 'x' || type === 'g'
    if (isPax && size > MAX_PAX_BYTES) return this.#stop('over-limit')
    this.#left = size
    this.#padding = -size & (TAR_BLOCK_BYTES - 1)
    this.#isGlobal = type === 'g'
    if (isPax) this.#pax = new Gather(size)
    else if (!NAME_TYPES.test(type)) this.#beginFile(header, size)
    this.#state = header.isExtended ? 'sparse-map' : 'data'
    if (size === 0 && this.#state === 'data') yield* this.#endEntry()
  }

  #beginFile({ type }: TarHeader, size: number): void {
    if (PART_TYPES.test(type) || this.#next.isSparse) this.findings.noteEntry('unsupported-entry')
    this.#next = { isSparse: false }
    if (size === 0) return
    this.#file = this.#open('tar')
    if (!this.#file) this.findings.noteEntry('over-limit')
  }

  /** Bytes of an entry's data. `undefined` if programs would read them differently. */
  #sizeOf({ type, size }: TarHeader): number | undefined {
    const isFile = !/[xgLK]/.test(type)
    const bytes = isFile && this.#next.size !== undefined ? this.#next.size : size
    if (bytes === undefined || !Number.isSafeInteger(bytes)) return undefined
    return EMPTY_TYPES.test(type) && bytes > 0 ? undefined : bytes
  }

  *#takeData(bytes: Uint8Array): Steps<number> {
    const count = Math.min(bytes.length, this.#left)
    if (count === 0) return yield* this.#takePadding(bytes)
    const data = bytes.subarray(0, count)
    this.#left -= count
    if (this.#file) yield* this.#file.take(data)
    this.#pax?.take(data)
    yield* this.#sink(data, this.#file ? 'handed' : 'coded')
    if (this.#left === 0) yield* this.#endEntry()
    return count
  }

  *#takePadding(bytes: Uint8Array): Steps<number> {
    const count = Math.min(bytes.length, this.#padding)
    this.#padding -= count
    yield* this.#sink(bytes.subarray(0, count), 'free')
    if (this.#padding === 0) this.#state = 'header'
    return count
  }

  *#endEntry(): Steps {
    if (this.#file) yield* this.findings.add(this.#file)
    this.#file = undefined
    if (this.#pax?.whole) this.#usePax(this.#pax.whole)
    this.#pax = undefined
    if (this.#padding === 0 && this.#state === 'data') this.#state = 'header'
  }

  #usePax(data: Uint8Array): void {
    const pax = readPax(data)
    if (!pax || (this.#isGlobal && pax.size !== undefined)) this.#stop('ambiguous-archive')
    else if (!this.#isGlobal) this.#next = pax
  }

  /** Stops reading: the position of the next header would be a guess. */
  #stop(problem: 'ambiguous-archive' | 'over-limit'): void {
    this.findings.noteEntry(problem)
    this.#state = 'behind'
  }
}
