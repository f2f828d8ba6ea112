import { bitsDiffering, HASH_BYTES, type Hash256 } from '../util/hash.ts'

/** Words of 16 bits in a hash. */
const WORDS = HASH_BYTES / 2
/**
 * Largest distance that the index answers for. Of 16 words, one at least differs in no more than one bit then: 16 words with two
 * bits each would be 32.
 */
export const MAX_NEAR = 31
/** What is laid over a word to look up all that differ from it in one bit, and the word itself. */
const FLIPS = Uint16Array.from({ length: 17 }, (_, i) => (i === 0 ? 0 : 1 << (i - 1)))

/** Hashes by each of their words, so that those near another are found without a look at all of them. */
export class NearIndex {
  readonly count: number
  readonly #hashes: Uint8Array
  /** By word: where the hashes with a value begin in the order, 65,537 places. */
  readonly #starts: Uint32Array[]
  /** By word: numbers of hashes in the order of its value. */
  readonly #orders: Uint32Array[]

  /** @param hashes 32 bytes each, one behind the other */
  constructor(hashes: Uint8Array) {
    this.#hashes = hashes
    this.count = Math.floor(hashes.length / HASH_BYTES)
    const words = Array.from({ length: WORDS }, (_, word) => this.#sorted(word))
    this.#starts = words.map(({ starts }) => starts)
    this.#orders = words.map(({ order }) => order)
  }

  /** Hamming distance of the nearest hash, in bits; `undefined` if none lies within MAX_NEAR. */
  nearest(hash: Hash256): number | undefined {
    let least = MAX_NEAR + 1
    for (let word = 0; word < WORDS; word++) {
      const value = valueAt(hash, 2 * word)
      for (const flip of FLIPS) least = this.#nearestIn(word, value ^ flip, hash, least)
    }
    return least <= MAX_NEAR ? least : undefined
  }

  #nearestIn(word: number, value: number, hash: Hash256, most: number): number {
    const [starts, order] = [this.#starts[word], this.#orders[word]]
    let least = most
    for (let at = starts?.[value] ?? 0; at < (starts?.[value + 1] ?? 0); at++) {
      const from = (order?.[at] ?? 0) * HASH_BYTES
      const other = this.#hashes.subarray(from, from + HASH_BYTES)
      least = Math.min(least, bitsDiffering(hash, other, 0, HASH_BYTES))
    }
    return least
  }

  /** Counts the values of a word, and places the hashes by them. */
  #sorted(word: number): { starts: Uint32Array; order: Uint32Array } {
    const starts = new Uint32Array(65_537)
    const at = (i: number) => valueAt(this.#hashes, i * HASH_BYTES + 2 * word)
    const add = (value: number, count: number) => {
      starts[value] = (starts[value] ?? 0) + count
    }
    for (let i = 0; i < this.count; i++) add(at(i) + 1, 1)
    for (let value = 0; value < 65_536; value++) add(value + 1, starts[value] ?? 0)
    const nexts = starts.slice()
    const order = new Uint32Array(this.count)
    for (let i = 0; i < this.count; i++) {
      const next = nexts[at(i)] ?? 0
      order[next] = i
      nexts[at(i)] = next + 1
    }
    return { starts, order }
  }
}

function valueAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
