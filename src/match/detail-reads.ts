import { type DetailBlock, readDetails } from '../list/details.ts'
import type { SegmentRef } from '../list/manifest.ts'
import type { StoreReader } from '../list/store.ts'
import { Semaphore } from '../util/semaphore.ts'

/** Bytes of memory for each byte of a block during a read: as KV sends it, opened, as text, parsed. Measured: 5.3 to 6.7. */
const COPIES = 7
/** Most bytes that all reads of an isolate take at once: seven blocks. The largest list leaves as much of its 64 MB. */
const MAX_BYTES = 5 << 20
/** Blocks read at once if the manifest does not state their size. */
const UNSAID_AT_ONCE = 6
/** Milliseconds that a read may wait for others. */
const MAX_WAIT_MS = 20_000
/** Milliseconds after which a read has ended or its request is gone: KV has ten seconds. */
const LEASE_MS = 15_000

/**
 * Reads of detail blocks, within a budget of bytes that an isolate shares. While it holds bytes, a read waits only for KV.
 * So an upload may keep its own memory while it waits for a read: no two can wait for each other.
 */
export class DetailReads {
  readonly #bytes: Semaphore

  constructor(maxBytes = MAX_BYTES) {
    const what = 'bytes for details of the list'
    const times = { maxWaitMs: MAX_WAIT_MS, spreadMs: 0, leaseMs: LEASE_MS }
    this.#bytes = new Semaphore({ what, max: maxBytes, ...times })
  }

  /** Bytes that reads take at the moment. */
  get used(): number {
    return this.#bytes.used
  }

  /**
   * Waits until there is room to read a block, then returns the details of some of its positions.
   * @throws {BusyError} there was no room for too long
   * @throws {ValueMissingError | ValueDamagedError}
   */
  async read(
    store: StoreReader,
    ref: SegmentRef,
    block: number,
    positions: Iterable<number>,
  ): Promise<DetailBlock> {
    const permit = await this.#bytes.acquire(this.#bytesFor(ref))
    try {
      return (await readDetails(store, ref, block)).only(positions)
    } finally {
      permit.release()
    }
  }

  /** A block that exceeds the budget is read alone. */
  #bytesFor({ detailBytes }: SegmentRef): number {
    const { max } = this.#bytes
    if (detailBytes === undefined) return Math.floor(max / UNSAID_AT_ONCE)
    return Math.min(max, detailBytes * COPIES)
  }
}

/** The reads of this isolate. */
export const detailReads = new DetailReads()
