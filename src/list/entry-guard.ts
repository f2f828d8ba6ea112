import type { Hash256 } from '../util/hash.ts'
import { NearIndex } from './near-index.ts'

/** Rows or columns, of 16, that are the same in a hash that repeats itself. No photograph of the bench has this many. */
const MIN_EQUAL_LINES = 4
/** Largest distance at which an entry that repeats itself matches, in bits. */
const REPEATING_CAP = 8
/** Smallest cap of a crowded entry, in bits, so that the same picture in another file is still found. */
const MIN_CAP = 4

/** Finds entries that would match unrelated pictures. */
export class EntryGuard {
  readonly #background: Uint8Array
  /** Made for the first entry, so that publishing nothing does not wait for it. */
  #index: NearIndex | undefined

  /** @param background needles of everyday pictures, 32 bytes each, concatenated */
  constructor(background: Uint8Array) {
    this.#background = background
  }

  /** The cap to lower an entry to; `undefined` if it needs none. */
  capOf(hash: Hash256): EntryCap | undefined {
    this.#index ??= new NearIndex(this.#background)
    const nearest = this.#index.nearest(hash)
    const crowded = nearest === undefined ? Infinity : Math.max(MIN_CAP, nearest - 1)
    const repeating = isRepeating(hash) ? REPEATING_CAP : Infinity
    const cap = Math.min(crowded, repeating)
    if (cap === Infinity) return undefined
    const reason = repeating < Infinity ? 'repeating' : 'crowded'
    return { cap, reason, ...(nearest !== undefined && { nearest }) }
  }
}

/**
 * Why an entry matches only very near hashes. `repeating`: rows or columns of its hash are the same, as in weaves and flat
 * panels. `crowded`: everyday pictures that are on no list lie near it.
 */
export type CapReason = 'repeating' | 'crowded'

export interface EntryCap {
  /** Largest distance at which it matches, in bits, whatever its bank and the probe say. */
  cap: number
  reason: CapReason
  /** Bits to the nearest hash of the background, if one is near. */
  nearest?: number
}

/** Whether four or more rows of a hash's 16 x 16 bits are the same, or four or more columns. */
export function isRepeating(hash: Hash256): boolean {
  const rows = Array.from(
    { length: 16 },
    (_, y) => ((hash[2 * y] ?? 0) << 8) | (hash[2 * y + 1] ?? 0),
  )
  const columns = Array.from({ length: 16 }, (_, x) =>
    rows.reduce((column, row) => (column << 1) | ((row >> x) & 1), 0),
  )
  return [rows, columns].some((lines) => mostEqual(lines) >= MIN_EQUAL_LINES)
}

function mostEqual(lines: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1)
  return Math.max(...counts.values())
}
