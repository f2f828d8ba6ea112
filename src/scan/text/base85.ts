import { BREAK, Codes, type Coding, concatenateCodes, LAST_BYTES, NO_CODES } from './codings.ts'
import { type RunChunk, Runs } from './runs.ts'
import { mayBeSign, MOST_BEFORE, windowsFor } from './signs.ts'

/** Characters of a group, and the bytes that they stand for. */
const [GROUP, GROUP_BYTES] = [5, 4]
const MAX_GROUP = 0xffffffff
const TOP = 85 ** GROUP
/** Digits kept, since a sign may follow the first bytes of its file. */
const KEPT = GROUP * (Math.ceil(MOST_BEFORE / GROUP_BYTES) + 2)
/** Consecutive groups of letters, digits and punctuation that count as a text. */
const TEXT_GROUPS = 10

/** Kinds of characters beside digits: skipped, a group of zeros, foreign. */
const [SKIP, ZEROS, FOREIGN] = [0xfd, 0xfe, 0xff]
/** Flag of a character after which a value may begin, and of the digit that it may begin with. */
const START = 0x100
/** Flag of a digit before which a value may end, in JSON, forms or markup, or with its line. */
const END = 0x200

const [DIGITS, UPPER] = ['0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const LOWER = UPPER.toLowerCase()
const ASCII85 = Array.from({ length: 85 }, (_, i) => String.fromCharCode(33 + i)).join('')
/**
 * The alphabets of Adobe and btoa (`a85decode`, Go's `ascii85`), of git (`b85decode`), and of
 * ZeroMQ (`z85decode`).
 */
const TABLES = [
  digitTable(ASCII85, ' \t\n\v\r\0', 'z'),
  digitTable(`${DIGITS}${UPPER}${LOWER}!#$%&()*+-;<=>?@^_\`{|}~`, '\r\n'),
  digitTable(`${DIGITS}${LOWER}${UPPER}.-:+=^!/*?&<>()[]{}@%$#`, '\r\n'),
]

const ALPHABETS: readonly Alphabet[] = TABLES.map((table) => ({
  table,
  isForeign: Uint8Array.from(table, (kind) => ((kind & 0xff) === FOREIGN ? 1 : 0)),
}))

const NOTHING: readonly Uint16Array[] = []

const { filter: FILTER, signs: SIGNS } = windowsFor(8)

/**
 * Base85, where groups of five characters stand for four bytes. A group may begin at any character,
 * so there are five readings. Each is passed on from where a file seems to begin to the end of the
 * run: readers accept nothing foreign.
 */
class Base85Coding implements Coding {
  readonly bits = 8
  readonly isStrict = true
  searched = 0
  readonly #table: Uint16Array
  readonly #runs: Runs
  readonly #codes = Array.from({ length: GROUP }, () => new Codes())
  readonly #fresh = new Codes()
  /** Phases that are passed on, one bit each. */
  #given = 0
  /** The run's last digits, and the number of all its digits. */
  #digits = NO_CODES
  #count = 0
  #flags = START
  /**
   * The last five digits as a number; for each phase, its previous group and its number of
   * consecutive text groups.
   */
  #value = 0
  readonly #last = new Uint32Array(GROUP)
  readonly #texts = new Uint32Array(GROUP)

  constructor({ table, isForeign }: Alphabet) {
    this.#table = table
    this.#runs = new Runs(isForeign)
  }

  pick(bytes: Uint8Array): readonly Uint16Array[] {
    const chunks = this.#runs.pick(bytes)
    this.searched = 0
    if (chunks.length === 0) return NOTHING
    for (const chunk of chunks) this.#takeChunk(chunk)
    return this.#codes.map((codes) => codes.take())
  }

  rest(reading: number): void {
    this.#given &= ~(1 << reading)
  }

  end(): readonly Uint16Array[] {
    if (this.#runs.end()) this.#endRun()
    return this.#codes.map((codes) => codes.take())
  }

  #takeChunk({ bytes, isFirst, isLast }: RunChunk): void {
    if (isFirst) this.#flags = START
    const fresh = this.#digitsIn(bytes)
    const kept = this.#digits.length
    const digits = concatenateCodes(this.#digits, fresh)
    this.#search(digits, kept)
    this.#count += fresh.length
    this.searched += fresh.length
    this.#digits = digits.slice(-KEPT)
    if (isLast) this.#endRun()
  }

  #digitsIn(bytes: Uint8Array): Uint16Array {
    const [digits, table] = [this.#fresh, this.#table]
    let flags = this.#flags
    for (let i = 0; i < bytes.length; i++) {
      const kind = table[bytes[i] as number] as number
      const digit = kind & 0xff
      if (digit < 85) digits.push(digit | flags | (kind & END))
      else if (digit === ZEROS) for (let n = 0; n < GROUP; n++) digits.push(0)
      if (digit === SKIP) flags |= kind & END
      else flags = kind & START
    }
    this.#flags = flags
    return digits.take()
  }

  /** The only loop over all digits, from an index on. */
  #search(digits: Uint16Array, from: number): void {
    const [last, texts] = [this.#last, this.#texts]
    let value = this.#value
    let phase = (this.#count + 1) % GROUP
    const whole = from - this.#count + GROUP - 1
    for (let at = from; at < digits.length; at++, phase = phase === GROUP - 1 ? 0 : phase + 1) {
      const oldest = at < GROUP || at <= whole ? 0 : (digits[at - GROUP] as number) & 0xff
      value = value * 85 + ((digits[at] as number) & 0xff) - oldest * TOP
      if (at < whole) continue
      const isValid = value <= MAX_GROUP
      const bytes = isValid ? value >>> 0 : 0
      const before = last[phase] as number
      last[phase] = bytes
      texts[phase] = isText(bytes) ? (texts[phase] as number) + 1 : 0
      if (((this.#given >> phase) & 1) === 1) this.#giveGroup(phase, digits, at + 1 - GROUP)
      else if (isFile(before, bytes) || texts[phase] === TEXT_GROUPS)
        this.#begin(phase, digits, at, KEPT / GROUP)
      else if (
        isUsualZlibHeader(bytes >>> 16) &&
        ((digits[at - GROUP + 1] as number) & START) !== 0
      )
        this.#begin(phase, digits, at, 1)
    }
    this.#value = value
  }

  /** Begins to pass on a phase, with up to `groups` of the groups before an index. */
  #begin(phase: number, digits: Uint16Array, at: number, groups: number): void {
    this.#given |= 1 << phase
    this.#codes[phase]?.push(BREAK)
    const count = Math.min(groups, Math.floor((at + 1) / GROUP))
    for (let i = count - 1; i >= 0; i--) this.#giveGroup(phase, digits, at + 1 - GROUP * (i + 1))
  }

  /** Passes on the group from an index on, in which the value may end. */
  #giveGroup(phase: number, digits: Uint16Array, from: number): void {
    const value = groupAt(digits, from)
    const isValid = value <= MAX_GROUP
    const length = endIn(digits, from)
    if (length > 0) {
      const last = groupAt(digits.subarray(0, from + length), from)
      const shift = 8 * (GROUP - length)
      if (!isValid) this.#give(phase, last >>> 0, last <= MAX_GROUP, length - 1)
      else if (last <= MAX_GROUP && last >>> shift !== value >>> shift)
        this.#codes[phase]?.push(LAST_BYTES + length - 1)
    }
    this.#give(phase, value >>> 0, isValid)
  }

  #give(phase: number, bytes: number, isValid: boolean, count = GROUP_BYTES): void {
    const codes = this.#codes[phase] as Codes
    if (!isValid) return codes.push(BREAK)
    for (let i = 0; i < count; i++) codes.push((bytes >>> (24 - 8 * i)) & 255)
  }

  /** Ends a value: an incomplete group stands for one byte less than it has characters. */
  #endRun(): void {
    for (const [phase, codes] of this.#codes.entries()) {
      if (((this.#given >> phase) & 1) === 0) continue
      const length = (this.#count - phase) % GROUP
      const group = groupAt(this.#digits, this.#digits.length - length)
      if (length > 1) this.#give(phase, group >>> 0, group <= MAX_GROUP, length - 1)
      codes.push(BREAK)
    }
    this.#last.fill(0)
    this.#texts.fill(0)
    this.#digits = NO_CODES
    this.#given = this.#count = this.#value = 0
  }
}

function digitTable(digits: string, skipped: string, zeros = ''): Uint16Array {
  const table = new Uint16Array(256).fill(FOREIGN | START)
  for (const [digit, char] of Array.from(digits).entries()) table[char.charCodeAt(0)] = digit
  for (const char of skipped) table[char.charCodeAt(0)] = SKIP
  for (const char of zeros) table[char.charCodeAt(0)] = ZEROS
  const mark = (char: string, flag: number) =>
    (table[char.charCodeAt(0)] = (table[char.charCodeAt(0)] ?? 0) | flag)
  for (const char of '"\'>=,') mark(char, START)
  for (const char of '"\'=&<\n') mark(char, END)
  return table
}

interface Alphabet {
  table: Uint16Array
  isForeign: Uint8Array
}

/** The number of the five digits from an index on. The last digit stands for missing ones. */
function groupAt(digits: Uint16Array, from: number): number {
  let value = 0
  for (let i = from; i < from + GROUP; i++) value = value * 85 + ((digits[i] ?? 84) & 0xff)
  return value
}

/** Number of digits in a group before the value may end; 0 if it does not end in the group. */
function endIn(digits: Uint16Array, from: number): number {
  for (let length = 2; length < GROUP; length++)
    if (((digits[from + length] as number) & END) !== 0) return length
  return 0
}

/** Whether a sign ends in a group. */
function isFile(before: number, bytes: number): boolean {
  return (
    isSign(bytes >>> 8) ||
    isSign(bytes & 0xffffff) ||
    isSign(((before << 8) | (bytes >>> 24)) & 0xffffff) ||
    isSign(((before << 16) | (bytes >>> 16)) & 0xffffff)
  )
}

function isSign(window: number): boolean {
  return mayBeSign(FILTER, window) && SIGNS.has(window)
}

function isText(bytes: number): boolean {
  return (bytes & 0x80808080) === 0 && ((bytes | (bytes << 1)) & 0x40404040) === 0x40404040
}

/** The first two bytes of zlib (RFC 1950, 2.2) as encoders write them, with a window of 32 KiB. */
function isUsualZlibHeader(header: number): boolean {
  return header >> 8 === 0x78 && header % 31 === 0
}

/** Base85 in its three alphabets. */
export function base85Codings(): Base85Coding[] {
  return ALPHABETS.map((alphabet) => new Base85Coding(alphabet))
}
