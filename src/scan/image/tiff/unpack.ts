import { atOnce, only } from '../../../util/steps.ts'
import { Inflater } from '../../archive/inflate.ts'
import type { ScanBudget } from '../../budget.ts'
import type { Compression } from './page.ts'

/** Takes bytes as they come out. Returns whether it wants more. They are changed afterwards. */
export type ByteSink = (bytes: Uint8Array) => boolean

/** Bytes that come out at once. */
const OUTPUT_BYTES = 16 * 1024
const ZLIB_HEADER_BYTES = 2

/** Decompresses a segment, until it ends or no more is wanted. What is damaged ends there. */
export function unpack(
  compression: Exclude<Compression, 'jpeg'>,
  data: Uint8Array,
  budget: ScanBudget,
  sink: ByteSink,
): 'ended' | 'over-limit' {
  if (compression === 'none') sink(data)
  else if (compression === 'packbits') unpackRuns(data, sink)
  else if (compression === 'lzw') unpackLzw(data, sink)
  else return inflate(data, budget, sink)
  return 'ended'
}

function inflate(data: Uint8Array, budget: ScanBudget, sink: ByteSink): 'ended' | 'over-limit' {
  const inflater = new Inflater(budget, (bytes) => {
    if (!sink(bytes)) inflater.state = 'ended'
    return only(undefined)
  })
  atOnce(inflater.push(data.subarray(ZLIB_HEADER_BYTES)))
  return inflater.state === 'over-limit' ? 'over-limit' : 'ended'
}

/** PackBits (TIFF 6.0, section 9). */
function unpackRuns(data: Uint8Array, sink: ByteSink): void {
  let at = 0
  while (at < data.length) {
    const head = data[at++] ?? 0
    if (head < 128) {
      if (!sink(data.subarray(at, at + head + 1))) return
      at += head + 1
    } else if (head > 128) {
      const value = data[at++]
      if (value === undefined || !sink(new Uint8Array(257 - head).fill(value))) return
    }
  }
}

const CLEAR = 256
const END = 257
const MAX_CODES = 4096

/** LZW (TIFF 6.0, section 13): codes of 9 to 12 bits, the highest bit first, longer one code early. */
function unpackLzw(data: Uint8Array, sink: ByteSink): void {
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
      if (next >= (1 << size) - 1 && size < 12) size++
    }
    const length = lengths[code] ?? 1
    if (filled + length > out.length) {
      if (!sink(out.subarray(0, filled))) return
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
  sink(out.subarray(0, filled))
}
