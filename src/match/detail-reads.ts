import { type DetailBlock, readDetails } from '../list/details.ts'
import type { SegmentRef } from '../list/manifest.ts'
import type { ListStore } from '../list/store.ts'
import { Semaphore } from '../util/semaphore.ts'

/** Bytes of memory for a byte of a block while it is read: as KV sends it, opened, as text, parsed. Measured: 5.3 to 6.7. */
const COPIES = 7
/** Bytes that all reads of an isolate take at once: seven blocks. The largest list leaves as much of its 64 MB. */
const MAX_BYTES = 5 << 20
/** Blocks at once whose size the manifest does not say. */
const UNSAID_AT_ONCE = 6
/** Milliseconds that a read may wait for others. */
const MAX_WAIT_MS = 20_000
/** Milliseconds after which a read is over, or its request is gone: KV has ten seconds. */
const LEASE_MS = 15_000

/**
 * Reads of detail blocks, within a budget of bytes that an isolate shares. A read waits for nothing but KV while it holds bytes,
 * so that an upload may wait for it and hold what it holds: no two can wait for each other.
 */
export class DetailReads {
  readonly #bytes: Semaphore

  constructor(maxBytes = MAX_BYTES) {
    const what = 'bytes for details of the list'
    const times = { maxWaitMs: MAX_WAIT_MS, spreadMs: 0, leaseMs: LEASE_MS }
    this.#bytes = new Semaphore({ what, max: maxBytes, ...times })
  }

  /** Bytes that reads take now. */
  get used(): number {
    return this.#bytes.used
  }

  /**
   * The details of some positions of a block, when there is room to read it.
   * @throws {BusyError} there was none for too long
   * @throws {ValueMissingError | ValueDamagedError}
   */
  async read(
    store: ListStore,
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

  /** A block that takes more than there is is read alone. */
  #bytesFor({ detailBytes }: SegmentRef): number {
    const { max } = this.#bytes
    if (detailBytes === undefined) return Math.floor(max / UNSAID_AT_ONCE)
    return Math.min(max, detailBytes * COPIES)
  }
}

/** Those of this isolate. */
export const detailReads = new DetailReads()
