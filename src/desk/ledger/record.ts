import { parseHex } from '../../util/bytes.ts'
import { type Entry, HASH_LENGTHS, type HashKind } from '../../list/entry.ts'
import type { LedgerKey } from './ledger-key.ts'

/** The latest state of one of a provider's records. */
export interface LedgerRecord {
  /** The provider's own key. It may be a hash, and is never shown. */
  key: string
  /** The name of the record in events, if the provider has an id that is not a hash. */
  id?: string
  hashes: readonly ListedHash[]
  labels: Readonly<Record<string, string>>
  /** The provider's classification, or an empty text. */
  tier: string
  /**
   * Orders the states of a record: milliseconds since 1970, or whatever else this provider
   * increments.
   */
  updated: number
}

/**
 * A hash as a provider lists it. If its kind can be matched, the value is lower-case hex of the
 * right length.
 */
export interface ListedHash {
  kind: string
  value: string
}

/** A record that the provider withdrew. */
export interface Tombstone {
  key: string
  updated: number
}

/** A record as stored in D1. */
export interface LedgerRow {
  row: string
  kinds: string
  tier: string
  content: string
  sealed: string
  updated: number
  deleted: 0 | 1
}

/** The sealed part of a record: the id for events, hashes, labels. */
type SealedContent = [
  id: string,
  hashes: [kind: string, value: string][],
  labels: Record<string, string>,
]

export function sealRecord(key: LedgerKey, source: string, record: LedgerRecord): LedgerRow {
  const row = key.rowOf(source, record.key)
  const names = Object.keys(record.labels).toSorted()
  const content: SealedContent = [
    record.id ?? `r-${BigInt(row).toString(16).padStart(16, '0')}`,
    record.hashes.map(({ kind, value }) => [kind, value]),
    Object.fromEntries(names.map((name) => [name, record.labels[name] ?? ''])),
  ]
  const text = JSON.stringify(content)
  const kinds = record.hashes.map(({ kind }) => kind).toSorted()
  return {
    row,
    kinds: kinds.join(' '),
    tier: record.tier,
    content: key.contentOf(`${record.tier}\n${text}`),
    sealed: key.seal(row, text),
    updated: record.updated,
    deleted: 0,
  }
}

/** A row without content: the provider withdrew the record. */
export function buryRecord(key: LedgerKey, source: string, gone: Tombstone): LedgerRow {
  const row = key.rowOf(source, gone.key)
  return { row, kinds: '', tier: '', content: '', sealed: '', updated: gone.updated, deleted: 1 }
}

/**
 * The entries of a record on the list: one for each hash that can be matched. Two records with the
 * same hash are two entries, so that one stays if the other is withdrawn, and a match names both.
 * @throws {RecordDamagedError}
 */
export function entriesOf(
  key: LedgerKey,
  source: string,
  { row, sealed, tier }: { row: string; sealed: string; tier: string },
): Entry[] {
  const [id, hashes, labels] = JSON.parse(key.open(row, sealed)) as SealedContent
  return hashes.flatMap(([kind, value]) => {
    const hash = isMatchable(kind) ? parseHex(value, HASH_LENGTHS[kind]) : undefined
    if (!hash || !isMatchable(kind)) return []
    return { kind, hash, id, labels: { ...labels, ...(tier && { tier }), source } }
  })
}

/** The hashes of a record. @throws {RecordDamagedError} */
export function hashesOf(key: LedgerKey, row: string, sealed: string): ListedHash[] {
  const [, hashes] = JSON.parse(key.open(row, sealed)) as SealedContent
  return hashes.map(([kind, value]) => ({ kind, value }))
}

/** Whether files are matched by hashes of this kind. */
export function isMatchable(kind: string): kind is HashKind {
  return Object.hasOwn(HASH_LENGTHS, kind)
}
