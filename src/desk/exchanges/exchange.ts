import type { Opinion } from '../ledger/opinions.ts'
import type { Tombstone } from '../ledger/record.ts'

/** A record as an exchange reads it. The runner validates the hashes. */
export interface ListedRecord {
  /** The provider's own key. */
  key: string
  /** The provider's id for events, if it is not a hash. */
  id?: string
  hashes: readonly { kind: string; value: string }[]
  labels?: Readonly<Record<string, string>>
  tier?: string
  updated: number
}

/** What could not be read, by reason. */
export type Skipped = Record<string, number>

/** Records of a page, while they are read. */
export interface PageRecords {
  upserts: ListedRecord[]
  deletes: Tombstone[]
  skipped: Skipped
}

/** A part of what a provider lists. */
export interface ExchangePage<Checkpoint extends object = object> {
  upserts: readonly ListedRecord[]
  deletes: readonly Tombstone[]
  /** Where the next run continues once this page is applied. */
  checkpoint: Checkpoint
  /** Whether the provider has nothing more for now. */
  isComplete: boolean
  /** Whether a complete listing begins: records missing from it are withdrawn at the end. */
  startsOver?: boolean
  skipped?: Skipped
  /**
   * Records of the whole run, including withdrawn ones, as far as the provider says: for a progress
   * bar.
   */
  expected?: number | undefined
}

/** The account that belongs to the credentials. */
export interface Account {
  name: string
  can: string[]
  /** Other details that help with the setup. */
  details?: Record<string, string>
}

/**
 * A source of hash lists: a function from a checkpoint to pages. The runner handles time, retries
 * and storage.
 */
export interface Exchange<Checkpoint extends object = object> {
  /** Days without a complete run after which the provider may have forgotten its deletions. */
  staleDays?: number
  /** @throws {ExchangeError} */
  whoAmI(): Promise<Account>
  /**
   * @param from checkpoint of the last applied page
   * @throws {ExchangeError}
   */
  pages(from: Checkpoint | undefined): AsyncGenerator<ExchangePage<Checkpoint>, void>
  /**
   * The request for an opinion; `undefined` if the provider does not accept such an opinion. Absent
   * if it accepts none at all.
   */
  feedback?(opinion: EntryOpinion): Ask | undefined
}

/** An opinion, with the hash that the provider knows the entry by. */
export type EntryOpinion = Opinion & { hash: string | undefined }

export interface World {
  fetch: (request: Request) => Promise<Response>
  now: () => number
  sleep: (ms: number) => Promise<void>
}

export interface Ask {
  /** A name for errors, without credentials. */
  what: string
  url: URL
  method?: string
  headers?: Record<string, string>
  body?: string
  /** Statuses other than 2xx that the caller handles. */
  accept?: readonly number[]
}
