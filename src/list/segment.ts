import * as v from 'valibot'
import { HASH_BYTES } from '../core/hash.ts'
import type { Entry } from './entry.ts'
import { ValueDamagedError } from './errors.ts'
import type { SegmentRef } from './manifest.ts'
import { type Bytes, detailKey, getExisting, type ListStore, segmentKey } from './store.ts'

/** Most entries of a segment: 4 MiB of first halves, of which a reader holds three copies for a moment. */
export const MAX_SEGMENT_ENTRIES = 1 << 18

/** Entries of a detail block: one is read for a candidate. */
export const BLOCK_ENTRIES = 1024

/** Hashes of a group, and bytes of a half hash: assembly/match/scan.ts. */
const GROUP_HASHES = 16
const HALF_BYTES = HASH_BYTES / 2

// A segment's header: magic, number of entries (u32, little-endian), zeros.
const HEADER_BYTES = 16
const MAGIC = 'HGSEG001'

/** The values of a packed segment, by key. */
export interface PackedSegment {
  ref: SegmentRef
  values: Map<string, Bytes>
}

/** Packs up to MAX_SEGMENT_ENTRIES entries for a store. */
export async function packSegment(
  store: ListStore,
  entries: readonly Entry[],
): Promise<PackedSegment> {
  const segment = packFirstHalves(entries)
  const blocks: Bytes[] = []
  for (let first = 0; first < entries.length; first += BLOCK_ENTRIES) {
    blocks.push(packDetails(entries.slice(first, first + BLOCK_ENTRIES)))
  }
  const { name, values } = await nameValues(store, segment, blocks)
  return { ref: { name, count: entries.length }, values }
}

/** Names a segment and its detail blocks after the content of all of them: a change in one changes the names of all. */
export async function nameValues(
  store: ListStore,
  segment: Bytes,
  blocks: readonly Bytes[],
): Promise<{ name: string; values: Map<string, Bytes> }> {
  const names = await Promise.all([segment, ...blocks].map((value) => store.nameOf(value)))
  const name = await store.nameOf(new Uint8Array(new TextEncoder().encode(names.join('\n'))))
  const details = blocks.map((block, i): [string, Bytes] => [detailKey(name, i), block])
  return { name, values: new Map([[segmentKey(name), segment], ...details]) }
}

/** First halves of hashes in groups of 16, plane by plane, behind a header. */
function packFirstHalves(entries: readonly Entry[]): Bytes {
  const groups = Math.ceil(entries.length / GROUP_HASHES)
  const packed = new Uint8Array(HEADER_BYTES + groups * GROUP_HASHES * HALF_BYTES)
  packed.set(new TextEncoder().encode(MAGIC))
  new DataView(packed.buffer).setUint32(8, entries.length, true)
  entries.forEach(({ hash }, i) => {
    const group = HEADER_BYTES + (i - (i % GROUP_HASHES)) * HALF_BYTES
    for (let plane = 0; plane < HALF_BYTES; plane++) {
      packed[group + plane * GROUP_HASHES + (i % GROUP_HASHES)] = hash[plane] ?? 0
    }
  })
  return packed
}

/** The groups of a segment, as the scan kernel wants them. */
export interface SegmentGroups {
  count: number
  groups: Uint8Array
}

/**
 * Reads a segment. That it is the one that was published, the store has proved.
 * @throws {ValueMissingError} it is not there, perhaps not yet
 * @throws {ValueDamagedError} it is not what its name says
 */
export async function readSegment(store: ListStore, ref: SegmentRef): Promise<SegmentGroups> {
  const key = segmentKey(ref.name)
  const value = await getExisting(store, key)
  if (value.length < HEADER_BYTES) throw new ValueDamagedError(key, 'is no segment')
  const groups = value.subarray(HEADER_BYTES)
  const count = new DataView(value.buffer, value.byteOffset).getUint32(8, true)
  const size = Math.ceil(count / GROUP_HASHES) * GROUP_HASHES * HALF_BYTES
  if (count !== ref.count || groups.length !== size) {
    throw new ValueDamagedError(key, 'does not have the entries that the manifest names')
  }
  return { count, groups }
}

/** What a detail block has about an entry. */
export interface Detail {
  /** Bytes 16 to 31 of the hash. */
  secondHalf: Uint8Array
  id: string
  labels: Record<string, string>
}

const LabelsSchema = v.array(v.tuple([v.string(), v.record(v.string(), v.string())]))

/** A detail block: the second halves, then [id, labels] of each entry as JSON. */
function packDetails(entries: readonly Entry[]): Bytes {
  const json = new TextEncoder().encode(
    JSON.stringify(entries.map(({ id, labels }) => [id, labels])),
  )
  const block = new Uint8Array(entries.length * HALF_BYTES + json.length)
  entries.forEach(({ hash }, i) => block.set(hash.subarray(HALF_BYTES), i * HALF_BYTES))
  block.set(json, entries.length * HALF_BYTES)
  return block
}

/**
 * Reads a detail block.
 * @throws {ValueMissingError} it is not there
 * @throws {ValueDamagedError} it is not what was published
 */
export async function readDetails(
  store: ListStore,
  ref: SegmentRef,
  block: number,
): Promise<Detail[]> {
  const key = detailKey(ref.name, block)
  const value = await getExisting(store, key)
  const count = Math.min(BLOCK_ENTRIES, ref.count - block * BLOCK_ENTRIES)
  const text = new TextDecoder().decode(value.subarray(count * HALF_BYTES))
  let labels: unknown
  try {
    labels = JSON.parse(text)
  } catch (cause) {
    throw new ValueDamagedError(key, 'is no detail block', { cause })
  }
  if (!v.is(LabelsSchema, labels) || labels.length !== count) {
    throw new ValueDamagedError(key, 'does not have the entries that the manifest names')
  }
  return labels.map(([id, entryLabels], i) => ({
    secondHalf: value.subarray(i * HALF_BYTES, (i + 1) * HALF_BYTES),
    id,
    labels: entryLabels,
  }))
}
