/**
 * First bytes of a codestream, which contain its headers unless it has custom weights or thousands
 * of channels.
 */
export const CODESTREAM_BYTES = 1024

/**
 * Whether a bare JPEG XL codestream may begin here (ISO/IEC 18181-1:2024, annexes B, D and F.2).
 * Its signature has only two bytes. So the headers are read too, up to the table of contents of the
 * first frame. Like a decoder, the check rejects undefined values, floats that are not finite, and
 * padding that is not zero. A bare codestream has no box that states its level, so annex M allows
 * it 2^28 pixels; only MAX_PIXELS is enforced. Of random bytes after the signature, 1 in 40 pass.
 */
export function isCodestream(head: Uint8Array): boolean {
  if (!hasCodestreamMark(head)) return false
  const bits = new Bits(head.subarray(2, CODESTREAM_BYTES))
  readHeaders(bits)
  return !bits.isBad && (!bits.isOver || head.length >= CODESTREAM_BYTES)
}

/** Whether bytes begin with the two bytes of a bare codestream. */
export function hasCodestreamMark(head: Uint8Array): boolean {
  return head[0] === 0xff && head[1] === 0x0a
}

/** A value that two bits select: a constant, or a number of this many bits plus `add`. */
type Choice = number | { bits: number; add: number }

/** Reads bits, lowest first. */
class Bits {
  readonly #bytes: Uint8Array
  #at = 0
  /** Whether a value that was read in full is invalid. */
  isBad = false
  /** Whether more bits were read than the input has. */
  isOver = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** A number of `count` bits, at most 32. */
  u(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++, this.#at++)
      value += (((this.#bytes[this.#at >> 3] ?? 0) >> (this.#at & 7)) & 1) * 2 ** i
    this.isOver ||= this.#at > this.#bytes.length * 8
    return value
  }

  bool(): boolean {
    return this.u(1) === 1
  }

  u32(...choices: readonly [Choice, Choice, Choice, Choice]): number {
    const choice = choices[this.u(2)] ?? 0
    return typeof choice === 'number' ? choice : this.u(choice.bits) + choice.add
  }

  /** A number of up to 64 bits. */
  u64(): number {
    const kind = this.u(2)
    if (kind < 3) return [0, 1 + this.#small(kind, 4), 17 + this.#small(kind - 1, 8)][kind] ?? 0
    let value = this.u(12)
    for (let shift = 12; this.bool(); shift += 8) {
      value += this.u(shift === 60 ? 4 : 8) * 2 ** shift
      if (shift === 60) break
    }
    return value
  }

  #small(isThis: number, count: number): number {
    return isThis === 1 ? this.u(count) : 0
  }

  enumerated(values: ReadonlySet<number>): number {
    const value = this.u32(0, 1, { bits: 4, add: 2 }, { bits: 6, add: 18 })
    this.must(values.has(value))
    return value
  }

  /** Reads a 16-bit float. Returns its bits. */
  f16(): number {
    const value = this.u(16)
    this.must((value & 0x7c00) !== 0x7c00)
    return value
  }

  f16s(count: number): void {
    for (let i = 0; i < count && !this.isDone; i++) this.f16()
  }

  skip(count: number): void {
    this.#at += count
    this.isOver ||= this.#at > this.#bytes.length * 8
  }

  pad(): void {
    this.must(this.u(-this.#at & 7) === 0)
  }

  must(isSo: boolean): void {
    this.isBad ||= !this.isOver && !isSo
  }

  get isDone(): boolean {
    return this.isBad || this.isOver
  }
}

/** Maximum pixels: no program shows a larger image, whatever its level. */
const MAX_PIXELS = 2 ** 30

/** Width divided by height, by the code of the ratio. */
const RATIOS = [0, 1, 12 / 10, 4 / 3, 3 / 2, 16 / 9, 5 / 4, 2]

/** Values of the image headers that frame headers depend on. */
interface Codestream {
  isXyb: boolean
  channels: number
  /** Whether a profile precedes the first frame. Its data is compressed. */
  hasProfile: boolean
}

function readHeaders(bits: Bits): void {
  readSize(bits)
  const image = readMetadata(bits)
  readTransforms(bits, image)
  if (image.hasProfile) return
  bits.pad()
  if (bits.bool()) readContents(bits)
  else readFrameHeader(bits, image)
}

function readSize(bits: Bits): void {
  const isSmall = bits.bool()
  const side = () =>
    isSmall
      ? 8 * (1 + bits.u(5))
      : bits.u32(...([9, 13, 18, 30].map((count) => ({ bits: count, add: 1 })) as Choices))
  const height = side()
  const ratio = RATIOS[bits.u(3)] ?? 0
  const width = ratio === 0 ? side() : Math.floor(height * ratio + 1e-9)
  bits.must(width > 0 && width * height <= MAX_PIXELS)
}

type Choices = [Choice, Choice, Choice, Choice]

const DEFAULT: Codestream = { isXyb: true, channels: 0, hasProfile: false }

function readMetadata(bits: Bits): Codestream {
  if (bits.bool()) return DEFAULT
  const hasMore = bits.bool()
  if (hasMore) {
    bits.skip(3) // orientation
    if (bits.bool()) readSize(bits)
    if (bits.bool()) readPreview(bits)
    if (bits.bool()) readAnimation(bits)
  }
  readDepth(bits)
  bits.skip(1) // whether 16-bit buffers are enough
  const channels = bits.u32(0, 1, { bits: 4, add: 2 }, { bits: 12, add: 1 })
  for (let i = 0; i < channels && !bits.isDone; i++) readChannel(bits)
  const isXyb = bits.bool()
  const hasProfile = readColours(bits)
  if (hasMore) readTones(bits)
  readExtensions(bits)
  return { isXyb, channels, hasProfile }
}

function readPreview(bits: Bits): void {
  const isSmall = bits.bool()
  const side = () =>
    isSmall
      ? 8 * bits.u32(16, 32, { bits: 5, add: 1 }, { bits: 9, add: 33 })
      : bits.u32(
          { bits: 6, add: 1 },
          { bits: 8, add: 65 },
          { bits: 10, add: 321 },
          { bits: 12, add: 1345 },
        )
  side()
  if (bits.u(3) === 0) side()
}

function readAnimation(bits: Bits): void {
  bits.u32(100, 1000, { bits: 10, add: 1 }, { bits: 30, add: 1 }) // ticks per second
  bits.u32(1, 1001, { bits: 8, add: 1 }, { bits: 10, add: 1 })
  bits.u32(0, { bits: 3, add: 0 }, { bits: 16, add: 0 }, { bits: 32, add: 0 }) // loops
  bits.skip(1) // whether frames have timecodes
}

function readDepth(bits: Bits): void {
  if (!bits.bool()) {
    bits.must(bits.u32(8, 10, 12, { bits: 6, add: 1 }) <= 31)
    return
  }
  const all = bits.u32(32, 16, 24, { bits: 6, add: 1 })
  const exponent = 1 + bits.u(4)
  const mantissa = all - exponent - 1
  bits.must(exponent >= 2 && exponent <= 8 && mantissa >= 2 && mantissa <= 23)
}

const [SPOT, COLOUR_FILTER] = [2, 5]
const CHANNELS: ReadonlySet<number> = new Set(Array.from({ length: 17 }, (_, kind) => kind))

function readChannel(bits: Bits): void {
  if (bits.bool()) return
  const kind = bits.enumerated(CHANNELS)
  readDepth(bits)
  bits.must(bits.u32(0, 3, 4, { bits: 3, add: 1 }) <= 8)
  readName(bits)
  if (kind === 0) bits.skip(1) // premultiplied
  if (kind === SPOT) bits.f16s(4)
  if (kind === COLOUR_FILTER)
    bits.u32(1, { bits: 2, add: 0 }, { bits: 4, add: 3 }, { bits: 8, add: 19 })
}

function readName(bits: Bits): void {
  bits.skip(8 * bits.u32(0, { bits: 4, add: 0 }, { bits: 5, add: 16 }, { bits: 10, add: 48 }))
}

const [GREY, XYB, UNKNOWN] = [1, 2, 3]
const SPACES: ReadonlySet<number> = new Set([0, GREY, XYB, UNKNOWN])
const WHITES: ReadonlySet<number> = new Set([1, 2, 10, 11])
const PRIMARIES: ReadonlySet<number> = new Set([1, 2, 9, 11])
const TRANSFERS: ReadonlySet<number> = new Set([1, 2, 8, 13, 16, 17, 18])
const INTENTS: ReadonlySet<number> = new Set([0, 1, 2, 3])
const CUSTOM = 2

/** Returns whether a profile follows the headers. */
function readColours(bits: Bits): boolean {
  if (bits.bool()) return false
  const hasProfile = bits.bool()
  const space = bits.enumerated(SPACES)
  if (hasProfile) return true
  bits.must(space !== UNKNOWN)
  if (space !== XYB && bits.enumerated(WHITES) === CUSTOM) readPoints(bits, 1)
  const hasPrimaries = space !== XYB && space !== GREY
  if (hasPrimaries && bits.enumerated(PRIMARIES) === CUSTOM) readPoints(bits, 3)
  if (space !== XYB) {
    if (bits.bool()) bits.must(bits.u(24) <= 10_000_000)
    else bits.must(bits.enumerated(TRANSFERS) !== CUSTOM)
  }
  bits.enumerated(INTENTS)
  return false
}

function readPoints(bits: Bits, count: number): void {
  const choices = [19, 19, 20, 21].map((size, i) => ({ bits: size, add: i && 2 ** (18 + i) }))
  for (let i = 0; i < 2 * count; i++) bits.u32(...(choices as Choices))
}

function readTones(bits: Bits): void {
  if (bits.bool()) return
  const target = bits.f16()
  bits.must(target > 0 && target < 0x8000)
  const least = bits.f16()
  bits.must((least <= target || least === 0x8000) && !bits.isBad)
  bits.skip(1)
  bits.f16()
}

/** Programs skip extensions that they do not know. */
function readExtensions(bits: Bits): void {
  let size = 0
  for (let left = bits.u64(); left > 0 && !bits.isDone; left = Math.floor(left / 2))
    if (left % 2 === 1) size += bits.u64()
  bits.skip(size)
}

/** Number of weights for upsampling by 2, 4 and 8. */
const WEIGHTS = [15, 55, 210]

function readTransforms(bits: Bits, { isXyb }: Codestream): void {
  if (bits.bool()) return
  if (isXyb && !bits.bool()) bits.f16s(16)
  const mask = bits.u(3)
  for (const [i, count] of WEIGHTS.entries()) if (mask & (1 << i)) bits.f16s(count)
}

/** The table of contents of a frame, unless it is permuted. */
function readContents(bits: Bits): void {
  if (!bits.bool()) bits.pad()
}

/** Types of frames. Other frames refer to those of low frequencies. */
const [REGULAR, LOW, REFERENCE, SKIPPED] = [0, 1, 2, 3]
const USES_LOW = 32

/** A frame header, up to how the frame is blended. */
function readFrameHeader(bits: Bits, { isXyb, channels }: Codestream): void {
  const kind = bits.u(2)
  const isModular = bits.bool()
  const usesLow = Math.floor(bits.u64() / USES_LOW) % 2 === 1
  const isYcc = !isXyb && bits.bool()
  if (isYcc && !usesLow) bits.skip(6)
  if (!usesLow) bits.skip(2 * (1 + channels))
  if (isModular) bits.skip(2)
  else if (isXyb) bits.skip(6)
  if (kind !== REFERENCE) readPasses(bits)
  if (kind === LOW) bits.skip(2)
  else if (bits.bool()) readCrop(bits, kind !== REFERENCE)
  if (kind === REGULAR || kind === SKIPPED) bits.must(bits.u32(0, 1, 2, { bits: 2, add: 3 }) <= 4)
}

function readPasses(bits: Bits): void {
  const passes = bits.u32(1, 2, 3, { bits: 3, add: 4 })
  if (passes === 1) return
  const smaller = bits.u32(0, 1, 2, { bits: 1, add: 3 })
  bits.must(smaller <= passes)
  bits.skip(2 * (passes - 1) + 2 * smaller)
  for (let i = 0; i < smaller; i++) bits.must(bits.u32(0, 1, 2, { bits: 3, add: 0 }) < passes)
}

function readCrop(bits: Bits, isPlaced: boolean): void {
  const side = () =>
    bits.u32(
      { bits: 8, add: 0 },
      { bits: 11, add: 256 },
      { bits: 14, add: 2304 },
      { bits: 30, add: 18688 },
    )
  if (isPlaced) {
    side()
    side()
  }
  bits.must(side() > 0)
  bits.must(side() > 0)
}
