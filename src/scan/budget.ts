import type { ScanLimits } from './limits.ts'

/** What is counted over all files nested in one upload. */
export type Counted =
  | 'entries'
  | 'inflatedBytes'
  | 'heldBytes'
  | 'embeddedImages'
  | 'embeddedStarts'

/** What is left of the limits that all files nested in one upload share. */
export class ScanBudget {
  readonly limits: ScanLimits
  readonly #taken = new Map<Counted, number>()

  constructor(limits: ScanLimits) {
    this.limits = limits
  }

  /** Takes one of it, or that many bytes. Tells whether that was within the limit. */
  take(what: Counted, amount = 1): boolean {
    const taken = (this.#taken.get(what) ?? 0) + amount
    this.#taken.set(what, taken)
    return taken <= this.limits[what]
  }
}
