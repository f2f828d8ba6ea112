import { atOnce, only } from '../../util/steps.ts'
import { Inflater } from '../archive/inflate.ts'
import type { ScanBudget } from '../budget.ts'

/**
 * Yields bytes as they are produced, and returns how they end. The chunks are reused. Damaged data
 * ends early.
 */
export type Unpacked = Generator<Uint8Array, 'ended' | 'over-limit'>

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
  const inflater = new Inflater(budget, (bytes) => only(void out.push(bytes)))
  for (let at = ZLIB_HEADER_BYTES; at < data.length && !inflater.isClosed; at += INPUT_BYTES) {
    atOnce(inflater.push(data.subarray(at, at + INPUT_BYTES)))
    yield* out.splice(0)
  }
  return inflater.state === 'over-limit' ? 'over-limit' : 'ended'
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
    if (code > next || (code === next && previous < 0) || (previous < 0 && code > END)) break
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
  return 'ended'
}
