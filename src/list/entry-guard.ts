import { type Hash256, onesIn } from '../util/hash.ts'
import { NearIndex } from './near-index.ts'

/** Rows or columns, of 16, that are the same in a hash that repeats itself. No photograph of the bench has this many. */
const MIN_EQUAL_LINES = 4
/** Likeness to itself from which a hash says too little about a picture. No whole photograph of the bench has this much. */
const MIN_LIKENESS = 22
/** Largest distances at which entries match whose hashes say too little, in bits. No guess meets them. */
const CAPS = { repeating: 8, plain: 16 }
/** Rows and columns by which a hash is moved to see whether it is like itself. */
const MAX_MOVE = 4
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
    const flaw = flawOf(hash)
    const cap = Math.min(crowded, flaw ? CAPS[flaw] : Infinity)
    if (cap === Infinity) return undefined
    return { cap, reason: flaw ?? 'crowded', ...(nearest !== undefined && { nearest }) }
  }
}

/** What a hash lacks by itself, whatever lies near it. */
function flawOf(hash: Hash256): keyof typeof CAPS | undefined {
  if (isRepeating(hash)) return 'repeating'
  return hasPlainHash(hash) ? 'plain' : undefined
}

/**
 * Why an entry matches only very near hashes. `repeating`: rows or columns of its hash are the same, as in weaves and flat
 * panels. `plain`: its hash is like itself moved by a row or more, as that of a smooth surface with an edge is. `crowded`:
 * everyday pictures that are on no list lie near it.
 */
export type CapReason = 'repeating' | 'plain' | 'crowded'

export interface EntryCap {
  /** Largest distance at which it matches, in bits, whatever its bank and the probe say. */
  cap: number
  reason: CapReason
  /** Bits to the nearest hash of the background, if one is near. */
  nearest?: number
}

/** Whether four or more rows of a hash's 16 x 16 bits are the same, or four or more columns. */
export function isRepeating(hash: Hash256): boolean {
  const rows = hashRows(hash)
  const columns = Array.from({ length: 16 }, (_, x) =>
    rows.reduce((column, row) => (column << 1) | ((row >> x) & 1), 0),
  )
  return [rows, columns].some((lines) => mostEqual(lines) >= MIN_EQUAL_LINES)
}

/**
 * Whether a hash has few bits that say something of their own, because the others follow from them. Those of two such
 * pictures may differ in few bits by chance.
 */
export function hasPlainHash(hash: Hash256): boolean {
  return selfLikeness(hash) >= MIN_LIKENESS
}

/**
 * How far a hash's 16 x 16 bits are from independent of those up to four rows and columns away: 1 by chance. For each of these
 * moves, the square of how many more pairs of bits are equal than unequal, by the number of pairs; the mean of all moves.
 */
export function selfLikeness(hash: Hash256): number {
  const rows = hashRows(hash)
  let [sum, moves] = [0, 0]
  for (let down = 0; down <= MAX_MOVE; down++) {
    for (let right = down === 0 ? 1 : -MAX_MOVE; right <= MAX_MOVE; right++) {
      const width = 16 - Math.abs(right)
      const [left, mask] = [Math.max(0, -right), (1 << width) - 1]
      let unequal = 0
      for (let y = 0; y + down < 16; y++) {
        const moved = (rows[y] ?? 0) >> Math.max(0, right)
        const differing = (moved ^ ((rows[y + down] ?? 0) >> left)) & mask
        unequal += onesIn(differing >> 8) + onesIn(differing & 0xff)
      }
      const pairs = width * (16 - down)
      sum += (pairs - 2 * unequal) ** 2 / pairs
      moves++
    }
  }
  return sum / moves
}

function hashRows(hash: Hash256): number[] {
  return Array.from({ length: 16 }, (_, y) => ((hash[2 * y] ?? 0) << 8) | (hash[2 * y + 1] ?? 0))
}

function mostEqual(lines: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1)
  return Math.max(...counts.values())
}
