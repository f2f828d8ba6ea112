import * as v from 'valibot'
import { parseHex, toHex, utf8 } from '../util/bytes.ts'
import { HALF_BYTES } from '../util/hash.ts'
import { parseJson } from '../util/json.ts'
import type { Entry } from './entry.ts'
import { ValueDamagedError } from './errors.ts'
import type { SegmentRef } from './manifest.ts'
import { BLOCK_ENTRIES } from './sizes.ts'
import { type Bytes, getExisting, otherEntries, type StoreReader } from './store.ts'

/** What a detail block has about an entry. */
export interface Detail {
  /** The bytes that the search did not compare: bytes 16 to 31 of a perceptual hash, all bytes of a digest. */
  rest: Uint8Array
  id: string
  labels: Record<string, string>
  /** Largest distance at which the entry matches, if it was lowered. */
  cap?: number
}

const RowSchema = v.tuple([
  v.string(),
  v.string(),
  v.record(v.string(), v.string()),
  v.optional(v.number()), // earlier readers ignore what follows the labels
])

/** A detail block: [rest as hexadecimal digits, id, labels, cap if there is one] of each entry, as JSON. */
export function packDetails(entries: readonly Entry[]): Bytes {
  const rows = entries.map(({ kind, hash, id, labels, cap }) => [
    toHex(kind === 'pdq' ? hash.subarray(HALF_BYTES) : hash),
    id,
    labels,
    ...(cap === undefined ? [] : [cap]),
  ])
  return utf8(JSON.stringify(rows))
}

export function blockOf(position: number): number {
  return Math.floor(position / BLOCK_ENTRIES)
}

function placeInBlock(position: number): number {
  return position % BLOCK_ENTRIES
}

/** The details of some entries. Each is parsed when it is asked for: a candidate needs one of a thousand. */
export class DetailBlock {
  readonly #key: string
  /** By their places in the block. */
  readonly #rows: ReadonlyMap<number, unknown>

  constructor(key: string, rows: ReadonlyMap<number, unknown>) {
    this.#key = key
    this.#rows = rows
  }

  /** The block with the details of some positions only: the others are released. */
  only(positions: Iterable<number>): DetailBlock {
    const places = new Set(Array.from(positions, placeInBlock))
    return new DetailBlock(this.#key, new Map([...this.#rows].filter(([at]) => places.has(at))))
  }

  /**
   * Details of the entry at a position of the segment, which lies in this block.
   * @throws {ValueDamagedError} the value holds no details
   */
  of(position: number): Detail {
    const row = v.safeParse(RowSchema, this.#rows.get(placeInBlock(position)))
    if (!row.success) throw new ValueDamagedError(this.#key, 'contains malformed details')
    const [hex, id, labels, cap] = row.output
    const rest = parseHex(hex, hex.length / 2)
    if (!rest) throw new ValueDamagedError(this.#key, 'has an invalid hash')
    return { rest, id, labels, ...(cap !== undefined && { cap }) }
  }

  /** @throws {ValueDamagedError} */
  all(): Detail[] {
    return Array.from(this.#rows.keys(), (at) => this.of(at))
  }
}

/**
 * Reads a detail block.
 * @throws {ValueMissingError} it is not there
 * @throws {ValueDamagedError} it is not what was published
 */
export async function readDetails(
  store: StoreReader,
  ref: SegmentRef,
  block: number,
): Promise<DetailBlock> {
  const key = `detail/${ref.name}/${block}`
  const value = await getExisting(store, key)
  const count = Math.min(BLOCK_ENTRIES, ref.count - block * BLOCK_ENTRIES)
  const rows = parseJson(value)
  if (rows === undefined) throw new ValueDamagedError(key, 'is no detail block')
  if (!Array.isArray(rows) || rows.length !== count) throw otherEntries(key)
  return new DetailBlock(key, new Map(rows.entries()))
}
