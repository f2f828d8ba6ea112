import { BREAK, Codes, type Coding, NO_CODES } from './codings.ts'
import { type RunPiece, Runs } from './runs.ts'
import { filterIndex, MOST_BEFORE, windowsFor } from './signs.ts'

/** Characters of a group, and the bytes that it stands for. */
const [GROUP, GROUP_BYTES] = [5, 4]
const MAX_GROUP = 0xffffffff
const TOP = 85 ** GROUP
/** Digits that are kept, since a sign may lie behind the first bytes of its file. */
const KEPT = GROUP * (Math.ceil(MOST_BEFORE / GROUP_BYTES) + 2)
/** Groups of letters, digits and signs in a row that make a text. */
const TEXT_GROUPS = 10

/** What a character is, beside a digit: passed over, a group of zeros, foreign. */
const [SKIP, ZEROS, FOREIGN] = [0xfd, 0xfe, 0xff]
/** Flag of a character behind which a value may begin, and of the digit that it may begin with. */
const START = 0x100

function digitTable(digits: string, skipped: string, zeros = ''): Uint16Array {
  const table = new Uint16Array(256).fill(FOREIGN | START)
  for (const [digit, char] of Array.from(digits).entries()) table[char.charCodeAt(0)] = digit
  for (const char of skipped) table[char.charCodeAt(0)] = SKIP
  for (const char of zeros) table[char.charCodeAt(0)] = ZEROS
  for (const char of '"\'>=,') table[char.charCodeAt(0)] = (table[char.charCodeAt(0)] ?? 0) | START
  return table
}

const [DIGITS, UPPER] = ['0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const LOWER = UPPER.toLowerCase()
const ASCII85 = Array.from({ length: 85 }, (_, i) => String.fromCharCode(33 + i)).join('')
/** Those of Adobe and btoa (`a85decode`, Go's `ascii85`), of git (`b85decode`), and of ZeroMQ (`z85decode`). */
const TABLES = [
  digitTable(ASCII85, ' \t\n\v\r\0', 'z'),
  digitTable(`${DIGITS}${UPPER}${LOWER}!#$%&()*+-;<=>?@^_\`{|}~`, '\r\n'),
  digitTable(`${DIGITS}${LOWER}${UPPER}.-:+=^!/*?&<>()[]{}@%$#`, '\r\n'),
]

interface Alphabet {
  table: Uint16Array
  isForeign: Uint8Array
}

const ALPHABETS: readonly Alphabet[] = TABLES.map((table) => ({
  table,
  isForeign: Uint8Array.from(table, (kind) => ((kind & 0xff) === FOREIGN ? 1 : 0)),
}))

const { filter: FILTER, signs: SIGNS } = windowsFor(8)

/**
 * Base85, whose groups of five characters stand for four bytes. A group may begin at any character, so there are five readings. Each
 * is given from where a file seems to begin to the end of the run of characters: readers take nothing that is foreign.
 */
export class Base85Coding implements Coding {
  readonly isStrict = true
  readonly bits = 8
  readonly readings = GROUP
  readonly #table: Uint16Array
  readonly #runs: Runs
  /** Made with the first run. */
  #phases: readonly Phase[] = []
  /** The last digits of the run, in a ring. */
  #digits = NO_CODES
  #count = 0
  #start = START
  /** The last five of them as a number. */
  #value = 0

  constructor({ table, isForeign }: Alphabet) {
    this.#table = table
    this.#runs = new Runs(isForeign)
  }

  pick(bytes: Uint8Array): Uint16Array[] {
    for (const run of this.#runs.pick(bytes)) this.#takeRun(run)
    return this.#phases.map(({ codes }) => codes.take())
  }

  end(): Uint16Array[] {
    if (this.#runs.end()) this.#endRun()
    return this.#phases.map(({ codes }) => codes.take())
  }

  #takeRun({ bytes, isFirst, isLast }: RunPiece): void {
    if (this.#phases.length === 0) {
      this.#phases = Array.from({ length: GROUP }, () => new Phase())
      this.#digits = new Uint16Array(KEPT)
    }
    if (isFirst) this.#start = START
    for (let i = 0; i < bytes.length; i++) {
      const kind = this.#table[bytes[i] as number] as number
      const digit = kind & 0xff
      if (digit < 85) this.#add(digit | this.#start)
      else if (digit === ZEROS) for (let n = 0; n < GROUP; n++) this.#add(0)
      if (digit !== SKIP) this.#start = kind & START
    }
    if (isLast) this.#endRun()
  }

  #add(digit: number): void {
    const at = this.#count++
    const oldest = this.#digits[(at + KEPT - GROUP) % KEPT] as number
    this.#digits[at % KEPT] = digit
    this.#value = this.#value * 85 + (digit & 0xff) - (at < GROUP ? 0 : (oldest & 0xff) * TOP)
    if (at < GROUP - 1) return
    const phase = this.#phases[(at + 1) % GROUP] as Phase
    const first = this.#digits[(at + KEPT - GROUP + 1) % KEPT] as number
    const isValid = this.#value <= MAX_GROUP
    const bytes = isValid ? this.#value >>> 0 : 0
    const sight = isValid ? phase.see(bytes, (first & START) !== 0) : 'none'
    if (phase.isOn) phase.give(bytes, isValid)
    else if (sight === 'value') phase.begin([bytes])
    else if (sight === 'file') phase.begin(this.#groupsTo(at))
  }

  /** The groups of a phase that are still there, up to the one that ends with a digit. */
  #groupsTo(at: number): number[] {
    const count = Math.floor(Math.min(at + 1, KEPT) / GROUP)
    return Array.from({ length: count }, (_, i) => this.#groupAt(at + 1 - GROUP * (count - i)))
  }

  #groupAt(at: number, length = GROUP): number {
    let value = 0
    for (let i = at; i < at + GROUP; i++)
      value = value * 85 + (i < at + length ? (this.#digits[i % KEPT] as number) & 0xff : 84)
    return value
  }

  /** Ends a value: a group that has fewer characters stands for one byte less than it has. */
  #endRun(): void {
    for (const [i, phase] of this.#phases.entries()) {
      const length = (this.#count - i) % GROUP
      if (phase.isOn)
        phase.end(this.#groupAt(this.#count - length, length) >>> 0, Math.max(0, length - 1))
      else phase.forget()
    }
    this.#count = this.#value = 0
  }
}

/** The groups that begin at each fifth character. */
class Phase {
  readonly codes = new Codes()
  isOn = false
  #last = 0
  /** Groups of a text in a row. */
  #texts = 0

  /** What a group says: that a file lies here, or that a value begins which may be one. */
  see(bytes: number, isStart: boolean): 'none' | 'file' | 'value' {
    const last = this.#last
    this.#last = bytes
    this.#texts = isText(bytes) ? this.#texts + 1 : 0
    const isFile =
      isSign(((last << 8) | (bytes >>> 24)) & 0xffffff) ||
      isSign(((last << 16) | (bytes >>> 16)) & 0xffffff) ||
      isSign(bytes >>> 8) ||
      isSign(bytes & 0xffffff)
    if (isFile || this.#texts === TEXT_GROUPS) return 'file'
    return isStart && isZlibHeader(bytes >>> 16) ? 'value' : 'none'
  }

  begin(groups: readonly number[]): void {
    this.isOn = true
    this.codes.push(BREAK)
    for (const group of groups) this.give(group >>> 0, group <= MAX_GROUP)
  }

  give(bytes: number, isValid: boolean): void {
    if (isValid) this.#give(bytes, GROUP_BYTES)
    else this.codes.push(BREAK)
  }

  #give(bytes: number, count: number): void {
    for (let i = 0; i < count; i++) this.codes.push((bytes >>> (24 - 8 * i)) & 255)
  }

  end(bytes: number, count: number): void {
    this.#give(bytes, count)
    this.codes.push(BREAK)
    this.forget()
  }

  forget(): void {
    this.isOn = false
    this.#last = this.#texts = 0
  }
}

function isSign(window: number): boolean {
  return FILTER[filterIndex(window)] === 1 && SIGNS.has(window)
}

function isText(bytes: number): boolean {
  return (bytes & 0x80808080) === 0 && ((bytes | (bytes << 1)) & 0x40404040) === 0x40404040
}

/** The first two bytes of zlib (RFC 1950, 2.2), with a window of 32 KiB, as encoders write them. */
function isZlibHeader(header: number): boolean {
  return header >> 8 === 0x78 && header % 31 === 0
}

/** Base85 in its three alphabets. */
export function base85Codings(): Base85Coding[] {
  return ALPHABETS.map((alphabet) => new Base85Coding(alphabet))
}
