import * as v from 'valibot'
import { DIGEST_KINDS, type DigestKind } from './entry.ts'
import {
  ListMissingError,
  ListTooLargeError,
  OtherFormatError,
  ValueDamagedError,
} from './errors.ts'
import { utf8 } from '../util/bytes.ts'
import { MATCH_THRESHOLD } from '../util/hash.ts'
import { parseJson } from '../util/json.ts'
import { MAX_SEGMENT_ENTRIES } from './sizes.ts'
import { type Bytes, type ListStore, MANIFEST_KEY, type StoreReader } from './store.ts'

/** Format of everything that is published. A reader refuses any other. */
const LIST_FORMAT = 3

/** Largest distance that may be a threshold: within it, no match is missed by comparing half of a hash first. */
export const MAX_THRESHOLD = 128

const Name = v.pipe(v.string(), v.hexadecimal(), v.length(64))
const Count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SEGMENT_ENTRIES))

// Loose: a publisher preserves what a later version has added.

/** What a bank may be called. */
export const BANK_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

const SegmentSchema = v.looseObject({
  /** The kind of its hashes: perceptual hashes, or digests of whole files. */
  kind: v.picklist(['pdq', 'exact']),
  /** Its name in the store, derived from its content. */
  name: Name,
  /** Entries in it, including removed ones. */
  count: Count,
  /** Bytes of its largest detail block. Segments of older publishers do not say. */
  detailBytes: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  /** The kinds of its digests. Segments of older publishers do not say. */
  kinds: v.exactOptional(v.array(v.picklist(DIGEST_KINDS))),
  /** Entries that were removed since it was written: the name of the value that has their positions. */
  removed: v.exactOptional(v.looseObject({ name: Name, count: Count })),
})

const BankSchema = v.looseObject({
  id: v.pipe(v.string(), v.regex(BANK_NAME)),
  /** Largest Hamming distance that matches, inclusive. */
  threshold: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_THRESHOLD)),
  /** Smallest quality, 0 to 100, that a needle needs. */
  minQuality: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100)),
  segments: v.array(SegmentSchema),
})

const translation = {
  title: v.exactOptional(v.string()),
  text: v.exactOptional(v.string()),
  appealUrl: v.exactOptional(v.string()),
  appealLabel: v.exactOptional(v.string()),
}

/** Texts for uploaders whose upload is refused for one reason. */
const TextsSchema = v.object({
  ...translation,
  type: v.exactOptional(v.string()),
  /** The same in other languages, by tag. */
  languages: v.exactOptional(v.record(v.string(), v.object({ ...translation, title: v.string() }))),
})

/** Published with the banks, so that changes take effect without a deployment. Earlier readers ignore it. */
const notes = {
  /** Entries, as bank/entry, whose matches change nothing. */
  exempt: v.exactOptional(v.array(v.string())),
  /** Texts for uploaders, by kind of harm or by status. */
  texts: v.exactOptional(v.record(v.string(), TextsSchema)),
}

const ManifestSchema = v.looseObject({
  ...notes,
  format: v.literal(LIST_FORMAT),
  /** Grows with each publication. */
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** When it was published, as ISO 8601. */
  publishedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** Tells it from another of the same version, if two publish at once. */
  id: v.pipe(v.string(), v.uuid()),
  banks: v.array(BankSchema),
})

/** A packed, immutable block of entries, by name. */
export type SegmentRef = v.InferOutput<typeof SegmentSchema>
/** A named set of entries under one policy. */
export type Bank = v.InferOutput<typeof BankSchema>
/** The small record that names everything live. */
export type Manifest = v.InferOutput<typeof ManifestSchema>

/** What a manifest has in addition to the banks. */
export type Notes = Pick<Manifest, keyof typeof notes>

/** Most perceptual hashes of all banks together that an isolate holds by default: 48 MiB. */
export const MAX_LIST_ENTRIES = 3 << 20

/** Most digests of all banks together: 7.5 MiB in an isolate. */
export const MAX_EXACT_ENTRIES = 3 << 20

/**
 * Checks that a list fits in an isolate.
 * @param maxEntries perceptual hashes that it may hold
 * @throws {ListTooLargeError}
 */
export function checkSize(manifest: Pick<Manifest, 'banks'>, maxEntries: number): void {
  const { pdq, exact } = countEntries(segmentsOf(manifest))
  if (pdq > maxEntries) throw new ListTooLargeError('perceptual', pdq, maxEntries)
  if (exact > MAX_EXACT_ENTRIES) throw new ListTooLargeError('exact', exact, MAX_EXACT_ENTRIES)
}

/** Whether a list does not fit in an isolate. */
export function isTooLarge(manifest: Pick<Manifest, 'banks'>, maxEntries: number): boolean {
  const { pdq, exact } = countEntries(segmentsOf(manifest))
  return pdq > maxEntries || exact > MAX_EXACT_ENTRIES
}

/** Policy of a bank that is published for the first time. */
export const DEFAULT_BANK_POLICY = { threshold: MATCH_THRESHOLD, minQuality: 50 }

/** The manifest that follows a version; the first follows 0. */
export function nextManifest(
  version: number,
  banks: readonly Bank[],
  { exempt = [], texts = {} }: Notes = {},
): Manifest {
  return {
    format: LIST_FORMAT,
    version: version + 1,
    publishedAt: new Date().toISOString(),
    id: crypto.randomUUID(),
    banks: [...banks],
    ...(exempt.length > 0 && { exempt: [...exempt] }),
    ...(Object.keys(texts).length > 0 && { texts }),
  }
}

export function segmentsOf({ banks }: Pick<Manifest, 'banks'>): SegmentRef[] {
  return banks.flatMap(({ segments }) => segments)
}

/** Entries of a segment that are not removed. */
export function liveCount({ count, removed }: SegmentRef): number {
  return count - (removed?.count ?? 0)
}

/** Entries of segments, by kind. Removed ones are counted, too: they take the same memory. */
export function countEntries(segments: readonly SegmentRef[]): Record<SegmentRef['kind'], number> {
  const counts = { pdq: 0, exact: 0 }
  for (const { kind, count } of segments) counts[kind] += count
  return counts
}

/**
 * Kinds of digests that files must be compared by. SHA-256 is always one, because it identifies uploads. A segment that does not
 * say its kinds may have all.
 */
export function digestKindsOf(manifest: Pick<Manifest, 'banks'>): readonly DigestKind[] {
  const exact = segmentsOf(manifest).filter(({ kind }) => kind === 'exact')
  const listed = new Set(exact.flatMap(({ kinds = DIGEST_KINDS }) => kinds))
  return DIGEST_KINDS.filter((kind) => kind === 'sha256' || listed.has(kind))
}

const FormatSchema = v.object({ format: v.pipe(v.number(), v.integer()) })

/**
 * Reads the manifest.
 * @throws {ListMissingError} nothing has been published
 * @throws {OtherFormatError} it was published by a newer or an older hashgate
 * @throws {ValueDamagedError} it is no manifest
 */
export async function readManifest(store: StoreReader): Promise<Manifest> {
  const value = await store.get(MANIFEST_KEY)
  if (!value) throw new ListMissingError()
  return parseManifest(MANIFEST_KEY, value)
}

/** The manifest, if there is one: `readManifest` for callers that may be the first to publish. */
export async function readExistingManifest(store: StoreReader): Promise<Manifest | undefined> {
  try {
    return await readManifest(store)
  } catch (error) {
    if (error instanceof ListMissingError) return undefined
    throw error
  }
}

/**
 * Reads a manifest from the value of a key.
 * @throws {OtherFormatError | ValueDamagedError}
 */
export function parseManifest(key: string, value: Uint8Array): Manifest {
  const parsed = parseJson(value)
  if (parsed === undefined) throw new ValueDamagedError(key, 'is no JSON')
  if (v.is(FormatSchema, parsed) && parsed.format !== LIST_FORMAT) {
    throw new OtherFormatError(parsed.format, LIST_FORMAT)
  }
  const result = v.safeParse(ManifestSchema, parsed)
  if (result.success) return result.output
  const [issue] = result.issues
  // The issue's message would repeat what it read.
  throw new ValueDamagedError(key, `is not a manifest, at ${v.getDotPath(issue) ?? 'its root'}`)
}

export async function writeManifest(store: ListStore, manifest: Manifest): Promise<void> {
  await store.put(MANIFEST_KEY, manifestValue(manifest))
}

export function manifestValue(manifest: Manifest): Bytes {
  return utf8(JSON.stringify(manifest))
}
