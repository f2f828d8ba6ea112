import { ValueDamagedError } from './errors.ts'
import type { SegmentRef } from './manifest.ts'
import { type Bytes, getExisting, type StoreReader } from './store.ts'

/** Positions of a segment whose entries were removed after it was written. */
export class Removals {
  readonly count: number
  readonly #bits: Uint8Array

  /** @param size entries of the segment */
  constructor(positions: Iterable<number>, size: number) {
    this.#bits = new Uint8Array(Math.ceil(size / 8))
    let count = 0
    for (const position of positions) {
      count++
      this.#bits[position >> 3] = (this.#bits[position >> 3] ?? 0) | (1 << (position & 7))
    }
    this.count = count
  }

  get memoryBytes(): number {
    return this.#bits.byteLength
  }

  has(position: number): boolean {
    return (((this.#bits[position >> 3] ?? 0) >> (position & 7)) & 1) === 1
  }
}

/** Positions as a value: u32 each, ascending. */
export function packRemovals(positions: readonly number[]): Bytes {
  const sorted = Uint32Array.from(positions).toSorted()
  return new Uint8Array(sorted.buffer)
}

export function removalsKey(name: string): string {
  return `removed/${name}`
}

/**
 * Positions that were removed from a segment.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readRemovals(store: StoreReader, ref: SegmentRef): Promise<Uint32Array> {
  if (!ref.removed) return new Uint32Array(0)
  const key = removalsKey(ref.removed.name)
  const value = await getExisting(store, key)
  if (value.length !== ref.removed.count * 4) {
    throw new ValueDamagedError(key, 'does not have the removals that the manifest names')
  }
  const positions = new Uint32Array(value.buffer, value.byteOffset, ref.removed.count)
  const isInside = positions.every(
    (position, i) => position < ref.count && (i === 0 || position > (positions[i - 1] ?? 0)),
  )
  if (!isInside) throw new ValueDamagedError(key, 'removes entries that the segment does not have')
  return positions
}
