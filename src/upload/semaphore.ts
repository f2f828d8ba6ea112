import { HashgateError } from '../util/errors.ts'

/** The isolate has no room for another upload, and none came in time. */
export class BusyError extends HashgateError {
  readonly code = 'busy'

  constructor(what: string, waitedMs: number) {
    super(`there were no ${what} left for ${waitedMs} ms`)
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
  /** Milliseconds by which an upload is served later that wants all there is: small ones pass large ones. */
  spreadMs: number
  now?: () => number
}

interface Waiting {
  amount: number
  since: number
  /** Time that it counts as having come at. */
  rank: number
  grant: () => void
}

/**
 * What the uploads of one isolate share: the bytes that they hold, or the places for decoders. An isolate that goes over its
 * memory is ended by the platform, and every upload in it with it. So an upload waits until there is room: small ones pass
 * large ones, but none that has waited for half of the longest wait.
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

  /** What is acquired. */
  get used(): number {
    return [...this.#permits].reduce((sum, { amount }) => sum + amount, 0)
  }

  /** Uploads that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Acquires if there is room at once. */
  tryAcquire(amount: number): Permit | undefined {
    this.#expire()
    if (this.#waiting.length > 0 || !this.#hasRoom(amount)) return undefined
    const permit = new Permit(this, this.#now)
    this.#add(permit, amount)
    return permit
  }

  /**
   * Acquires as soon as there is room.
   * @throws {BusyError} there is none for too long, or ever
   */
  async acquire(amount: number): Promise<Permit> {
    const permit = new Permit(this, this.#now)
    await this.grow(permit, amount)
    return permit
  }

  /** Acquires more. @throws {BusyError} */
  async grow(permit: Permit, amount: number): Promise<void> {
    if (amount > this.#options.max) throw new BusyError(this.#options.what, 0)
    this.#expire()
    if (this.#waiting.length === 0 && this.#hasRoom(amount)) this.#add(permit, amount)
    else await this.#wait(permit, amount)
  }

  release(permit: Permit): void {
    this.#permits.delete(permit)
    this.#serve()
  }

  #hasRoom(amount: number): boolean {
    return this.used + amount <= this.#options.max
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
        amount,
        since,
        rank: since + (amount / max) * spreadMs,
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

  /** Gives room to those that wait, in their order; one that does not fit is passed until it has waited for long. */
  #serve(): void {
    this.#expire()
    const patienceMs = this.#options.maxWaitMs / 2
    const isPatient = ({ since }: Waiting) => this.#now() - since < patienceMs
    const [patient, impatient] = [
      this.#waiting.filter(isPatient),
      this.#waiting.filter((waiting) => !isPatient(waiting)),
    ]
    for (const waiting of [...impatient, ...patient]) {
      if (this.#hasRoom(waiting.amount)) {
        this.#remove(waiting)
        waiting.grant()
      } else if (!isPatient(waiting)) return
    }
  }

  #remove(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting)
  }

  /** Forgets those that the platform has ended: their timers do not ring any more, and nobody gives back for them. */
  #expire(): void {
    for (const permit of this.#permits) if (permit.idleMs > LEASE_MS) this.#permits.delete(permit)
    const longest = this.#options.maxWaitMs + GRACE_MS
    this.#waiting = this.#waiting.filter(({ since }) => this.#now() - since <= longest)
  }
}

/** A share of a semaphore, until it is released. */
export class Permit {
  amount = 0
  readonly #semaphore: Semaphore
  readonly #now: () => number
  #touchedAt: number

  constructor(semaphore: Semaphore, now: () => number) {
    this.#semaphore = semaphore
    this.#now = now
    this.#touchedAt = now()
  }

  /** Acquires so much more. @throws {BusyError} */
  grow(amount: number): Promise<void> {
    return this.#semaphore.grow(this, amount)
  }

  /** Tells that the upload goes on. */
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
