import * as v from 'valibot'
import { HASH_LENGTHS } from '../../list/entry.ts'
import { isOther, kindNamed } from '../../list/text/kinds.ts'
import { isMatchable, type LedgerRecord, type ListedHash } from '../ledger/record.ts'
import type { ListedRecord, PageRecords, Skipped } from './exchange.ts'

/**
 * Maximum length of a hash that is stored but not matched, such as PhotoDNA; longer ones are only
 * counted.
 */
const MAX_KEPT_CHARACTERS = 4096
/** Maximum hashes of a record. */
const MAX_HASHES = 256
const MAX_LABELS = 32
const MAX_LABEL_CHARACTERS = 256
const MAX_KEY_CHARACTERS = 1024

/** Digests of zero bytes: lists contain them by mistake, and an empty file belongs to no one. */
const EMPTY_FILE = new Set([
  'd41d8cd98f00b204e9800998ecf8427e',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
])

/**
 * A record as the ledger stores it. A malformed hash is skipped and counted. The record stays with
 * its other hashes, since the provider's latest version replaces the earlier one. `undefined` if
 * the record has no usable key.
 */
export function normalise(record: ListedRecord, skipped: Skipped): LedgerRecord | undefined {
  if (record.key === '' || record.key.length > MAX_KEY_CHARACTERS) {
    skip(skipped, 'record: no usable key')
    return undefined
  }
  const hashes = new Map<string, ListedHash>()
  for (const { kind, value } of record.hashes) {
    const hash = normaliseHash(kind, value, skipped)
    if (hash && hashes.size < MAX_HASHES) hashes.set(`${hash.kind} ${hash.value}`, hash)
    else if (hash) skip(skipped, 'record: too many hashes')
  }
  const labels = Object.entries(record.labels ?? {})
    .filter(([, text]) => text !== '')
    .slice(0, MAX_LABELS)
    .map(([name, text]) => [name, text.slice(0, MAX_LABEL_CHARACTERS)])
  return {
    key: record.key,
    ...(record.id !== undefined && { id: record.id.slice(0, MAX_LABEL_CHARACTERS) }),
    hashes: [...hashes.values()],
    labels: Object.fromEntries(labels) as Record<string, string>,
    tier: (record.tier ?? '').slice(0, MAX_LABEL_CHARACTERS),
    updated: Number.isFinite(record.updated) ? Math.trunc(record.updated) : 0,
  }
}

export function noRecords(): PageRecords {
  return { upserts: [], deletes: [], skipped: {} }
}

export function skip(skipped: Skipped, reason: string, count = 1): void {
  skipped[reason] = (skipped[reason] ?? 0) + count
}

export function sumSkipped(a: Skipped, b: Skipped = {}): Skipped {
  const sum = { ...a }
  for (const [reason, count] of Object.entries(b)) skip(sum, reason, count)
  return sum
}

/**
 * Reads a page's records. `read` adds one for each item that fits the schema; others are skipped.
 */
export function readRecords<S extends v.GenericSchema>(
  items: readonly unknown[],
  schema: S,
  unfit: string,
  read: (item: v.InferOutput<S>, records: PageRecords) => void,
): PageRecords {
  const records = noRecords()
  for (const item of items) {
    const parsed = v.safeParse(schema, item)
    if (parsed.success) read(parsed.output, records)
    else skip(records.skipped, unfit)
  }
  return records
}

function normaliseHash(
  kindText: string,
  valueText: string,
  skipped: Skipped,
): ListedHash | undefined {
  const kind = providedKind(kindText)
  const value = valueText.trim()
  if (!isMatchable(kind)) {
    return { kind, value: value.length > MAX_KEPT_CHARACTERS ? '' : value }
  }
  const digits = value.toLowerCase()
  const length = HASH_LENGTHS[kind] * 2
  if (digits.length !== length || !/^[0-9a-f]*$/.test(digits)) {
    skip(skipped, `${kind}: not ${length} hex digits`)
    return undefined
  }
  if (EMPTY_FILE.has(digits)) {
    skip(skipped, `${kind}: digest of an empty file`)
    return undefined
  }
  return { kind, value: digits }
}

/** Providers write HASH_PDQ, ImagePDQ, VideoMD5. An unknown kind keeps its own name. */
function providedKind(text: string): string {
  const named = kindNamed(text)
  if (named === undefined) return text.toLowerCase().replace(/[^a-z0-9]+/g, '-') || 'unknown'
  return isOther(named) ? named.slice(named.indexOf(':') + 1) : named
}
