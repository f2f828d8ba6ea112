import { crc32, inflateSync } from 'node:zlib'
import type { Shown } from './reading.ts'
import type { ComparedFormat } from './formats.ts'

/** A file, and what a program shows of it. */
interface Read {
  file: Buffer
  program: string
  shown: Shown
}

interface Class {
  name: string
  format: ComparedFormat
  holds(read: Read): boolean
}

/** Why a file may be read differently: the classes of docs/decoding.md. */
const CLASSES: readonly Class[] = [
  { name: 'four inks', format: 'jpeg', holds: ({ file }) => frameOf(file)?.count === 4 },
  { name: 'cut off', format: 'jpeg', holds: ({ file }) => !file.includes(Buffer.of(0xff, 0xd9)) },
  { name: 'luma subsampled', format: 'jpeg', holds: ({ file }) => isLumaSubsampled(file) },
  { name: 'broken data', format: 'png', holds: ({ file }) => hasBrokenData(file) },
  {
    name: 'colours out of range, subsampled',
    format: 'jpeg',
    holds: ({ file, shown }) => isSubsampled(file) && clampedShare(shown) > 0.15,
  },
]

/** The class that explains a difference; `undefined`: none. */
export function classOf(
  format: ComparedFormat,
  program: string,
  file: Uint8Array,
  shown: Shown,
): string | undefined {
  const read = { file: Buffer.from(file), program, shown }
  return CLASSES.find((one) => one.format === format && one.holds(read))?.name
}

/** Components of a JPEG's frame, and their sampling factors. */
function frameOf(file: Buffer): { count: number; samplings: number[] } | undefined {
  for (let at = 2; at + 10 < file.length; at++) {
    if (file[at] !== 0xff || ![0xc0, 0xc1, 0xc2].includes(file[at + 1] ?? 0)) continue
    const count = file[at + 9] ?? 0
    return { count, samplings: Array.from({ length: count }, (_, i) => file[at + 11 + 3 * i] ?? 0) }
  }
  return undefined
}

function isSubsampled(file: Buffer): boolean {
  return new Set(frameOf(file)?.samplings).size > 1
}

/** Whether some component has more samples than luma, which is then smoothed by decoders. */
function isLumaSubsampled(file: Buffer): boolean {
  const [luma = 0, ...others] = frameOf(file)?.samplings ?? []
  return others.some((one) => one >> 4 > luma >> 4 || (one & 15) > (luma & 15))
}

/** Whether the data of a PNG's image is damaged: programs show other rows of it. */
function hasBrokenData(file: Buffer): boolean {
  const parts: Buffer[] = []
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at)
    const chunk = file.subarray(at + 4, at + 8 + length)
    if (at + 12 + length > file.length || crc32(chunk) !== file.readUInt32BE(at + 8 + length))
      return true
    if (chunk.subarray(0, 4).equals(Buffer.from('IDAT'))) parts.push(chunk.subarray(4))
    at += 12 + length
  }
  try {
    inflateSync(Buffer.concat(parts))
    return false
  } catch {
    return true
  }
}

/** Share of pixels of which a channel is at an end of its range. */
function clampedShare({ pixels, width, height }: Shown): number {
  let count = 0
  for (let at = 0; at < width * height * 4; at += 4) {
    const channels = pixels.subarray(at, at + 3)
    if (channels.includes(0) || channels.includes(255)) count++
  }
  return count / (width * height)
}
