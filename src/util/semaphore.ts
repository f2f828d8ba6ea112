import { HashgateError } from './errors.ts'

/**
 * Milliseconds without a sign of life after which a permit counts as released: the platform ends
 * requests without notice.
 */
const LEASE_MS = 150_000
/** Milliseconds after the longest wait at which a waiting upload counts as gone. */
const GRACE_MS = 1000

/** Share of the longest wait after which others are pressed to make room for a waiting upload. */
const PRESSED_SHARE = 0.25

/**
 * What the uploads of one isolate share: the bytes that they hold, or the places for decoders. The
 * platform ends an isolate that exceeds its memory, with every upload in it. So an upload waits
 * until there is room. Small uploads pass large ones, except those that have waited for half of the
 * longest wait.
 *
 * An upload states the most it will hold, and acquires that bit by bit. It gets more only if all
 * holders could then still finish, one after another. Otherwise each might hold a part of what
 * there is, and none could go on (Dijkstra's banker, EWD 108).
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

  /** How much there is. */
  get max(): number {
    return this.#options.max
  }

  get used(): number {
    this.#expire()
    return [...this.#permits].reduce((sum, { amount }) => sum + amount, 0)
  }

  /** Number of uploads that wait. */
  get waiting(): number {
    this.#expire()
    return this.#waiting.length
  }

  /** Whether an upload has waited for so long that idle holders must give back what they hold. */
  get isPressed(): boolean {
    const longMs = this.#options.maxWaitMs * PRESSED_SHARE
    return this.#waiting.some(({ since }) => this.#now() - since > longMs)
  }

  /** Acquires if there is room now; otherwise returns `undefined`. */
  tryAcquire(amount: number): Permit | undefined {
    this.#expire()
    const permit = new Permit(this, amount, this.#now)
    if (this.#waiting.length > 0 || !this.#hasRoom(permit, amount)) return undefined
    this.#add(permit, amount)
    return permit
  }

  /**
   * Acquires as soon as there is room.
   * @param most the most that it will hold, by `grow`
   * @throws {BusyError} there was no room in time, or there never can be
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

  release(permit: Permit): void {
    this.#permits.delete(permit)
    this.serve()
  }

  /**
   * Whether this amount is free, and all holders could still finish if it were given, those that
   * lack the least first.
   */
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
        this.serve()
      }, maxWaitMs)
      this.#waiting = [...this.#waiting, waiting].toSorted((a, b) => a.rank - b.rank)
      this.serve()
    })
  }

  /**
   * Gives room to waiting uploads: first to those that hold some already, and must finish; then to
   * the others in order. One that does not fit is passed over until it has waited for long.
   */
  serve(): void {
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

  /** Grants what an upload waits for, if there is room. Returns whether there was. */
  #tryGrant(waiting: Waiting): boolean {
    if (!this.#hasRoom(waiting.permit, waiting.amount)) return false
    this.#remove(waiting)
    waiting.grant()
    return true
  }

  #remove(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting)
  }

  /**
   * Forgets uploads that the platform has ended: their timers no longer fire, and nothing releases
   * their permits.
   */
  #expire(): void {
    const { leaseMs = LEASE_MS } = this.#options
    for (const permit of this.#permits) if (permit.idleMs > leaseMs) this.#permits.delete(permit)
    const longest = this.#options.maxWaitMs + GRACE_MS
    this.#waiting = this.#waiting.filter(({ since }) => this.#now() - since <= longest)
  }
}

/** The isolate has no room for another upload, and none became free in time. */
export class BusyError extends HashgateError {
  readonly code = 'busy'

  constructor(what: string, waitedMs: number) {
    super(`no ${what} became free within ${waitedMs} ms`)
  }
}

export interface SemaphoreOptions {
  /** What it is of, in words that follow "no". */
  what: string
  max: number
  /** Longest wait of an upload. */
  maxWaitMs: number
  /** Queue penalty, in milliseconds, for an upload that claims the whole budget: small uploads overtake large ones. */
  spreadMs: number
  /** Milliseconds without a sign of life after which a permit counts as released: 150,000. */
  leaseMs?: number
  now?: () => number
}

interface Waiting {
  permit: Permit
  amount: number
  since: number
  /** When it came, plus its queue penalty. */
  rank: number
  grant: () => void
}

/** A share of a semaphore, until it is released. */
export class Permit {
  amount = 0
  /** The most that it will be. */
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

  /** Declares that it will not grow any more. */
  settle(): void {
    this.most = this.amount
    this.#semaphore.serve()
  }

  /** Gives back everything above this amount. The share may grow again. */
  shrink(amount: number): void {
    this.amount = Math.min(this.amount, amount)
    this.#semaphore.serve()
  }

  /** Records a sign of life of the upload. */
  touch(): void {
    this.#touchedAt = this.#now()
  }

  /** Milliseconds since the last sign of life. */
  get idleMs(): number {
    return this.#now() - this.#touchedAt
  }

  release(): void {
    this.#semaphore.release(this)
    this.amount = 0
  }
}
