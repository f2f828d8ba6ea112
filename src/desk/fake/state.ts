export const FAKE_LIST_NAMES = ['ncmec', 'stopncii', 'graph', 'tcap', 'list'] as const
export type FakeListName = (typeof FAKE_LIST_NAMES)[number]

/** All providers. Shield can only be queried. */
export const FAKE_NAMES = [...FAKE_LIST_NAMES, 'shield'] as const
export type FakeName = (typeof FAKE_NAMES)[number]

/** Credentials that the exchange server accepts; its sources are set up with them. */
export const FAKE_USER = 'hashgate'
export const FAKE_SECRET = 'secret-of-the-exchange-server'
export const FAKE_TOKEN = `12345678|${'s'.repeat(24)}`
export const FAKE_GROUP = '1234567890'

/** One provider of the exchange server: its records, and the faults of its next answers. */
export class FakeProvider {
  readonly records = new Map<string, FakeRecord>()
  /** Each applies to one request. */
  readonly faults: Fault[] = []
  /** Types of the faults that occurred. */
  readonly played = new Set<Fault['type']>()
  /** Keys of records whose pages are always cut off. */
  readonly poison = new Set<string>()
  /** Valid cursors, with their meaning. */
  readonly cursors = new Map<string, string>()
  /** Feedback that it received about its records. */
  readonly feedback: string[] = []
  pageSize = 800
  requests = 0
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** Each change has its own time. */
  put(key: string, hashes: FakeRecord['hashes'], tier = ''): void {
    this.records.set(key, { key, hashes, tier, updated: this.#clock.next(), isDeleted: false })
  }

  delete(key: string): void {
    const record = this.records.get(key)
    if (record) this.records.set(key, { ...record, updated: this.#clock.next(), isDeleted: true })
  }

  /** In chronological order. */
  sorted(): FakeRecord[] {
    return [...this.records.values()].toSorted((a, b) => a.updated - b.updated)
  }

  live(): FakeRecord[] {
    return [...this.records.values()].filter(({ isDeleted }) => !isDeleted)
  }

  /**
   * Drops a fault that no answer of this provider can have. Otherwise the faults after it would
   * wait forever.
   */
  drop(fault: Fault | undefined): void {
    if (fault && this.faults[0] === fault) this.faults.shift()
  }

  /** Takes the next fault if it is of a type that the caller handles. */
  take<T extends Fault['type']>(type: T): Extract<Fault, { type: T }> | undefined {
    if (this.faults[0]?.type !== type) return undefined
    this.played.add(type)
    return this.faults.shift() as Extract<Fault, { type: T }>
  }
}

/** A record of the exchange server: what a provider would list. */
export interface FakeRecord {
  key: string
  hashes: { kind: string; value: string }[]
  tier: string
  /** Ids of members that confirm it, and of those that contradict it. */
  opinions?: { for: string[]; against: string[] }
  /** Milliseconds since 1970, by the server's clock. */
  updated: number
  isDeleted: boolean
}

/** What can go wrong with an answer. */
export type Fault =
  | { type: 'cut'; at: number }
  | { type: 'status'; status: number; retryAfter?: string }
  | { type: 'notice' }
  | { type: 'repeat' }
  | { type: 'reorder' }
  | { type: 'kill-cursors' }
  | { type: 'rewind' }
  | { type: 'delay'; ms: number }

/** The exchange server's clock. */
export class FakeClock {
  #offset = 0
  readonly #read: () => number
  readonly #stepMs: number

  /**
   * @param read milliseconds since 1970, without what the clock was advanced by
   * @param stepMs how much each change advances it, so that no two have the same time
   */
  constructor(read: () => number, stepMs: number) {
    this.#read = read
    this.#stepMs = stepMs
  }

  now(): number {
    return this.#read() + this.#offset
  }

  advance(ms: number): void {
    this.#offset += ms
  }

  next(): number {
    this.#offset += this.#stepMs
    return this.now()
  }
}

/** When a record last changed, in whole seconds of Unix time, as in most services. */
export function secondsOf({ updated }: Pick<FakeRecord, 'updated'>): number {
  return Math.floor(updated / 1000)
}
