import * as v from 'valibot'
import {
  ListMissingError,
  ListTooLargeError,
  NewerFormatError,
  ValueDamagedError,
} from './errors.ts'
import { type ListStore, MANIFEST_KEY } from './store.ts'

/** Format of everything that is published. A reader refuses a newer one. */
export const LIST_FORMAT = 1

/** Largest distance that may be a threshold: within it, no match is missed by looking at half of a hash first. */
export const MAX_THRESHOLD = 128

/** Most entries of all banks together: 48 MiB in an isolate of 128 MB. */
export const MAX_LIST_ENTRIES = 3 << 20

const SegmentSchema = v.object({
  /** Its name in the store, which follows from its content. */
  name: v.pipe(v.string(), v.hexadecimal(), v.length(64)),
  /** Entries in it. */
  count: v.pipe(v.number(), v.integer(), v.minValue(1)),
})

const BankSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)),
  /** Largest Hamming distance that matches, inclusive. */
  threshold: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_THRESHOLD)),
  /** Smallest quality, 0 to 100, that a needle needs. */
  minQuality: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100)),
  segments: v.array(SegmentSchema),
})

const ManifestSchema = v.object({
  format: v.literal(LIST_FORMAT),
  /** Grows with each publication. */
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** When it was published, as ISO 8601. */
  publishedAt: v.pipe(v.string(), v.isoTimestamp()),
  banks: v.array(BankSchema),
})

/** A packed, immutable block of entries, by name. */
export type SegmentRef = v.InferOutput<typeof SegmentSchema>
/** A named set of entries under one policy. */
export type Bank = v.InferOutput<typeof BankSchema>
/** The small record that names all that is live. */
export type Manifest = v.InferOutput<typeof ManifestSchema>

/** Policy of a bank that is published for the first time. */
export const DEFAULT_BANK_POLICY = { threshold: 31, minQuality: 50 }

/** The manifest that follows another, or is the first. */
export function nextManifest(previous: Manifest | undefined, banks: readonly Bank[]): Manifest {
  return {
    format: LIST_FORMAT,
    version: (previous?.version ?? 0) + 1,
    publishedAt: new Date().toISOString(),
    banks: [...banks],
  }
}

/**
 * Sees that a list fits in an isolate.
 * @throws {ListTooLargeError}
 */
export function checkSize({ banks }: Manifest): void {
  const counts = banks.flatMap(({ segments }) => segments.map(({ count }) => count))
  const entries = counts.reduce((sum, count) => sum + count, 0)
  if (entries > MAX_LIST_ENTRIES) throw new ListTooLargeError(entries, MAX_LIST_ENTRIES)
}

const FormatSchema = v.object({ format: v.pipe(v.number(), v.integer()) })

/**
 * Reads the manifest.
 * @throws {ListMissingError} nothing has been published
 * @throws {NewerFormatError} it was published by a newer hashgate
 * @throws {ValueDamagedError} it is no manifest
 */
export async function readManifest(store: ListStore): Promise<Manifest> {
  const value = await store.get(MANIFEST_KEY)
  if (!value) throw new ListMissingError()
  const parsed = parseJson(value)
  if (v.is(FormatSchema, parsed) && parsed.format > LIST_FORMAT) {
    throw new NewerFormatError(parsed.format, LIST_FORMAT)
  }
  const result = v.safeParse(ManifestSchema, parsed)
  if (result.success) return result.output
  const [issue] = result.issues
  throw new ValueDamagedError(
    MANIFEST_KEY,
    `is no manifest: ${v.getDotPath(issue) ?? 'value'}: ${issue.message}`,
  )
}

export async function writeManifest(store: ListStore, manifest: Manifest): Promise<void> {
  const text = new TextEncoder().encode(JSON.stringify(manifest))
  await store.put(MANIFEST_KEY, new Uint8Array(text))
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value))
  } catch (cause) {
    throw new ValueDamagedError(MANIFEST_KEY, 'is no JSON', { cause })
  }
}
