import * as v from 'valibot'
import { parseHex, toHex } from '../core/bytes.ts'
import { HALF_BYTES } from '../core/hash.ts'
import type { Entry } from './entry.ts'
import { ValueDamagedError } from './errors.ts'
import type { SegmentRef } from './manifest.ts'
import { BLOCK_ENTRIES } from './sizes.ts'
import { type Bytes, getExisting, type ListStore } from './store.ts'

/** What a detail block has about an entry. */
export interface Detail {
  /** What the search did not look at: bytes 16 to 31 of a perceptual hash, all bytes of a digest. */
  rest: Uint8Array
  id: string
  labels: Record<string, string>
}

const BlockSchema = v.array(
  v.tuple([v.pipe(v.string(), v.hexadecimal()), v.string(), v.record(v.string(), v.string())]),
)

/** A detail block: [rest as hexadecimal digits, id, labels] of each entry, as JSON. */
export function packDetails(entries: readonly Entry[]): Bytes {
  const rows = entries.map(({ kind, hash, id, labels }) => [
    toHex(kind === 'pdq' ? hash.subarray(HALF_BYTES) : hash),
    id,
    labels,
  ])
  return new Uint8Array(new TextEncoder().encode(JSON.stringify(rows)))
}

/** Number of the block that has the details of a position. */
export function blockOf(position: number): number {
  return Math.floor(position / BLOCK_ENTRIES)
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
  const key = `detail/${ref.name}/${block}`
  const value = await getExisting(store, key)
  const count = Math.min(BLOCK_ENTRIES, ref.count - block * BLOCK_ENTRIES)
  let rows: unknown
  try {
    rows = JSON.parse(new TextDecoder().decode(value))
  } catch {
    // What JSON.parse says repeats what it read.
    throw new ValueDamagedError(key, 'is no detail block')
  }
  if (!v.is(BlockSchema, rows) || rows.length !== count) {
    throw new ValueDamagedError(key, 'does not have the entries that the manifest names')
  }
  return rows.map(([hex, id, labels]) => {
    const rest = parseHex(hex, hex.length / 2)
    if (!rest) throw new ValueDamagedError(key, 'has a hash that is none')
    return { rest, id, labels }
  })
}
