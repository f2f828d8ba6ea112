import type { Opinion } from '../ledger/opinions.ts'
import type { Tombstone } from '../ledger/record.ts'

/** A record as an exchange reads it. The runner validates the hashes. */
export interface ListedRecord {
  /** The provider's own key. */
  key: string
  /** The provider's id for events, if that is no hash. */
  id?: string
  hashes: readonly { kind: string; value: string }[]
  labels?: Readonly<Record<string, string>>
  tier?: string
  updated: number
}

/** What could not be read, by reason. */
export type Skipped = Record<string, number>

/** Records of a page, as they are read. */
export interface PageRecords {
  upserts: ListedRecord[]
  deletes: Tombstone[]
  skipped: Skipped
}

/** Some of what a provider lists. */
export interface ExchangePage<Checkpoint extends object = object> {
  upserts: readonly ListedRecord[]
  deletes: readonly Tombstone[]
  /** Where the next run continues once this page is applied. */
  checkpoint: Checkpoint
  /** Whether the provider has nothing more for now. */
  isComplete: boolean
  /** Whether all that it has is about to come: what does not come is taken back at the end. */
  startsOver?: boolean
  skipped?: Skipped
  /** Records of the whole run, those that are taken back too, as far as the provider tells: for a progress bar. */
  expected?: number | undefined
}

/** The account that the provider sees behind the credentials. */
export interface Account {
  name: string
  can: string[]
  /** What else helps a person to set it up. */
  details?: Record<string, string>
}

/** A source of hash lists: a function from a checkpoint to pages. Time, retries and storage are the runner's. */
export interface Exchange<Checkpoint extends object = object> {
  /** Days without a complete run after which the provider may have forgotten what it deleted. */
  staleDays?: number
  /** @throws {ExchangeError} */
  whoAmI(): Promise<Account>
  /**
   * @param from the checkpoint of the last page that was applied
   * @throws {ExchangeError}
   */
  pages(from: Checkpoint | undefined): AsyncGenerator<ExchangePage<Checkpoint>, void>
  /** What would be sent for an opinion; `undefined`: the provider takes no such opinion. Absent if it takes none at all. */
  feedback?(opinion: EntryOpinion): Ask | undefined
}

/** An opinion, with what the provider knows the entry by. */
export type EntryOpinion = Opinion & { hash: string | undefined }

export interface World {
  fetch: (request: Request) => Promise<Response>
  now: () => number
  sleep: (ms: number) => Promise<void>
}

export interface Ask {
  /** What is asked, for errors: a name without credentials. */
  what: string
  url: URL
  method?: string
  headers?: Record<string, string>
  body?: string
  /** Statuses beside 2xx that the caller wants to see. */
  accept?: readonly number[]
}
