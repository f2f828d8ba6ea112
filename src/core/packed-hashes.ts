import { concatenate } from '../util/bytes.ts'
import { HASH_BYTES, type Hash256 } from '../util/hash.ts'
import { sureDistance } from './haystack.ts'

const WORDS = HASH_BYTES / 4

/** Hashes packed as 32-bit words and compared one by one: exact at any distance. */
export class PackedHashes {
  readonly count: number
  readonly #words: Uint32Array // count x 8

  /** @param hashes one array each, or all of them concatenated */
  constructor(hashes: readonly Hash256[] | Uint8Array) {
    const bytes = hashes instanceof Uint8Array ? hashes : concatenate(hashes)
    this.#words = wordsOf(bytes)
    this.count = bytes.length / HASH_BYTES
  }

  /** Distances from a needle to all, in bits, as a list counts them. */
  distancesTo(needle: Compared): Uint16Array {
    const distance = this.#distanceFrom(needle)
    const distances = new Uint16Array(this.count)
    for (let i = 0; i < this.count; i++) distances[i] = distance(i, Infinity)
    return distances
  }

  /** Distance from a needle to the nearest, in bits, if it is at most `most`. */
  leastDistanceTo(needle: Compared, most: number): number | undefined {
    const distance = this.#distanceFrom(needle)
    let least = most + 1
    for (let i = 0; i < this.count && least > 0; i++) least = Math.min(least, distance(i, least))
    return least <= most ? least : undefined
  }

  #distanceFrom({ hash, sure }: Compared): (index: number, enough: number) => number {
    const words = wordsOf(hash)
    if (!sure) return (index, enough) => this.#distance(words, index, enough)
    const bytes = new Uint8Array(this.#words.buffer)
    return (index) =>
      sureDistance(hash, sure, bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES))
  }

  /**
   * Hamming distance from a hash to the nearest of some, in bits, or `most` if none is nearer.
   * @param words of the hash, as `wordsOf` gives them
   * @param numbers of the hashes to compare with, from `first` to before `end`
   */
  leastAmong(
    words: Uint32Array,
    numbers: Uint32Array,
    first: number,
    end: number,
    most: number,
  ): number {
    let least = most
    for (let at = first; at < end; at++) {
      least = Math.min(least, this.#distance(words, numbers[at] ?? 0, least))
    }
    return least
  }

  /** Stops counting at `enough` bits: most hashes are farther away than any caller needs to know. */
  #distance(words: Uint32Array, index: number, enough: number): number {
    let bits = 0
    for (let i = 0; i < WORDS && bits < enough; i++) {
      let word = (words[i] ?? 0) ^ (this.#words[index * WORDS + i] ?? 0)
      word -= (word >>> 1) & 0x55555555
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
      bits += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
    }
    return bits
  }
}

/** What is compared with hashes: see `Needle`. */
interface Compared {
  hash: Hash256
  sure?: Hash256
}

/** Hashes as 32-bit words, as they are compared. */
export function wordsOf(hashes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(hashes).buffer)
}
