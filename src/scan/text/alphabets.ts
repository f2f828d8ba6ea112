import {
  BREAK,
  Codes,
  type Coding,
  COMMA_BREAK,
  LINE_BREAK,
  PAD_BREAK,
  scratchCodes,
  SEMICOLON_BREAK,
} from './codings.ts'
import { Runs } from './runs.ts'

const SKIP = 0xffff

/** Table of codes by byte. */
function codeTable(codes: Record<string, number>, breaks: string, other = SKIP): Uint16Array {
  const table = new Uint16Array(256).fill(other)
  for (const char of breaks) table[char.charCodeAt(0)] = BREAK
  for (const [char, code] of Object.entries(codes)) table[char.charCodeAt(0)] = code
  return table
}

function codesOf(alphabet: string): Record<string, number> {
  return Object.fromEntries(Array.from(alphabet).map((char, code) => [char, code]))
}

/** The same for letters in either case. */
function caselessCodesOf(alphabet: string): Record<string, number> {
  return { ...codesOf(alphabet.toLowerCase()), ...codesOf(alphabet) }
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const QUOTES_AND_BRACKETS = '"\'`<>{}[]()&'

const BASE64 = codeTable(
  {
    ...codesOf(`${UPPER}${UPPER.toLowerCase()}0123456789+/-_`),
    ';': SEMICOLON_BREAK,
    ',': COMMA_BREAK,
    '\n': LINE_BREAK,
    '=': PAD_BREAK,
  },
  `${QUOTES_AND_BRACKETS}:|`,
)
/** The same where plus signs have become spaces: receivers of such texts restore them. */
const BASE64_WITH_SPACES = BASE64.with(0x20, 62)
const HEX = codeTable(
  { ...caselessCodesOf('0123456789ABCDEF'), '\n': LINE_BREAK },
  `${QUOTES_AND_BRACKETS}=`,
)
/** Readers of base32 (RFC 4648, 6 and 7) skip line ends and accept nothing else foreign. */
const LINE_ENDS = { '\r': SKIP, '\n': SKIP }
const BASE32 = codeTable({ ...caselessCodesOf(`${UPPER}234567`), ...LINE_ENDS }, '', BREAK)
const BASE32_HEX = codeTable(
  { ...caselessCodesOf(`0123456789${UPPER.slice(0, 22)}`), ...LINE_ENDS },
  '',
  BREAK,
)
const BINARY = codeTable({ ...codesOf('01'), ' ': SKIP, ...LINE_ENDS }, '', BREAK)

/** Codes of the base64 alphabets, between any foreign characters. */
export class Base64Coding implements Coding {
  readonly bits = 6
  readonly #table: Uint16Array

  /** @param isSpacePlus whether spaces stand for plus signs */
  constructor(isSpacePlus = false) {
    this.#table = isSpacePlus ? BASE64_WITH_SPACES : BASE64
  }

  pick(bytes: Uint8Array): Uint16Array[] {
    const [codes, table] = [scratchCodes(bytes.length), this.#table]
    let count = 0
    for (let i = 0; i < bytes.length; i++) {
      const code = table[bytes[i] as number] as number
      codes[count] = code
      if (code !== SKIP) count++
    }
    return [codes.subarray(0, count)]
  }

  end(): Uint16Array[] {
    return []
  }
}

const ZERO = 0x30
const SMALL_X = 0x78

/**
 * Hex digits, with or without separators between bytes: spaces, colons, `\x`, `0x`, a percent sign.
 */
export class HexCoding implements Coding {
  readonly bits = 4
  /**
   * Whether the last byte was a zero. It counts unless an x follows: the first digit of 0x41 is
   * part of the prefix.
   */
  #hasZero = false

  pick(bytes: Uint8Array): Uint16Array[] {
    const codes = scratchCodes(bytes.length + 1)
    let count = 0
    let hasZero = this.#hasZero
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number
      if (hasZero && (byte | 32) !== SMALL_X) codes[count++] = 0
      hasZero = byte === ZERO
      const code = HEX[byte] as number
      codes[count] = code
      if (code !== SKIP && !hasZero) count++
    }
    this.#hasZero = hasZero
    return [codes.subarray(0, count)]
  }

  end(): Uint16Array[] {
    return this.#hasZero ? [Uint16Array.of(0)] : []
  }
}

/** Codes of an alphabet whose readers accept nothing else, in runs. */
class RunCoding implements Coding {
  readonly isStrict = true
  readonly bits: number
  readonly #table: Uint16Array
  readonly #runs: Runs
  readonly #codes = new Codes()

  constructor({ bits, table, isForeign }: RunAlphabet) {
    this.bits = bits
    this.#table = table
    this.#runs = new Runs(isForeign)
  }

  pick(bytes: Uint8Array): Uint16Array[] {
    const codes = this.#codes
    for (const { bytes: run, isFirst, isLast } of this.#runs.pick(bytes)) {
      if (isFirst) codes.push(BREAK)
      for (let i = 0; i < run.length; i++) {
        const code = this.#table[run[i] as number] as number
        if (code !== SKIP) codes.push(code)
      }
      if (isLast) codes.push(BREAK)
    }
    return [codes.take()]
  }

  end(): Uint16Array[] {
    return []
  }
}

interface RunAlphabet {
  bits: 1 | 5
  table: Uint16Array
  isForeign: Uint8Array
}

const RUN_ALPHABETS = (
  [
    [5, BASE32],
    [5, BASE32_HEX],
    [1, BINARY],
  ] as const
).map(([bits, table]) => ({
  bits,
  table,
  isForeign: Uint8Array.from(table, (code) => (code === BREAK ? 1 : 0)),
}))

/** Base32 in both alphabets, and bytes written as bits. */
export function runCodings(): RunCoding[] {
  return RUN_ALPHABETS.map((alphabet) => new RunCoding(alphabet))
}
