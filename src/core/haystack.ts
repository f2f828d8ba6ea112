import { HALF_BYTES, HASH_BYTES, type Hash256, onesIn } from '../util/hash.ts'

// assembly/match/groups.ts and table.ts
/** Hashes of a group. */
export const GROUP_HASHES = 16
/** Bytes of a group's first 12 planes, and of the other four. */
export const HEAD_BYTES = 192
export const REST_BYTES = 64
/** Slots of a table: 23 bits of the hash each. */
export const SLOTS = 11
const SLOT_BITS = 23
/** Slots that lie entirely in the first half of a hash. */
export const FIRST_SLOTS = 5
/** Bytes of a slot's value. */
export const VALUE_BYTES = 3
/** Most buckets that a slot is sorted by. */
const MAX_BUCKETS = 1 << 11
/** Lower bound for the cost limit of a needle. For random hashes, a table of any size costs less. */
const MIN_LOOKED = 4096
/** Hashes that are processed at once while a table is built: a few milliseconds. */
const SLICE = 1 << 16

/** Results that one search can report. */
const CAPACITY = 8192
/** Words of a result: the position; the distance, and 16 bits higher the number of the needle. */
const RESULT_WORDS = 2
/** Most needles that the kernels take at once. */
const MAX_NEEDLES = 64

/** Packed half-hashes in the memory of a WebAssembly instance: groups at first; rows and a table once one is built. */
export class Haystack {
  readonly count: number
  #instance: MatchExports | undefined
  readonly #needles: number
  readonly #thresholds: number
  readonly #results: number
  readonly #heads: number
  readonly #rests: number
  #form: 'groups' | 'table' = 'groups'
  #table = 0
  #candidates = 0
  /** How many the last search found, reported or not. */
  #found = 0

  /**
   * Makes room for `count` hashes. `fill` then copies them in.
   * @param used a haystack whose memory this one takes over. The old one throws if it is used afterwards
   */
  constructor(module: WebAssembly.Module, count: number, used?: Haystack) {
    this.#instance = used ? used.#giveAway() : instantiate(module)
    this.#core.reset()
    this.count = count
    const { heads, rests } = groupBytes(count)
    this.#needles = this.#reserve(MAX_NEEDLES * HASH_BYTES)
    this.#thresholds = this.#reserve(MAX_NEEDLES)
    this.#results = this.#reserve(CAPACITY * RESULT_WORDS * 4)
    this.#heads = this.#reserve(heads)
    this.#rests = this.#reserve(rests)
  }

  get #core(): MatchExports {
    if (!this.#instance) throw new Error('the memory of this haystack was given away')
    return this.#instance
  }

  #giveAway(): MatchExports {
    const core = this.#core
    this.#instance = undefined
    return core
  }

  get memoryBytes(): number {
    return this.#core.memory.buffer.byteLength
  }

  get hasTable(): boolean {
    return this.#form === 'table'
  }

  /** Copies hashes, packed as a segment has them (assembly/match/groups.ts), starting at `group`. */
  fill(group: number, heads: Uint8Array, rests: Uint8Array): void {
    const memory = new Uint8Array(this.#core.memory.buffer)
    memory.set(heads, this.#heads + group * HEAD_BYTES)
    memory.set(rests, this.#rests + group * REST_BYTES)
  }

  /** The first half of a hash. */
  firstHalf(position: number): Uint8Array {
    const memory = new Uint8Array(this.#core.memory.buffer)
    if (this.#form !== 'groups') {
      const at = this.#heads + position * HALF_BYTES
      return memory.slice(at, at + HALF_BYTES)
    }
    const group = Math.floor(position / GROUP_HASHES)
    const lane = position % GROUP_HASHES
    const planes = HEAD_BYTES / GROUP_HASHES
    return Uint8Array.from({ length: HALF_BYTES }, (_, plane) => {
      const inHeads = this.#heads + group * HEAD_BYTES + plane * GROUP_HASHES
      const inRests = this.#rests + group * REST_BYTES + (plane - planes) * GROUP_HASHES
      return memory[(plane < planes ? inHeads : inRests) + lane] ?? 0
    })
  }

  /**
   * The hashes whose first half is within the threshold of a needle's: every match, and rarely others.
   */
  search(needles: readonly Sought[]): SearchResult {
    const parts: SearchResult[] = []
    for (let first = 0; first < needles.length; first += MAX_NEEDLES) {
      parts.push(this.#searchPart(needles.slice(first, first + MAX_NEEDLES), first))
    }
    return together(parts)
  }

  #searchPart(needles: readonly Sought[], first: number): SearchResult {
    const found = this.#run(needles, first)
    const [only] = needles
    if (found.isComplete || !only) return found
    if (needles.length === 1) return this.#nearestOf(found, only, first)
    // One needle after another, until there are enough results.
    const near: NearHash[] = []
    for (const [i, needle] of needles.entries()) {
      near.push(...this.#searchPart([needle], first + i).near)
      if (near.length >= CAPACITY) break
    }
    return { near, isComplete: false }
  }

  /** For one needle with too many results: those reported, and the nearest, by a threshold that about half the capacity meets. */
  #nearestOf({ near }: SearchResult, { hash, threshold }: Sought, first: number): SearchResult {
    const distances = near.map(({ distance }) => distance).toSorted((a, b) => a - b)
    const share = CAPACITY / 2 / this.#found
    const cut = Math.min(distances[Math.floor(distances.length * share)] ?? 0, threshold)
    if (cut === 0) return { near, isComplete: false }
    const nearest = this.#run([{ hash, threshold: cut - 1 }], first)
    return { near: unique([...nearest.near, ...near]), isComplete: false }
  }

  #run(needles: readonly Sought[], first: number): SearchResult {
    const found = this.#form === 'groups' ? this.#scanGroups(needles) : this.#searchRows(needles)
    this.#found = found
    const reported = Math.min(found, CAPACITY)
    return { near: this.#readResults(reported, first), isComplete: reported === found }
  }

  /** What a kernel reported, each hash once per needle. Several slots of a table may find the same hash. */
  #readResults(reported: number, first: number): NearHash[] {
    const words = new Uint32Array(this.#core.memory.buffer, this.#results, reported * RESULT_WORDS)
    const known = new Set<number>()
    const near: NearHash[] = []
    for (let i = 0; i < words.length; i += RESULT_WORDS) {
      const [position = 0, other = 0] = [words[i], words[i + 1]]
      const needle = other >>> 16
      const key = needle * 2 ** 32 + position
      if (known.has(key)) continue
      known.add(key)
      near.push({ needle: first + needle, position, distance: other & 0xffff })
    }
    return near
  }

  /** Copies thresholds in, and the first `bytes` of each hash. */
  #setNeedles(needles: readonly Sought[], bytes: number): void {
    const memory = new Uint8Array(this.#core.memory.buffer)
    for (const [i, { hash, threshold }] of needles.entries()) {
      memory.set(hash.subarray(0, bytes), this.#needles + i * bytes)
      memory[this.#thresholds + i] = threshold
    }
  }

  #scanGroups(needles: readonly Sought[]): number {
    this.#setNeedles(needles, HALF_BYTES)
    return this.#core.scan(
      this.#heads,
      this.#rests,
      this.count,
      this.#needles,
      this.#thresholds,
      needles.length,
      this.#results,
      CAPACITY,
    )
  }

  #searchRows(needles: readonly Sought[]): number {
    this.#setNeedles(needles, HASH_BYTES)
    const found = this.#core.lookUp(
      this.#table,
      this.#heads,
      this.count,
      this.#needles,
      this.#thresholds,
      needles.length,
      this.#maxLooked,
      this.#candidates,
      this.#results,
      CAPACITY,
    )
    return this.#core.scanRows(
      this.#heads,
      this.count,
      this.#needles,
      this.#thresholds,
      needles.length,
      this.#results,
      CAPACITY,
      found,
    )
  }

  /** Makes room for a table. Searches keep scanning until `endTable`. */
  beginTable(): void {
    if (this.#table !== 0) return // begun before, but not ended
    this.#table = this.#reserve(this.#slotBytes * SLOTS)
    this.#candidates = this.#reserve(this.#maxLooked * 4)
  }

  /**
   * Values of a slot of the first half, VALUE_BYTES for each hash, while the table is built. They use the place of slot 0.
   */
  slotValues(slot: number): Uint8Array {
    this.#core.slotValues(this.#heads, this.#rests, this.count, slot, this.#table)
    return new Uint8Array(this.#core.memory.buffer, this.#table, this.count * VALUE_BYTES)
  }

  /** Stores a slot of the table, sorted (SlotSorter): any but slot 0. */
  setSlot(slot: number, sorted: Uint8Array): void {
    const memory = new Uint8Array(this.#core.memory.buffer)
    memory.set(sorted, this.#table + slot * this.#slotBytes)
  }

  /**
   * Stores slot 0, whose place has served as scratch so far, and turns groups into rows. Call it when all other slots are
   * set. Searches use the table from now on.
   */
  endTable(sorted: Uint8Array): void {
    this.#core.toRows(this.#heads, this.count, this.#table)
    this.setSlot(0, sorted)
    this.#form = 'table'
  }

  /** Most hashes that a needle is compared with through the table. Scanning all is as fast as a few times as many. */
  get #maxLooked(): number {
    return Math.max(MIN_LOOKED, Math.ceil(this.count / 32))
  }

  get #slotBytes(): number {
    return this.#core.slotBytes(this.count)
  }

  #reserve(bytes: number): number {
    return reserve(this.#core, bytes)
  }
}

/** Exports of assembly/match.ts. Addresses and sizes are bytes. */
interface MatchExports {
  memory: WebAssembly.Memory
  reserve(bytes: number): number
  reset(): void
  scan(
    heads: number,
    rests: number,
    count: number,
    needles: number,
    thresholds: number,
    needleCount: number,
    results: number,
    capacity: number,
  ): number
  toRows(heads: number, count: number, scratch: number): void
  scanRows(
    rows: number,
    count: number,
    needles: number,
    thresholds: number,
    needleCount: number,
    results: number,
    capacity: number,
    found: number,
  ): number
  slotBytes(count: number): number
  slotValues(heads: number, rests: number, count: number, slot: number, out: number): void
  placesAt(count: number): number
  countBuckets(slot: number, count: number, first: number, end: number, ends: number): void
  fillBuckets(
    slot: number,
    count: number,
    first: number,
    end: number,
    ends: number,
    buckets: number,
  ): void
  sortBuckets(slot: number, count: number, first: number, ends: number, buckets: number): number
  lookUp(
    table: number,
    rows: number,
    count: number,
    needles: number,
    thresholds: number,
    needleCount: number,
    maxLooked: number,
    candidates: number,
    results: number,
    capacity: number,
  ): number
}

/** A needle, and the largest distance at which it matches, in bits: 0 to 128. */
export interface Sought {
  hash: Hash256
  threshold: number
}

/** A hash near a needle, by its first half. */
export interface NearHash {
  /** Index of the needle in the query. */
  needle: number
  position: number
  /** Bits, 0 to 128, in which the first halves differ. */
  distance: number
}

/** What a search found. `isComplete` is false if not everything is reported. The nearest are always reported. */
export interface SearchResult {
  near: NearHash[]
  isComplete: boolean
}

/** Bytes that `count` hashes take in groups, heads and rests. */
export function groupBytes(count: number): { heads: number; rests: number } {
  const groups = Math.ceil(count / GROUP_HASHES)
  return { heads: groups * HEAD_BYTES, rests: groups * REST_BYTES }
}

/** A slot's value in a hash: bits from 23 x slot on, bytes in order, lowest bits first. */
export function slotValueOf(hash: Hash256, slot: number): number {
  const bit = slot * SLOT_BITS
  let word = 0
  for (let i = 3; i >= 0; i--) word = (word << 8) | (hash[(bit >> 3) + i] ?? 0)
  return (word >>> (bit & 7)) & ((1 << SLOT_BITS) - 1)
}

/**
 * Distance of an entry from a needle of which only half of the bits are sure: twice the number of
 * sure bits that differ. A search finds an entry by its first half and by its nearest slot, so the
 * distance is at least what these need: a table and a scan then find the same.
 */
export function sureDistance(hash: Hash256, sure: Hash256, entry: Hash256): number {
  let [surely, inFirstHalf, all] = [0, 0, 0]
  for (let i = 0; i < HASH_BYTES; i++) {
    if (i === HALF_BYTES) inFirstHalf = all
    const differing = (hash[i] ?? 0) ^ (entry[i] ?? 0)
    surely += onesIn(differing & (sure[i] ?? 0))
    all += onesIn(differing)
  }
  const least = Math.max(2 * surely, inFirstHalf)
  // A table misses nothing within its threshold, so it needs no more than all bits that differ.
  return least >= all ? least : Math.max(least, thresholdToReach(hash, entry))
}

/** Smallest threshold at which a table compares an entry with a needle (radiusOf in assembly/match/table.ts). */
function thresholdToReach(hash: Hash256, entry: Hash256): number {
  let least = Infinity
  for (let slot = 0; slot < SLOTS; slot++) {
    const differing = slotValueOf(hash, slot) ^ slotValueOf(entry, slot)
    const bits =
      onesIn(differing & 0xff) + onesIn((differing >> 8) & 0xff) + onesIn(differing >> 16)
    least = Math.min(least, SLOTS * bits + slot)
  }
  return least
}

/** Sorts the slots of tables in an instance of its own, so that its memory is freed with it. */
export class SlotSorter {
  readonly #core: MatchExports
  readonly #slot: number
  readonly #ends: number
  readonly #buckets: number

  /** @param maxCount most values of a slot */
  constructor(module: WebAssembly.Module, maxCount: number) {
    this.#core = instantiate(module)
    this.#slot = reserve(this.#core, this.#core.slotBytes(maxCount))
    this.#ends = reserve(this.#core, MAX_BUCKETS * 4)
    this.#buckets = reserve(this.#core, maxCount * 4)
  }

  get memoryBytes(): number {
    return this.#core.memory.buffer.byteLength
  }

  /**
   * Sorts the values of a slot, VALUE_BYTES each, in slices of a few milliseconds, and yields between them. Returns the slot
   * in the table's layout, valid until the next call.
   */
  *sortSlot(values: Uint8Array): Generator<undefined, Uint8Array> {
    const core = this.#core
    const count = values.length / VALUE_BYTES
    new Uint8Array(core.memory.buffer).set(values, this.#slot + core.placesAt(count))
    for (let first = 0; first < count; first += SLICE) {
      core.countBuckets(this.#slot, count, first, Math.min(first + SLICE, count), this.#ends)
      yield undefined
    }
    for (let first = 0; first < count; first += SLICE) {
      const end = Math.min(first + SLICE, count)
      core.fillBuckets(this.#slot, count, first, end, this.#ends, this.#buckets)
      yield undefined
    }
    let bucket = 0
    do {
      bucket = core.sortBuckets(this.#slot, count, bucket, this.#ends, this.#buckets)
      yield undefined
    } while (bucket > 0)
    return new Uint8Array(core.memory.buffer, this.#slot, core.slotBytes(count))
  }
}

function instantiate(module: WebAssembly.Module): MatchExports {
  return new WebAssembly.Instance(module, {}).exports as unknown as MatchExports
}

function reserve(core: MatchExports, bytes: number): number {
  const address = core.reserve(bytes)
  if (address === 0) throw new RangeError(`no memory for ${bytes} bytes of hashes`)
  return address
}

function together(parts: readonly SearchResult[]): SearchResult {
  return {
    near: parts.flatMap(({ near }) => near),
    isComplete: parts.every(({ isComplete }) => isComplete),
  }
}

/** Each needle and position once. */
function unique(near: readonly NearHash[]): NearHash[] {
  const byPlace = new Map(near.map((hash) => [hash.needle * 2 ** 32 + hash.position, hash]))
  return [...byPlace.values()]
}
