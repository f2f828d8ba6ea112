import { below, pick, type Random } from './choose.ts'

const TELLING_BYTES = [0, 1, 2, 3, 7, 8, 15, 16, 63, 64, 127, 128, 254, 255]
const TELLING_NUMBERS = [0, 1, 0x7f, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0xffffffff]

/** Changes bytes anywhere. */
export function mutateBytes(file: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (file.length < 4) return file
  const copy = file.slice()
  // Headers decide most: half of the changes are in the first 200 bytes.
  const at = below(random() < 0.5 ? Math.min(200, copy.length) : copy.length, random)
  const to = at + below(copy.length - at, random)
  switch (below(8, random)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << below(8, random))
      return copy
    case 1:
      copy[at] = pick(TELLING_BYTES, random)
      return copy
    case 2:
      return setNumber(copy, at, pick(TELLING_NUMBERS, random), random)
    case 3:
      return copy.subarray(0, at)
    case 4:
      return concat(copy.subarray(0, at), copy.subarray(to))
    case 5:
      return concat(copy.subarray(0, to), copy.subarray(at))
    case 6:
      return concat(copy.subarray(0, at), other.subarray(below(other.length, random)))
    default:
      for (let i = at; i < Math.min(to, at + 1 + below(64, random)); i++)
        copy[i] = below(256, random)
      return copy
  }
}

/** Writes a number of 2 or 4 bytes, in either order. */
function setNumber(copy: Uint8Array, at: number, value: number, random: Random): Uint8Array {
  const bytes = random() < 0.5 ? 2 : 4
  if (at + bytes > copy.length) return copy
  const view = new DataView(copy.buffer, copy.byteOffset)
  const isLittle = random() < 0.5
  if (bytes === 2) view.setUint16(at, value & 0xffff, isLittle)
  else view.setUint32(at, value, isLittle)
  return copy
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
