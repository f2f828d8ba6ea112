import type { Steps } from '../../../util/steps.ts'
import type { ScanBudget } from '../../budget.ts'
import { MACROBLOCK_MS, RESIDUE_BYTE_MS } from '../../work.ts'
import { BoolDecoder } from './bool-decoder.ts'
import {
  AC_FACTORS,
  DC_FACTORS,
  SUBMODE_PROBABILITIES,
  TOKEN_PROBABILITIES,
  TOKEN_UPDATE_PROBABILITIES,
} from './tables.ts'
import { firstCoefficients, SAFE_SUM, wrapsInTransform } from './transforms.ts'

/** Bytes before the first partition (RFC 6386, 9.1). */
const HEADER_BYTES = 10

/** Numbers of segments: macroblocks with quantisers of their own (9.3). */
const SEGMENT_TREE = Int8Array.of(2, 4, 0, -1, -2, -3)

/** Modes of 4x4 blocks in the order of their probabilities (11.2). The first four also predict whole macroblocks. */
const SUBMODE_TREE = Int8Array.of(0, 2, -1, 4, -2, 6, 8, 12, -3, 10, -4, -5, -6, 14, -7, 16, -8, -9)
const MODE_TREE = Int8Array.of(2, 4, 0, -2, -3, -1)
const MODE_PROBABILITIES = Uint8Array.of(156, 163, 128)
const CHROMA_TREE = Int8Array.of(0, 2, 0, 4, 0, 0)
const CHROMA_PROBABILITIES = Uint8Array.of(142, 114, 183)
/** Probability that a macroblock is not predicted as a whole. */
const SPLIT_PROBABILITY = 145

/** Tokens of coefficients (13.2): 0 to 4, six ranges of larger values, and the end of a block. */
const TOKEN_TREE = Int8Array.of(
  ...[-11, 2, 0, 4, -1, 6, 8, 12, -2, 10, -3, -4, 14, 16, -5, -6, 18, 20, -7, -8, -9, -10],
)
const END = 11
/** Node of the tree from which a token is read where the block cannot end: after a zero. */
const ENDLESS = 2
/** The first token of a range: its smallest value, and probabilities of the bits to add to it. */
const FIRST_RANGE = 5
const RANGES = [
  { smallest: 5, bits: [159] },
  { smallest: 7, bits: [165, 145] },
  { smallest: 11, bits: [173, 148, 140] },
  { smallest: 19, bits: [176, 155, 140, 135] },
  { smallest: 35, bits: [180, 157, 141, 134, 130] },
  { smallest: 67, bits: [254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129] },
]

/** Where a coefficient lies in its block, in the order of tokens. */
const ZIGZAG = Uint8Array.of(0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15)

/** Probabilities of tokens: for each kind of block, position and context. */
const PER_KIND = 264
const PER_CONTEXT = 11
/** Where those of a position begin, by bands of positions. After the last one nothing is read. */
const BANDS = Uint8Array.from(
  [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0],
  (band) => band * 3 * PER_CONTEXT,
)

/** Kinds of blocks: luma without its first coefficients, these, chroma, and luma. */
const [LUMA_REST, LUMA_FIRSTS, CHROMA, LUMA] = [0, 1, 2, 3]

/** Flags of blocks that touch the next macroblock: 4 of luma, 2 of each chroma, and one of luma's first coefficients. */
const EDGE_FLAGS = 9
const FIRSTS_FLAG = 8

/** What the first and the other coefficients of each kind of block are multiplied by. */
interface Quantisers {
  luma: Factors
  firsts: Factors
  chroma: Factors
}
type Factors = readonly [dc: number, ac: number]

/**
 * Reads the coefficients of a VP8 key frame (RFC 6386), to find blocks that decoders show
 * differently. Nothing is checked: what is missing reads as zeros.
 */
export class KeyFrame {
  readonly #columns: number
  readonly #rows: number
  readonly #modes: BoolDecoder
  /** Coefficients: rows of macroblocks take turns with these. Public for tests. */
  readonly partitions: readonly BoolDecoder[]
  readonly #quantisers: readonly Quantisers[]
  readonly #segmentProbabilities: Uint8Array | undefined
  readonly #tokenProbabilities: Uint8Array
  /** Probability that a macroblock has coefficients; absent if all have. */
  readonly #fullProbability: number | undefined

  /** Modes of the blocks above and to the left of a macroblock, and flags whether they have coefficients. */
  readonly #modesAbove: Uint8Array
  readonly #modesLeft = new Uint8Array(4)
  readonly #flagsAbove: Uint8Array
  readonly #flagsLeft = new Uint8Array(EDGE_FLAGS)

  /** The last block that had coefficients, and the last one of first coefficients of luma. */
  readonly #block = new Int16Array(16)
  readonly #firsts = new Int16Array(16)

  constructor(data: Uint8Array) {
    const byte = (at: number) => data[at] ?? 0
    this.#columns = (((byte(6) | (byte(7) << 8)) & 0x3fff) + 15) >> 4
    this.#rows = (((byte(8) | (byte(9) << 8)) & 0x3fff) + 15) >> 4
    const modesEnd = HEADER_BYTES + ((byte(0) | (byte(1) << 8) | (byte(2) << 16)) >> 5)
    const header = new BoolDecoder(data.subarray(HEADER_BYTES, modesEnd))
    this.#modes = header
    header.evenNumber(2) // colour space and clamping
    const segments = readSegments(header)
    this.#segmentProbabilities = segments.probabilities
    skipFilter(header)
    this.partitions = partitionsOf(data, modesEnd, 1 << header.evenNumber(2))
    this.#quantisers = readQuantisers(header, segments)
    header.flag() // whether later frames keep the probabilities
    this.#tokenProbabilities = TOKEN_UPDATE_PROBABILITIES.map((probability, i) =>
      header.bit(probability) ? header.evenNumber(8) : (TOKEN_PROBABILITIES[i] ?? 0),
    )
    this.#fullProbability = header.flag() ? header.evenNumber(8) : undefined
    this.#modesAbove = new Uint8Array(4 * this.#columns)
    this.#flagsAbove = new Uint8Array(EDGE_FLAGS * this.#columns)
  }

  /**
   * Whether the transform of a block leaves 16 bits. There, libwebp's vector code, which programs
   * run, shows something else than its C code.
   */
  *wraps(budget: ScanBudget): Steps<boolean> {
    for (let row = 0; row < this.#rows; row++) {
      const tokens = this.partitions[row % this.partitions.length]
      if (!tokens) break
      const { unusedBytes } = tokens
      this.#modesLeft.fill(0)
      this.#flagsLeft.fill(0)
      for (let column = 0; column < this.#columns; column++) {
        if (this.#readMacroblock(column, tokens)) return true
      }
      const bytes = unusedBytes - tokens.unusedBytes
      budget.spend(this.#columns * MACROBLOCK_MS + bytes * RESIDUE_BYTE_MS)
      if (budget.isTurnOver) yield
    }
    return false
  }

  /** Returns whether one of its blocks wraps. */
  #readMacroblock(column: number, tokens: BoolDecoder): boolean {
    const modes = this.#modes
    const probabilities = this.#segmentProbabilities
    const segment = probabilities ? modes.leaf(SEGMENT_TREE, probabilities, 0) : 0
    const isEmpty = this.#fullProbability !== undefined && modes.bit(this.#fullProbability) === 1
    const isWhole = this.#readModes(4 * column)
    if (!isEmpty) return this.#readBlocks(EDGE_FLAGS * column, isWhole, tokens, segment)
    const flags = isWhole ? EDGE_FLAGS : FIRSTS_FLAG // without that block, its flag stays
    this.#flagsAbove.fill(0, EDGE_FLAGS * column, EDGE_FLAGS * column + flags)
    this.#flagsLeft.fill(0, 0, flags)
    return false
  }

  /** Returns whether the macroblock is predicted as a whole. */
  #readModes(above: number): boolean {
    const [modes, modesAbove, modesLeft] = [this.#modes, this.#modesAbove, this.#modesLeft]
    const isWhole = modes.bit(SPLIT_PROBABILITY) === 1
    if (isWhole) {
      const mode = modes.leaf(MODE_TREE, MODE_PROBABILITIES, 0)
      modesAbove.fill(mode, above, above + 4)
      modesLeft.fill(mode)
    } else {
      for (let i = 0; i < 16; i++) {
        const [x, y] = [above + (i & 3), i >> 2]
        const context = (modesAbove[x] ?? 0) * 10 + (modesLeft[y] ?? 0)
        const mode = modes.leaf(SUBMODE_TREE, SUBMODE_PROBABILITIES, context * 9)
        modesAbove[x] = mode
        modesLeft[y] = mode
      }
    }
    modes.leaf(CHROMA_TREE, CHROMA_PROBABILITIES, 0)
    return isWhole
  }

  /** Returns whether one of the blocks wraps. */
  #readBlocks(above: number, isWhole: boolean, tokens: BoolDecoder, segment: number): boolean {
    const { luma, firsts, chroma } = this.#quantisers[segment] as Quantisers
    let firstsLimit = 0 // no first coefficient of luma that comes from another block is larger
    let firstsOf: Int16Array | undefined
    if (isWhole) {
      const [flag, block] = [FIRSTS_FLAG, this.#firsts]
      const sum = this.#readBlock(tokens, LUMA_FIRSTS, firsts, above + flag, flag, block)
      if (sum === 0) block.fill(0)
      firstsLimit = (sum + 3) / 8
    }
    const [kind, block] = [isWhole ? LUMA_REST : LUMA, this.#block]
    let wraps = false
    for (let i = 0; i < 16; i++) {
      const sum = this.#readBlock(tokens, kind, luma, above + (i & 3), i >> 2, block)
      if (sum === 0 || sum + firstsLimit <= SAFE_SUM) continue
      if (isWhole) {
        firstsOf ??= firstCoefficients(this.#firsts)
        block[0] = firstsOf[i] ?? 0
      }
      wraps ||= wrapsInTransform(block)
    }
    for (let i = 0; i < 8; i++) {
      const first = 4 + 2 * (i >> 2)
      const [x, y] = [above + first + (i & 1), first + ((i >> 1) & 1)]
      const sum = this.#readBlock(tokens, CHROMA, chroma, x, y, block)
      wraps ||= sum > SAFE_SUM && wrapsInTransform(block)
    }
    return wraps
  }

  /**
   * Reads the coefficients of a block (13). An empty block leaves `block` as it was.
   * @param above index of the flag of the block above; `left` of the one to the left
   * @param block where they go, in rows
   * @returns their sum without signs
   */
  #readBlock(
    tokens: BoolDecoder,
    kind: number,
    factors: Factors,
    above: number,
    left: number,
    block: Int16Array,
  ): number {
    const probabilities = this.#tokenProbabilities
    const [flagsAbove, flagsLeft] = [this.#flagsAbove, this.#flagsLeft]
    const start = kind === LUMA_REST ? 1 : 0
    const context = (flagsAbove[above] ?? 0) + (flagsLeft[left] ?? 0)
    let at = kind * PER_KIND + (BANDS[start] ?? 0) + context * PER_CONTEXT
    const isFull = tokens.bit(probabilities[at] ?? 0)
    flagsAbove[above] = isFull
    flagsLeft[left] = isFull
    if (!isFull) return 0
    block.fill(0)
    let sum = 0
    for (let i = start, node = ENDLESS; i < 16;) {
      const token = tokens.leaf(TOKEN_TREE, probabilities, at, node)
      if (token === END) break
      const place = ZIGZAG[i] ?? 0
      const step = factors[i > 0 ? 1 : 0]
      at = kind * PER_KIND + (BANDS[++i] ?? 0) + Math.min(token, 2) * PER_CONTEXT
      node = token === 0 ? ENDLESS : 0
      if (token === 0) continue
      const range = token < FIRST_RANGE ? undefined : RANGES[token - FIRST_RANGE]
      const size = range ? range.smallest + tokens.number(range.bits) : token
      block[place] = (tokens.bit(128) ? -size : size) * step
      sum += Math.abs(block[place] ?? 0)
    }
    return sum
  }
}

interface Segments {
  /** Of the tree of their numbers. Absent: all macroblocks are of the first. */
  probabilities: Uint8Array | undefined
  /** Indices of their quantisers, or differences from the frame's. Absent: the frame's. */
  indices: number[] | undefined
  isAbsolute: boolean
}

/** Segments of macroblocks (9.3, 19.2). */
function readSegments(header: BoolDecoder): Segments {
  const segments: Segments = { probabilities: undefined, indices: undefined, isAbsolute: true }
  if (!header.flag()) return segments
  const [hasMap, hasData] = [header.flag(), header.flag()]
  segments.indices = [0, 0, 0, 0]
  if (hasData) {
    segments.isAbsolute = header.flag()
    segments.indices = segments.indices.map(() => header.optionalSigned(7))
    for (let i = 0; i < 4; i++) header.optionalSigned(6) // strength of the filter
  }
  const probability = () => (header.flag() ? header.evenNumber(8) : 255)
  if (hasMap) segments.probabilities = new Uint8Array(3).map(probability)
  return segments
}

/** The loop filter (9.6). */
function skipFilter(header: BoolDecoder): void {
  header.evenNumber(10)
  if (header.flag() && header.flag()) for (let i = 0; i < 8; i++) header.optionalSigned(6)
}

/** Partitions of coefficients (9.5). The first ones state their lengths. */
function partitionsOf(data: Uint8Array, sizesAt: number, count: number): BoolDecoder[] {
  let start = sizesAt + 3 * (count - 1)
  return Array.from({ length: count }, (_, i) => {
    const [low = 0, middle = 0, high = 0] = data.subarray(sizesAt + 3 * i)
    const end = i === count - 1 ? data.length : start + (low | (middle << 8) | (high << 16))
    const partition = new BoolDecoder(data.subarray(start, end))
    start = end
    return partition
  })
}

/** Quantisers of each segment (9.6, 14.1). */
function readQuantisers(header: BoolDecoder, { indices, isAbsolute }: Segments): Quantisers[] {
  const base = header.evenNumber(7)
  const [lumaDc, firstsDc, firstsAc, chromaDc, chromaAc] = [0, 0, 0, 0, 0].map(() =>
    header.optionalSigned(4),
  ) as [number, number, number, number, number]
  return (indices ?? [base]).map((value) => {
    const index = indices && !isAbsolute ? base + value : value
    const dc = (offset: number, limit = 127) => factor(DC_FACTORS, index + offset, limit)
    const ac = (offset: number) => factor(AC_FACTORS, index + offset, 127)
    return {
      luma: [dc(lumaDc), ac(0)],
      firsts: [dc(firstsDc) * 2, Math.max(8, Math.trunc((ac(firstsAc) * 155) / 100))],
      chroma: [dc(chromaDc, 117), ac(chromaAc)],
    }
  })
}

function factor(factors: Int16Array, index: number, limit: number): number {
  return factors[Math.max(0, Math.min(limit, index))] ?? 0
}
