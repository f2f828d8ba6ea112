import { atOnce, only } from '../../util/steps.ts'
import { Inflater } from '../archive/inflate.ts'
import type { ScanBudget } from '../budget.ts'

/**
 * Yields bytes as they are produced, and returns how they end. The chunks are reused. `damaged`:
 * the bytes end at an invalid code, or a checksum is wrong.
 */
export type Unpacked = Generator<Uint8Array, 'ended' | 'damaged' | 'over-limit'>

/** Chunk size for data that is not packed. */
const CHUNK_BYTES = 64 * 1024

/** Unpacked data, in chunks like packed data. */
export function* inChunks(data: Uint8Array): Unpacked {
  for (let at = 0; at < data.length; at += CHUNK_BYTES) yield data.subarray(at, at + CHUNK_BYTES)
  return 'ended'
}

/** Bytes inflated at once: up to a thousand times as many may come out. */
const INPUT_BYTES = 1024
/** Bytes of output at once. */
const OUTPUT_BYTES = 16 * 1024
const ZLIB_HEADER_BYTES = 2

/** zlib (RFC 1950), whatever its header says. */
export function* inflate(data: Uint8Array, budget: ScanBudget): Unpacked {
  const out: Uint8Array[] = []
  let sum = 1
  const inflater = new Inflater(budget, (bytes) => only(void out.push(bytes)))
  for (let at = ZLIB_HEADER_BYTES; at < data.length && !inflater.isClosed; at += INPUT_BYTES) {
    atOnce(inflater.push(data.subarray(at, at + INPUT_BYTES)))
    for (const bytes of out.splice(0)) {
      sum = adler32(bytes, sum)
      yield bytes
    }
  }
  if (inflater.state === 'over-limit') return 'over-limit'
  const trailer = data.subarray(ZLIB_HEADER_BYTES + inflater.inBytes).subarray(0, 4)
  const isWrong =
    trailer.length === 4 && trailer.some((byte, i) => byte !== (sum >>> (24 - 8 * i)) % 256)
  return inflater.state === 'damaged' || isWrong || !isZlibHeader(data) ? 'damaged' : 'ended'
}

function isZlibHeader(data: Uint8Array): boolean {
  const [method = 0, flags = 0] = data
  return (method & 15) === 8 && (method * 256 + flags) % 31 === 0 && (flags & 0x20) === 0
}

/** Largest prime below 2 ** 16, and bytes that can be added before the sums exceed 32 bits. */
const [ADLER_BASE, ADLER_BYTES] = [65_521, 5552]

/** Adler-32 (RFC 1950, section 8.2), continued from the sum of the bytes before. */
function adler32(bytes: Uint8Array, before: number): number {
  let [low, high] = [before & 0xffff, before >>> 16]
  for (let at = 0; at < bytes.length; at += ADLER_BYTES) {
    const end = Math.min(bytes.length, at + ADLER_BYTES)
    for (let i = at; i < end; i++) {
      low += bytes[i] ?? 0
      high += low
    }
    low %= ADLER_BASE
    high %= ADLER_BASE
  }
  return high * 65_536 + low
}

/** PackBits (TIFF 6.0, section 9). PDF's RunLengthDecode is the same. */
export function* unpackRuns(data: Uint8Array): Unpacked {
  let at = 0
  while (at < data.length) {
    const head = data[at++] ?? 0
    if (head < 128) {
      yield data.subarray(at, at + head + 1)
      at += head + 1
    } else if (head > 128) {
      const value = data[at++]
      if (value !== undefined) yield new Uint8Array(257 - head).fill(value)
    }
  }
  return 'ended'
}

const CLEAR = 256
const END = 257
const MAX_CODES = 4096

/**
 * LZW (TIFF 6.0, section 13): codes of 9 to 12 bits, the highest bit first. With `early`, codes get
 * longer one code early.
 */
export function* unpackLzw(data: Uint8Array, early: 0 | 1 = 1): Unpacked {
  const prefixes = new Uint16Array(MAX_CODES)
  const lasts = Uint8Array.from({ length: MAX_CODES }, (_, code) => code & 255)
  const firsts = lasts.slice()
  const lengths = new Uint16Array(MAX_CODES).fill(1)
  const out = new Uint8Array(OUTPUT_BYTES)
  let [filled, at, bits, held] = [0, 0, 0, 0]
  let [next, size, previous] = [END + 1, 9, -1]
  let isDamaged = false
  for (;;) {
    while (bits < size && at < data.length) {
      held = ((held << 8) | (data[at++] ?? 0)) & 0xffffff
      bits += 8
    }
    if (bits < size) break
    bits -= size
    const code = (held >> bits) & ((1 << size) - 1)
    if (code === END) break
    if (code === CLEAR) {
      ;[next, size, previous] = [END + 1, 9, -1]
      continue
    }
    if (code > next || (code === next && previous < 0) || (previous < 0 && code > END)) {
      isDamaged = true
      break
    }
    if (previous >= 0 && next < MAX_CODES) {
      prefixes[next] = previous
      firsts[next] = firsts[previous] ?? 0
      lasts[next] = (code === next ? firsts[previous] : firsts[code]) ?? 0
      lengths[next] = (lengths[previous] ?? 0) + 1
      next++
      if (next >= (1 << size) - early && size < 12) size++
    }
    const length = lengths[code] ?? 1
    if (filled + length > out.length) {
      yield out.subarray(0, filled)
      filled = 0
    }
    filled += length
    let from = code
    for (let to = filled - 1; to >= filled - length; to--) {
      out[to] = lasts[from] ?? 0
      from = prefixes[from] ?? 0
    }
    previous = code
  }
  yield out.subarray(0, filled)
  return isDamaged ? 'damaged' : 'ended'
}
