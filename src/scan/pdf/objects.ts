import type { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { bufferOf } from '../../util/buffer.ts'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { BYTE_MS, PARSED_BYTE_MS } from '../work.ts'
import { type Decryption, type ObjectId, openEncryption } from './encryption.ts'
import { type Dict, Ref, type Value, ValueReader } from './syntax.ts'

/** Maximum objects read. A book has tens of thousands. */
const MAX_OBJECTS = 65_536
/** Maximum bytes of an object before its stream. */
const MAX_OBJECT_BYTES = 64 * 1024
/**
 * How often each byte may be read: honest objects do not overlap, and are read once to find them
 * and once to use them.
 */
const READS = 8
/** Maximum references in a chain. */
const MAX_LINKS = 8

/**
 * The objects of a PDF, found by searching, as programs do if the cross-reference table is broken.
 * So objects count even if no table lists them or an incremental update replaces them.
 */
export class PdfObjects {
  readonly #file: Buffer
  readonly #budget: ScanBudget
  readonly #places = new Map<number, Place[]>()
  readonly streams: Place[] = []
  #decryption: Decryption | undefined
  #bytesLeft: number
  #count = 0
  /** Whether there is more than the limits allow. */
  isOverLimit = false
  /** Whether a number means the first object that has it. Most programs take the last. */
  readsFirst = false
  /** Whether several objects share a number. */
  hasRivals = false

  constructor(file: Uint8Array, budget: ScanBudget) {
    this.#file = bufferOf(file)
    this.#budget = budget
    this.#bytesLeft = READS * file.length
  }

  /** Finds all objects that lie in the file itself. */
  *find(): Steps {
    const file = this.#file
    for (let at = file.indexOf('obj'); at >= 0; at = file.indexOf('obj', at + 3)) {
      const before = file.toString('latin1', Math.max(0, at - 32), at)
      const found = /(\d{1,10})[\0\t\n\f\r ]+(\d{1,10})[\0\t\n\f\r ]*$/.exec(before)
      if (!found) continue
      const id: ObjectId = [Number(found[1]), Number(found[2])]
      const place = { bytes: file, at: at + 3, id }
      if (!this.add(id[0], place)) return
      if (this.#isStream(place)) this.streams.push(place)
      if (this.isOverLimit) return
      if (this.#budget.isTurnOver) yield
    }
  }

  /** Takes bytes of a stream. Returns whether that many may still be read. */
  takeData(bytes: number): boolean {
    this.#bytesLeft -= bytes
    this.isOverLimit ||= this.#bytesLeft <= 0
    this.#budget.spend(bytes * BYTE_MS)
    return !this.isOverLimit
  }

  /** Adds an object. Returns whether more are allowed. */
  add(number: number, place: Place): boolean {
    this.isOverLimit ||= ++this.#count > MAX_OBJECTS
    if (this.isOverLimit) return false
    const places = this.#places.get(number)
    this.hasRivals ||= places !== undefined
    if (places) places.push(place)
    else this.#places.set(number, [place])
    return true
  }

  /** A value, or what a reference leads to. */
  resolve(value: Value): Value {
    let found = value
    for (let links = 0; found instanceof Ref; links++) {
      const places = this.#places.get(found.number) ?? []
      const place = links < MAX_LINKS ? places.at(this.readsFirst ? 0 : -1) : undefined
      found = place && this.#parse(place).value
    }
    return found
  }

  /** The numbers in an array. */
  numbersOf(value: Value): number[] {
    const found = this.resolve(value)
    const values = Array.isArray(found) ? found.map((one) => this.resolve(one)) : []
    return values.filter((one) => typeof one === 'number')
  }

  /** All pages, whether or not the tree of pages leads to them. `undefined` for other objects. */
  *pages(): Generator<Dict | undefined, void> {
    for (const number of this.#places.keys()) {
      if (this.isOverLimit) return
      const dict = this.resolve(new Ref(number))
      const isPage = dict instanceof Map && this.resolve(dict.get('Type')) === 'Page'
      yield isPage ? dict : undefined
    }
  }

  /** The stream that a reference leads to, or that of an object. */
  streamOf(value: Ref | Place): Stream | undefined {
    const places = value instanceof Ref ? this.#places.get(value.number) : [value]
    const place = places?.at(this.readsFirst ? 0 : -1)
    if (!place) return undefined
    const { value: dict, operator, end } = this.#parse(place)
    if (!(dict instanceof Map) || operator !== 'stream' || place.bytes !== this.#file)
      return undefined
    const data = this.#dataAt(end + lineEndAt(this.#file, end), dict)
    const [decryption, budget, { id }] = [this.#decryption, this.#budget, place]
    if (!decryption || !id) return { dict, data }
    return { dict, data, decrypt: () => decryption.stream(id, dict, data, budget) }
  }

  /**
   * Decrypts the file from now on if it is encrypted without a password. Returns whether all of it
   * can be read. If only some trailers say that it is encrypted, viewers may disagree.
   */
  decrypt(): boolean {
    const trailers = [...this.#trailers()]
    const encryptions = trailers.flatMap((trailer) => this.#encryptionOf(trailer) ?? [])
    if (!trailers.some((trailer) => trailer.has('Encrypt'))) return true
    const [first, ...others] = encryptions
    if (!first || encryptions.length < trailers.length) return false
    if (others.some(({ dict }) => !isDeepStrictEqual(dict, first.dict))) return false
    this.#decryption = openEncryption((value) => this.resolve(value), first.dict, first.id)
    return this.#decryption !== undefined
  }

  /** Trailers, and the dictionaries of cross-reference streams that stand for them. */
  *#trailers(): Generator<Dict, void> {
    const file = this.#file
    for (let at = file.indexOf('trailer'); at >= 0; at = file.indexOf('trailer', at + 7)) {
      const { value } = this.#parse({ bytes: file, at: at + 7 })
      if (value instanceof Map) yield value
      if (this.isOverLimit) return
    }
    for (const place of this.streams) {
      const { value } = this.#parse(place)
      const isTrailer = value instanceof Map && value.get('Type') === 'XRef'
      if (isTrailer && (value.has('Root') || value.has('Encrypt'))) yield value
      if (this.isOverLimit) return
    }
  }

  #encryptionOf(trailer: Dict): Encryption | undefined {
    const dict = this.resolve(trailer.get('Encrypt'))
    const ids = this.resolve(trailer.get('ID'))
    const id = Array.isArray(ids) ? this.resolve(ids[0]) : undefined
    if (!(dict instanceof Map)) return undefined
    return { dict, id: id instanceof Uint8Array ? id : new Uint8Array(0) }
  }

  #isStream(place: Place): boolean {
    const head = this.#file.toString('latin1', place.at, place.at + 64)
    return /^[\0\t\n\f\r ]*(<<|%|$)/.test(head) && this.#parse(place).operator === 'stream'
  }

  /**
   * The bytes of the stated length, if they end where they should; otherwise those before the next
   * `endstream`.
   */
  #dataAt(start: number, dict: Dict): Uint8Array {
    const length = this.resolve(dict.get('Length'))
    if (typeof length === 'number' && length >= 0) {
      const behind = this.#file.toString('latin1', start + length, start + length + 16)
      if (/^[\0\t\n\f\r ]*endstream/.test(behind)) return this.#file.subarray(start, start + length)
    }
    const end = this.#file.indexOf('endstream', start)
    this.#charge((end < 0 ? this.#file.length : end) - start)
    return this.#file.subarray(start, end < 0 ? undefined : end)
  }

  /** The value at a place, the keyword after it, and where that ends. */
  #parse({ bytes, at, id }: Place): { value: Value; operator: string; end: number } {
    if (this.#bytesLeft <= 0) return { value: undefined, operator: '', end: at }
    const reader = new ValueReader(bytes, at, Math.min(bytes.length, at + MAX_OBJECT_BYTES))
    let value = reader.read()
    if (value instanceof Map) reader.read()
    this.#charge(reader.at - at)
    const decryption = id && this.#decryption
    if (decryption) value = mapStrings(value, (text) => decryption.string(id, text))
    return { value, operator: reader.operator, end: reader.at }
  }

  #charge(bytes: number): void {
    this.#bytesLeft -= bytes
    this.isOverLimit ||= this.#bytesLeft <= 0
    this.#budget.spend(bytes * PARSED_BYTE_MS)
  }
}

/** Where an object begins: after `obj` in the file, or in an object stream. */
export interface Place {
  bytes: Buffer
  at: number
  /** Number and generation of an object in the file, by which it may be encrypted. */
  id?: ObjectId
}

export interface Stream {
  dict: Dict
  data: Uint8Array
  /** Decrypts its data, if it is encrypted. */
  decrypt?: () => Steps<Uint8Array>
}

/** How a file is encrypted: by its trailer, and by what the trailer calls it. */
interface Encryption {
  dict: Dict
  id: Uint8Array
}

/** A value with other strings. */
function mapStrings(value: Value, change: (bytes: Uint8Array) => Uint8Array): Value {
  if (value instanceof Uint8Array) return change(value)
  if (Array.isArray(value)) return value.map((one) => mapStrings(one, change))
  if (!(value instanceof Map)) return value
  return new Map([...value].map(([name, one]) => [name, mapStrings(one, change)]))
}

/** Bytes of the line end at a place. */
function lineEndAt(bytes: Buffer, at: number): number {
  if (bytes[at] === 13) return bytes[at + 1] === 10 ? 2 : 1
  return bytes[at] === 10 ? 1 : 0
}
