// A VP8 encoder for what other encoders do not write: any coefficients in any number of partitions (RFC 6386). It leaves
// probabilities as they are, and predicts every block from the mean of its neighbours.

import {
  SUBMODE_PROBABILITIES,
  TOKEN_PROBABILITIES,
  TOKEN_UPDATE_PROBABILITIES,
} from '../../src/scan/image/vp8/tables.ts'

export interface Vp8Options {
  width: number
  height: number
  /** Index of the quantisers, 0 to 127. */
  quantiser: number
  /** 1, 2, 4 or 8. */
  partitions?: number
  /** Whether a macroblock's luma is one block, whose first coefficients are a block of their own. */
  isWhole?: (macroblock: number) => boolean
  /** Quantised coefficients of a block, in zigzag order: 0 to 15 luma, 16 to 23 chroma, 24 first coefficients of luma. */
  block: (macroblock: number, block: number) => readonly number[]
}

/** A WebP file of one VP8 frame. */
export function writeVp8(options: Vp8Options): Buffer {
  const { width, height, partitions = 1, isWhole = () => false, block } = options
  const [columns, rows] = [Math.ceil(width / 16), Math.ceil(height / 16)]
  const modes = new BoolEncoder()
  modes.number(0, 2 + 1 + 10 + 1) // colours, segments, filter
  modes.number(Math.log2(partitions), 2)
  modes.number(options.quantiser, 7)
  modes.number(0, 5 + 1) // differences of quantisers; whether to keep probabilities
  for (const probability of TOKEN_UPDATE_PROBABILITIES) modes.bit(0, probability)
  modes.bit(0, 128) // no macroblock is marked as empty
  const tokens = Array.from({ length: partitions }, () => new BoolEncoder())
  const above = new Uint8Array(9 * columns)
  for (let y = 0; y < rows; y++) {
    const partition = tokens[y % partitions] ?? modes
    const left = new Uint8Array(9)
    for (let x = 0; x < columns; x++) {
      const macroblock = y * columns + x
      const whole = isWhole(macroblock)
      modes.bit(whole ? 1 : 0, 145)
      if (whole) modes.bits([0, 0], [156, 163])
      else for (let i = 0; i < 16; i++) modes.bit(0, SUBMODE_PROBABILITIES[0] ?? 0)
      modes.bit(0, 142)
      const write = (i: number, kind: number, aboveFlag: number, leftFlag: number) => {
        const context = (above[9 * x + aboveFlag] ?? 0) + (left[leftFlag] ?? 0)
        const isFull = writeBlock(partition, kind, context, block(macroblock, i))
        above[9 * x + aboveFlag] = left[leftFlag] = isFull ? 1 : 0
      }
      if (whole) write(24, 1, 8, 8)
      for (let i = 0; i < 16; i++) write(i, whole ? 0 : 3, i % 4, i >> 2)
      for (let i = 0; i < 8; i++) {
        const [first, at] = [4 + 2 * (i >> 2), i % 4]
        write(16 + i, 2, first + (at % 2), first + (at >> 1))
      }
    }
  }
  return riffOf(
    width,
    height,
    modes.end(),
    tokens.map((one) => one.end()),
  )
}

function riffOf(width: number, height: number, modes: Uint8Array, parts: Uint8Array[]): Buffer {
  const header = Buffer.from([0, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 0, 0])
  header.writeUIntLE((modes.length << 5) | 0x10, 0, 3)
  header.writeUInt16LE(width, 6)
  header.writeUInt16LE(height, 8)
  const sizes = parts
    .slice(0, -1)
    .flatMap(({ length }) => [length & 255, (length >> 8) & 255, length >> 16])
  const frame = Buffer.concat([header, modes, Uint8Array.from(sizes), ...parts])
  const chunk = (type: string, data: Uint8Array) => {
    const start = Buffer.from(`${type}\0\0\0\0`)
    start.writeUInt32LE(data.length, 4)
    return Buffer.concat([start, data, new Uint8Array(data.length % 2)])
  }
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), chunk('VP8 ', frame)]))
}

const BANDS = [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7]
/** Ranges of values: the smallest, the way in the tree from its third node, and probabilities of further bits. */
const RANGES = [
  {
    from: 67,
    way: [
      [6, 1],
      [8, 1],
      [10, 1],
    ],
    bits: [254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
  },
  {
    from: 35,
    way: [
      [6, 1],
      [8, 1],
      [10, 0],
    ],
    bits: [180, 157, 141, 134, 130],
  },
  {
    from: 19,
    way: [
      [6, 1],
      [8, 0],
      [9, 1],
    ],
    bits: [176, 155, 140, 135],
  },
  {
    from: 11,
    way: [
      [6, 1],
      [8, 0],
      [9, 0],
    ],
    bits: [173, 148, 140],
  },
  {
    from: 7,
    way: [
      [6, 0],
      [7, 1],
    ],
    bits: [165, 145],
  },
  {
    from: 5,
    way: [
      [6, 0],
      [7, 0],
    ],
    bits: [159],
  },
] as const

/** Returns whether the block has coefficients. */
function writeBlock(
  out: BoolEncoder,
  kind: number,
  context: number,
  levels: readonly number[],
): boolean {
  const start = kind === 0 ? 1 : 0
  const end = levels.findLastIndex((level, i) => level !== 0 && i >= start) + 1
  let after = context
  let mayEnd = true
  for (let i = start; i < Math.max(end, start); i++) {
    const at = ((kind * 8 + (BANDS[i] ?? 0)) * 3 + after) * 11
    const p = (node: number) => TOKEN_PROBABILITIES[at + node] ?? 0
    if (mayEnd) out.bit(1, p(0))
    const size = Math.abs(levels[i] ?? 0)
    out.bit(size > 0 ? 1 : 0, p(1))
    after = Math.min(size, 2)
    mayEnd = size > 0
    if (size === 0) continue
    out.bit(size > 1 ? 1 : 0, p(2))
    if (size > 1) out.bit(size > 4 ? 1 : 0, p(3))
    const range = RANGES.find(({ from }) => size >= from)
    if (range) {
      for (const [node, bit] of range.way) out.bit(bit, p(node))
      range.bits.forEach((probability, k) => {
        out.bit(((size - range.from) >> (range.bits.length - 1 - k)) & 1, probability)
      })
    } else if (size > 1) {
      out.bit(size > 2 ? 1 : 0, p(4))
      if (size > 2) out.bit(size - 3, p(5))
    }
    out.bit((levels[i] ?? 0) < 0 ? 1 : 0, 128)
  }
  if (end < 16 && Math.max(end, start) < 16) {
    const at = ((kind * 8 + (BANDS[Math.max(end, start)] ?? 0)) * 3 + after) * 11
    out.bit(0, TOKEN_PROBABILITIES[at] ?? 0)
  }
  return end > start
}

/** Arithmetic coding (7.3). */
class BoolEncoder {
  readonly #bytes: number[] = []
  #range = 255
  /** Start of the range, of which the upper 8 of 32 bits are the next byte. */
  #bottom = 0
  #bitsLeft = 24

  bit(value: number, probability: number): void {
    const split = 1 + (((this.#range - 1) * probability) >> 8)
    if (value) {
      this.#bottom += split
      this.#range -= split
    } else this.#range = split
    while (this.#range < 128) {
      this.#range *= 2
      this.#shift()
    }
  }

  bits(values: readonly number[], probabilities: readonly number[]): void {
    values.forEach((value, i) => this.bit(value, probabilities[i] ?? 0))
  }

  number(value: number, bits: number): void {
    for (let i = bits - 1; i >= 0; i--) this.bit((value >> i) & 1, 128)
  }

  end(): Uint8Array {
    for (let i = 0; i < 32; i++) this.#shift()
    return Uint8Array.from(this.#bytes)
  }

  #shift(): void {
    if (this.#bottom >= 2 ** 31) this.#carry()
    this.#bottom = (this.#bottom % 2 ** 31) * 2
    this.#bitsLeft--
    if (this.#bitsLeft > 0) return
    this.#bytes.push(Math.floor(this.#bottom / 2 ** 24))
    this.#bottom %= 2 ** 24
    this.#bitsLeft = 8
  }

  #carry(): void {
    let at = this.#bytes.length - 1
    while (this.#bytes[at] === 255) this.#bytes[at--] = 0
    this.#bytes[at] = (this.#bytes[at] ?? 0) + 1
  }
}
