import { HashgateError } from './errors.ts'

/** The isolate has no room for another upload, and none came in time. */
export class BusyError extends HashgateError {
  readonly code = 'busy'

  constructor(what: string, waitedMs: number) {
    super(`no ${what} became free within ${waitedMs} ms`)
  }
}

/** Milliseconds without a sign after which a permit counts as given back: the platform ends requests without telling them. */
const LEASE_MS = 150_000
/** Milliseconds after the longest wait when who waits counts as gone. */
const GRACE_MS = 1000

export interface SemaphoreOptions {
  /** What it is of, in words. */
  what: string
  max: number
  /** Longest wait of an upload. */
  maxWaitMs: number
  /** Queue penalty, in milliseconds, for an upload that claims the whole budget: small uploads overtake large ones. */
  spreadMs: number
  /** Milliseconds without a sign after which a permit counts as given back: 150,000. */
  leaseMs?: number
  now?: () => number
}

interface Waiting {
  permit: Permit
  amount: number
  since: number
  /** Time that it counts as having come at. */
  rank: number
  grant: () => void
}

/** Share of the longest wait after which others are pressed to make room for who waits. */
const PRESSED_SHARE = 0.25

/**
 * What the uploads of one isolate share: the bytes that they hold, or the places for decoders. An isolate that goes over its
 * memory is ended by the platform, and every upload in it with it. So an upload waits until there is room: small ones pass
 * large ones, but none that has waited for half of the longest wait.
 *
 * An upload says what it will hold at most, and acquires that bit by bit. It is given more only if all that have some could then
 * still come to their ends, one after another: else each might hold a part of what there is, and none could go on (Dijkstra's
 * banker, EWD 108).
 */
export class Semaphore {
  readonly #options: SemaphoreOptions
  readonly #now: () => number
  #waiting: Waiting[] = []
  readonly #permits = new Set<Permit>()

  constructor(options: SemaphoreOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** What there is. */
  get max(): number {
    return this.#options.max
  }

  get used(): number {
    return [...this.#permits].reduce((sum, { amount }) => sum + amount, 0)
  }

  /** Uploads that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Whether somebody has waited for some time: who holds something and makes no use of it is to give it back. */
  get isPressed(): boolean {
    const longMs = this.#options.maxWaitMs * PRESSED_SHARE
    return this.#waiting.some(({ since }) => this.#now() - since > longMs)
  }

  /** Acquires if there is room at once. */
  tryAcquire(amount: number): Permit | undefined {
    this.#expire()
    const permit = new Permit(this, amount, this.#now)
    if (this.#waiting.length > 0 || !this.#hasRoom(permit, amount)) return undefined
    this.#add(permit, amount)
    return permit
  }

  /**
   * Acquires as soon as there is room.
   * @param most what it will have at most, by `grow`
   * @throws {BusyError} no place became free in time, or none ever can
   */
  async acquire(amount: number, most = amount): Promise<Permit> {
    const permit = new Permit(this, most, this.#now)
    await this.grow(permit, amount)
    return permit
  }

  /** Acquires more. @throws {BusyError} */
  async grow(permit: Permit, amount: number): Promise<void> {
    permit.most = Math.max(permit.most, permit.amount + amount)
    if (permit.most > this.#options.max) throw new BusyError(this.#options.what, 0)
    this.#expire()
    if (this.#waiting.length === 0 && this.#hasRoom(permit, amount)) this.#add(permit, amount)
    else await this.#wait(permit, amount)
  }

  /** Tells that a permit grows no more. */
  settle(permit: Permit): void {
    permit.most = permit.amount
    this.#serve()
  }

  /** Takes back everything above this amount. */
  shrink(permit: Permit, amount: number): void {
    permit.amount = Math.min(permit.amount, amount)
    this.#serve()
  }

  release(permit: Permit): void {
    this.#permits.delete(permit)
    this.#serve()
  }

  /** Whether this amount is free, and all holders could still finish if it were given, those that lack least first. */
  #hasRoom(permit: Permit, amount: number): boolean {
    let free = this.#options.max - this.used - amount
    if (free < 0) return false
    const held = permit.amount + amount
    const others = [...this.#permits].filter((other) => other !== permit)
    const all = [{ amount: held, most: permit.most }, ...others]
    const byLack = all.toSorted((a, b) => a.most - a.amount - (b.most - b.amount))
    return byLack.every(({ amount: own, most }) => {
      const isEnough = most - own <= free
      free += own
      return isEnough
    })
  }

  #add(permit: Permit, amount: number): void {
    permit.amount += amount
    permit.touch()
    this.#permits.add(permit)
  }

  #wait(permit: Permit, amount: number): Promise<void> {
    const { what, max, maxWaitMs, spreadMs } = this.#options
    const since = this.#now()
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        permit,
        amount,
        since,
        rank: since + (permit.most / max) * spreadMs,
        grant: () => {
          clearTimeout(timer)
          this.#add(permit, amount)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#remove(waiting)
        reject(new BusyError(what, maxWaitMs))
        this.#serve()
      }, maxWaitMs)
      this.#waiting = [...this.#waiting, waiting].toSorted((a, b) => a.rank - b.rank)
      this.#serve()
    })
  }

  /**
   * Gives room to those that wait: first to those that have some already, and must come to their ends; then to others in their
   * order, of whom one that does not fit is passed until it has waited for long.
   */
  #serve(): void {
    this.#expire()
    const patienceMs = this.#options.maxWaitMs / 2
    const isGrowing = ({ permit }: Waiting) => permit.amount > 0
    const isPatient = ({ since }: Waiting) => this.#now() - since < patienceMs
    const others = this.#waiting.filter((waiting) => !isGrowing(waiting))
    for (const waiting of this.#waiting.filter(isGrowing)) this.#tryGrant(waiting)
    const impatient = others.filter((waiting) => !isPatient(waiting))
    for (const waiting of impatient) if (!this.#tryGrant(waiting)) return
    for (const waiting of others.filter(isPatient)) this.#tryGrant(waiting)
  }

  /** Gives what somebody waits for, if there is room. Tells whether there was. */
  #tryGrant(waiting: Waiting): boolean {
    if (!this.#hasRoom(waiting.permit, waiting.amount)) return false
    this.#remove(waiting)
    waiting.grant()
    return true
  }

  #remove(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting)
  }

  /** Forgets those that the platform has ended: their timers do not ring any more, and nobody gives back for them. */
  #expire(): void {
    const { leaseMs = LEASE_MS } = this.#options
    for (const permit of this.#permits) if (permit.idleMs > leaseMs) this.#permits.delete(permit)
    const longest = this.#options.maxWaitMs + GRACE_MS
    this.#waiting = this.#waiting.filter(({ since }) => this.#now() - since <= longest)
  }
}

/** A share of a semaphore, until it is released. */
export class Permit {
  amount = 0
  /** What it will be at most. */
  most: number
  readonly #semaphore: Semaphore
  readonly #now: () => number
  #touchedAt: number

  constructor(semaphore: Semaphore, most: number, now: () => number) {
    this.most = most
    this.#semaphore = semaphore
    this.#now = now
    this.#touchedAt = now()
  }

  /** Acquires this much more. @throws {BusyError} */
  grow(amount: number): Promise<void> {
    return this.#semaphore.grow(this, amount)
  }

  /** Tells that it grows no more. */
  settle(): void {
    this.#semaphore.settle(this)
  }

  /** Gives back everything above this amount. The share may grow again. */
  shrink(amount: number): void {
    this.#semaphore.shrink(this, amount)
  }

  /** Records a sign of life of the upload. */
  touch(): void {
    this.#touchedAt = this.#now()
  }

  /** Milliseconds since the last sign of the upload. */
  get idleMs(): number {
    return this.#now() - this.#touchedAt
  }

  release(): void {
    this.#semaphore.release(this)
    this.amount = 0
  }
}
