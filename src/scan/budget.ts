import { nextTurn } from '../util/steps.ts'
import type { ScanLimits } from './limits.ts'
import { SENT_BYTE_MS } from './work.ts'

/**
 * Milliseconds of work between two turns of the event loop. With work that is not counted, it must
 * stay under 50.
 */
const TURN_MS = 10
/** Share of the work available to probes. */
const PROBED_SHARE = 0.5

/** What is left of the limits that all files nested in one upload share. */
export class ScanBudget {
  readonly limits: ScanLimits
  readonly #work: Work
  readonly #taken = new Map<Counted, number>()
  /** Open decoders, at all depths. */
  readonly decoders = new Set<Opened>()
  /** Open images that were found by their signatures, at all depths. */
  openEmbedded = 0

  constructor(limits: ScanLimits, work = new Work()) {
    this.limits = limits
    this.#work = work
  }

  /** A budget with separate counts, and perhaps other limits, but the same work. */
  apart(limits: Partial<ScanLimits> = {}): ScanBudget {
    return new ScanBudget({ ...this.limits, ...limits }, this.#work)
  }

  /** Takes one, or `amount` bytes. Returns whether the limit allowed it. */
  take(what: Counted, amount = 1): boolean {
    const taken = (this.#taken.get(what) ?? 0) + amount
    this.#taken.set(what, taken)
    return taken <= this.limits[what]
  }

  /** How many, or how many bytes, were taken, up to the limit. */
  taken(what: Counted): number {
    return Math.min(this.#taken.get(what) ?? 0, this.limits[what])
  }

  /** Whether the limit is used up. */
  isSpent(what: Counted): boolean {
    return (this.#taken.get(what) ?? 0) >= this.limits[what]
  }

  /** Counts bytes that the client sent. */
  addSent(bytes: number): void {
    this.#work.sentMs += bytes * SENT_BYTE_MS
  }

  spend(ms: number): void {
    this.#work.spentMs += ms
    this.#work.turnMs += ms
  }

  /** Whether decoding and unpacking must stop. */
  get isExhausted(): boolean {
    return this.#isOver(1)
  }

  /** Whether images are now hashed only as they are, to leave work for decoding others. */
  get isScarce(): boolean {
    return this.#isOver(PROBED_SHARE)
  }

  #isOver(share: number): boolean {
    const { spentMs, sentMs } = this.#work
    return spentMs >= sentMs + this.limits.workMs * share
  }

  get workMs(): number {
    return this.#work.spentMs
  }

  /** Whether other tasks should run before continuing. */
  get isTurnOver(): boolean {
    return this.#work.turnMs >= TURN_MS
  }

  /** Lets other tasks run. */
  readonly turn = async (): Promise<void> => {
    await nextTurn()
    this.#work.turnMs = 0
  }

  /** Lets other tasks run if the turn is over. */
  async turnIfOver(): Promise<void> {
    if (this.isTurnOver) await this.turn()
  }

  /**
   * Whether the open decoders take more memory than allowed. A single one may take whatever the
   * core allows.
   */
  get isOverMemory(): boolean {
    let bytes = 0
    for (const { memoryBytes } of this.decoders) bytes += memoryBytes
    return this.decoders.size > 1 && bytes > this.limits.decoderBytes
  }
}

/** What is counted across all files nested in one upload. */
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

/** Something that takes memory while it is open. */
export interface Opened {
  memoryBytes: number
}

/** Milliseconds of work, in the unit of src/scan/work.ts. */
class Work {
  spentMs = 0
  /** Milliseconds of work since other tasks last ran. */
  turnMs = 0
  /**
   * Extra work allowed for the bytes sent, on top of the limit: sending costs the client effort,
   * too.
   */
  sentMs = 0
}
