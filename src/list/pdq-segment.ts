import {
  FIRST_SLOTS,
  GROUP_HASHES,
  groupBytes,
  HEAD_BYTES,
  REST_BYTES,
  SLOTS,
  slotValueOf,
  VALUE_BYTES,
} from '../core/haystack.ts'
import { concatenate } from '../util/bytes.ts'
import { HALF_BYTES, type Hash256 } from '../util/hash.ts'
import type { Entry } from './entry.ts'
import type { SegmentRef } from './manifest.ts'
import { PART_ENTRIES } from './sizes.ts'
import { type Bytes, getForEntries, type StoreReader } from './store.ts'

/** Planes of a group that are heads. */
const HEAD_PLANES = HEAD_BYTES / GROUP_HASHES

/** Packs first halves into groups; the last is filled with zeros. */
export function packGroups(hashes: readonly Hash256[]): Groups {
  const sizes = groupBytes(hashes.length)
  const heads = new Uint8Array(sizes.heads)
  const rests = new Uint8Array(sizes.rests)
  hashes.forEach((hash, i) => {
    const group = Math.floor(i / GROUP_HASHES)
    const lane = i % GROUP_HASHES
    for (let plane = 0; plane < HEAD_PLANES; plane++) {
      heads[group * HEAD_BYTES + plane * GROUP_HASHES + lane] = hash[plane] ?? 0
    }
    for (let plane = HEAD_PLANES; plane < HALF_BYTES; plane++) {
      const at = group * REST_BYTES + (plane - HEAD_PLANES) * GROUP_HASHES + lane
      rests[at] = hash[plane] ?? 0
    }
  })
  return { heads, rests }
}

/** First halves of hashes in groups (assembly/match/groups.ts). */
export interface Groups {
  heads: Uint8Array
  rests: Uint8Array
}

/** The parts of a segment: groups of up to PART_ENTRIES hashes each, heads before rests. */
export function packParts(entries: readonly Entry[]): Bytes[] {
  const parts: Bytes[] = []
  for (let first = 0; first < entries.length; first += PART_ENTRIES) {
    const hashes = entries.slice(first, first + PART_ENTRIES).map(({ hash }) => hash)
    const { heads, rests } = packGroups(hashes)
    parts.push(concatenate([heads, rests]))
  }
  return parts
}

export function partsOf({ count }: SegmentRef): number[] {
  return Array.from({ length: Math.ceil(count / PART_ENTRIES) }, (_, part) => part)
}

/**
 * Reads a part of a segment. The store has proved that it is the published one.
 * @throws {ValueMissingError} it is not there, perhaps not yet
 * @throws {ValueDamagedError} its content does not match its name
 */
export async function readPart(store: StoreReader, ref: SegmentRef, part: number): Promise<Groups> {
  const key = `segment/${ref.name}/${part}`
  const { heads, rests } = groupBytes(Math.min(PART_ENTRIES, ref.count - part * PART_ENTRIES))
  const value = await getForEntries(store, key, heads + rests)
  return { heads: value.subarray(0, heads), rests: value.subarray(heads) }
}

/**
 * First halves of all hashes of a segment.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readFirstHalves(store: StoreReader, ref: SegmentRef): Promise<Uint8Array[]> {
  const halves: Uint8Array[] = []
  for (const part of partsOf(ref)) {
    const groups = await readPart(store, ref, part)
    const count = Math.min(PART_ENTRIES, ref.count - part * PART_ENTRIES)
    for (let i = 0; i < count; i++) halves.push(unpackHash(groups, i))
  }
  return halves
}

function unpackHash({ heads, rests }: Groups, position: number): Uint8Array {
  const group = Math.floor(position / GROUP_HASHES)
  const lane = position % GROUP_HASHES
  return Uint8Array.from({ length: HALF_BYTES }, (_, plane) => {
    if (plane < HEAD_PLANES) return heads[group * HEAD_BYTES + plane * GROUP_HASHES + lane] ?? 0
    return rests[group * REST_BYTES + (plane - HEAD_PLANES) * GROUP_HASHES + lane] ?? 0
  })
}

/** Tails of a segment: one for each slot of a table that does not lie in first halves alone. */
export const TAILS = SLOTS - FIRST_SLOTS

/** The tails of a segment: a slot's values of all entries, VALUE_BYTES each. */
export function packTails(entries: readonly Entry[]): Bytes[] {
  return Array.from({ length: TAILS }, (_, tail) => {
    const values = new Uint8Array(entries.length * VALUE_BYTES)
    entries.forEach(({ hash }, i) => {
      const value = slotValueOf(hash, FIRST_SLOTS + tail)
      for (let byte = 0; byte < VALUE_BYTES; byte++) {
        values[i * VALUE_BYTES + byte] = value >> (8 * byte)
      }
    })
    return values
  })
}

/**
 * Reads the values of a slot, FIRST_SLOTS or later, of all entries.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readTail(store: StoreReader, ref: SegmentRef, slot: number): Promise<Bytes> {
  return getForEntries(store, `tail/${ref.name}/${slot - FIRST_SLOTS}`, ref.count * VALUE_BYTES)
}
