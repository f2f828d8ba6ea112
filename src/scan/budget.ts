import { nextTurn } from '../util/steps.ts'
import type { ScanLimits } from './limits.ts'
import { SENT_BYTE_MS } from './work.ts'

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

/** Milliseconds of work, in the unit of src/scan/work.ts. */
class Work {
  spentMs = 0
  /** What was spent since others ran last. */
  turnMs = 0
  /** What the bytes that were sent allow, beside the limit: they are a client's effort, too. */
  sentMs = 0
}

/** What is left of the limits that all files nested in one upload share. */
export class ScanBudget {
  readonly limits: ScanLimits
  readonly #work: Work
  readonly #taken = new Map<Counted, number>()
  /** Decoders that are open, at all depths. */
  readonly decoders = new Set<Opened>()
  /** Images found by their signatures that are open, at all depths. */
  openEmbedded = 0

  constructor(limits: ScanLimits, work = new Work()) {
    this.limits = limits
    this.#work = work
  }

  /** Counts of its own, with some other limits, over the same work. */
  apart(limits: Partial<ScanLimits> = {}): ScanBudget {
    return new ScanBudget({ ...this.limits, ...limits }, this.#work)
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

  /** Counts bytes as a client sends them. */
  addSent(bytes: number): void {
    this.#work.sentMs += bytes * SENT_BYTE_MS
  }

  spend(ms: number): void {
    this.#work.spentMs += ms
    this.#work.turnMs += ms
  }

  /** Whether nothing more is decoded or unpacked. */
  get isExhausted(): boolean {
    return this.#isOver(1)
  }

  /** Whether so much is spent that images are hashed as they are, so that there is some left to decode others. */
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

  /** Whether others are to run before it goes on. */
  get isTurnOver(): boolean {
    return this.#work.turnMs >= TURN_MS
  }

  /** Lets others run. */
  readonly turn = async (): Promise<void> => {
    await nextTurn()
    this.#work.turnMs = 0
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
