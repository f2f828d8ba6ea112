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

  /** Whether the decoders that are open take more memory than they may. One alone may take what the core lets it. */
  get isOverMemory(): boolean {
    let bytes = 0
    for (const { memoryBytes } of this.decoders) bytes += memoryBytes
    return this.decoders.size > 1 && bytes > this.limits.decoderBytes
  }
}
