import { HASH_BYTES, type Hash256 } from './hash.ts'

/** Exports of assembly/match.ts. */
interface MatchExports {
  memory: WebAssembly.Memory
  reserve(bytes: number): number
  scan(
    haystack: number,
    count: number,
    needle: number,
    threshold: number,
    results: number,
    capacity: number,
  ): number
}

/** Results that one scan can report. */
const CAPACITY = 4096

/** A hash near a needle, by its first half. */
export interface HalfMatch {
  position: number
  /** Bits, 0 to 128, in which the first halves differ. */
  distance: number
}

/** Packed half-hashes in the memory of a WebAssembly instance. */
export class Haystack {
  readonly count: number
  readonly #core: MatchExports
  readonly #groups: number
  readonly #needle: number
  readonly #results: number

  /** Copies `count` hashes, packed as a segment has them (assembly/match/scan.ts). */
  constructor(module: WebAssembly.Module, groups: Uint8Array, count: number) {
    this.#core = new WebAssembly.Instance(module, {}).exports as unknown as MatchExports
    this.count = count
    this.#groups = this.#reserve(groups.length)
    this.#needle = this.#reserve(HASH_BYTES)
    this.#results = this.#reserve(CAPACITY * 4)
    new Uint8Array(this.#core.memory.buffer).set(groups, this.#groups)
  }

  /** Bytes of memory that the haystack takes. */
  get memoryBytes(): number {
    return this.#core.memory.buffer.byteLength
  }

  /**
   * The hashes whose first half lies within `threshold` of the needle's, by position: all that lie within it whole, and
   * rarely others. `isComplete` is false if there are more than are told.
   */
  scan(needle: Hash256, threshold: number): { near: HalfMatch[]; isComplete: boolean } {
    const core = this.#core
    new Uint8Array(core.memory.buffer).set(needle, this.#needle)
    const found = core.scan(
      this.#groups,
      this.count,
      this.#needle,
      threshold,
      this.#results,
      CAPACITY,
    )
    const told = Math.min(found, CAPACITY)
    const results = new Uint32Array(core.memory.buffer, this.#results, told)
    const near = Array.from(results, (result) => ({
      position: result & 0xffffff,
      distance: result >>> 24,
    }))
    return { near, isComplete: told === found }
  }

  #reserve(bytes: number): number {
    const address = this.#core.reserve(bytes)
    if (address === 0) throw new RangeError(`no memory for ${bytes} bytes of hashes`)
    return address
  }
}
