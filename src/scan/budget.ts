import { nextTurn } from '../util/steps.ts'
import type { ScanLimits } from './limits.ts'

/** What is counted over all files nested in one upload. */
export type Counted =
  | 'entries'
  | 'inflatedBytes'
  | 'heldBytes'
  | 'embeddedImages'
  | 'embeddedStarts'
  | 'textBytes'
  | 'textLooks'
  | 'probes'
  | 'keptPlanes'
  | 'conversions'

/** Milliseconds of work between two turns of the event loop. What counting misses of it must fit into 50. */
const TURN_MS = 10
/** Share of the work that may go into probes. */
const PROBED_SHARE = 0.5

/** What takes memory while it is open. */
export interface Opened {
  memoryBytes: number
}

/** What is left of the limits that all files nested in one upload share. */
export class ScanBudget {
  readonly limits: ScanLimits
  readonly #taken = new Map<Counted, number>()
  /** Decoders that are open, at all depths. */
  readonly decoders = new Set<Opened>()
  /** Images found by their signatures that are open, at all depths. */
  openEmbedded = 0
  /** Milliseconds of work so far: in the unit of src/scan/work.ts. */
  #workMs = 0
  /** Those since others ran last. */
  #turnMs = 0

  constructor(limits: ScanLimits) {
    this.limits = limits
  }

  /** Takes one of it, or that many bytes. Tells whether that was within the limit. */
  take(what: Counted, amount = 1): boolean {
    const taken = (this.#taken.get(what) ?? 0) + amount
    this.#taken.set(what, taken)
    return taken <= this.limits[what]
  }

  /** Whether there is none of it left. */
  isSpent(what: Counted): boolean {
    return (this.#taken.get(what) ?? 0) >= this.limits[what]
  }

  /** Counts work that the files ask for. */
  spend(ms: number): void {
    this.#workMs += ms
    this.#turnMs += ms
  }

  /** Counts work that the limit is not for: it grows with the bytes that were sent, as a client's effort does. */
  spendOnSent(ms: number): void {
    this.#turnMs += ms
  }

  /** Whether nothing more is decoded or unpacked. */
  get isExhausted(): boolean {
    return this.#workMs >= this.limits.workMs
  }

  /** Whether so much is spent that images are hashed as they are, so that there is some left to decode others. */
  get isScarce(): boolean {
    return this.#workMs >= this.limits.workMs * PROBED_SHARE
  }

  get workMs(): number {
    return this.#workMs
  }

  /** Whether others are to run before it goes on. */
  get isTurnOver(): boolean {
    return this.#turnMs >= TURN_MS
  }

  /** Lets others run. */
  readonly turn = async (): Promise<void> => {
    await nextTurn()
    this.#turnMs = 0
  }

  /** Lets others run, if it is time. */
  async turnIfOver(): Promise<void> {
    if (this.isTurnOver) await this.turn()
  }

  /** Whether the decoders that are open take more memory than they may. One alone may take what the core lets it. */
  get isOverMemory(): boolean {
    let bytes = 0
    for (const { memoryBytes } of this.decoders) bytes += memoryBytes
    return this.decoders.size > 1 && bytes > this.limits.decoderBytes
  }
}
