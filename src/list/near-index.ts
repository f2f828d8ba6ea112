import { PackedHashes, wordsOf } from '../core/packed-hashes.ts'
import { HASH_BYTES, type Hash256 } from '../util/hash.ts'

/** Words of 16 bits in a hash. */
const WORDS = HASH_BYTES / 2
/**
 * Largest distance that the index answers for. At least one of 16 words then differs in no more than one bit: 16 words with two
 * bits each would be 32.
 */
const MAX_NEAR = 31
/** Masks that turn a word into itself and every word that differs from it in one bit. */
const FLIPS = Uint16Array.from({ length: 17 }, (_, i) => (i === 0 ? 0 : 1 << (i - 1)))

/** Hashes by each of their words, so that those near another are found without scanning all of them. */
export class NearIndex {
  readonly count: number
  readonly #hashes: PackedHashes
  /** By word: where the hashes with a value begin in the order, 65,537 places. */
  readonly #starts: Uint32Array[]
  /** By word: numbers of hashes in the order of its value. */
  readonly #orders: Uint32Array[]

  /** @param hashes 32 bytes each, concatenated */
  constructor(hashes: Uint8Array) {
    this.#hashes = new PackedHashes(hashes)
    this.count = this.#hashes.count
    const words = Array.from({ length: WORDS }, (_, word) => this.#sorted(hashes, word))
    this.#starts = words.map(({ starts }) => starts)
    this.#orders = words.map(({ order }) => order)
  }

  /** Hamming distance of the nearest hash, in bits; `undefined` if none lies within MAX_NEAR. */
  nearest(hash: Hash256): number | undefined {
    const words = wordsOf(hash)
    let least = MAX_NEAR + 1
    for (const [word, order] of this.#orders.entries()) {
      const starts = this.#starts[word]
      const value = valueAt(hash, 2 * word)
      for (const flip of FLIPS) {
        const [first = 0, end = 0] = [starts?.[value ^ flip], starts?.[(value ^ flip) + 1]]
        least = this.#hashes.leastAmong(words, order, first, end, least)
      }
    }
    return least <= MAX_NEAR ? least : undefined
  }

  /** Counts the values of a word, and places the hashes by them. */
  #sorted(hashes: Uint8Array, word: number): { starts: Uint32Array; order: Uint32Array } {
    const starts = new Uint32Array(65_537)
    const at = (i: number) => valueAt(hashes, i * HASH_BYTES + 2 * word)
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
