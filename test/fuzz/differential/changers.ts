import { below, pick, type Random } from '../choose.ts'
import { changeTiff } from '../tiff.ts'
import { insert, splice, viewOf, withByte } from './bytes.ts'
import { changeJpeg } from './change-jpeg.ts'
import { changePng } from './change-png.ts'
import type { ComparedFormat } from './formats.ts'

/** Changes what a file of a format is made of. */
type Changer = (file: Uint8Array, random: Random) => Uint8Array

export const CHANGERS: Record<ComparedFormat, Changer> = {
  jpeg: changeJpeg,
  png: changePng,
  gif: changeGif,
  bmp: changeBmp,
  webp: changeWebp,
  avif: changeAvif,
  tiff: changeTiff,
}

/** Changes the screen, the blocks before images, their places and sizes, or their data. */
function changeGif(file: Uint8Array, random: Random): Uint8Array {
  const images = placesOf(file, (at) => file[at] === 0x2c && file[at + 1] === 0).slice(0, 4)
  const controls = placesOf(file, (at) => file[at] === 0x21 && file[at + 1] === 0xf9)
  const image = images.length > 0 ? pick(images, random) : 13
  const control = controls.length > 0 ? pick(controls, random) : 13
  const sizes = [0, 1, 30, 60, 96, 118, 200]
  switch (below(7, random)) {
    case 0:
      return withByte(file, pick([6, 8, 10, 11, 12], random), pick([...sizes, 0xf0], random))
    case 1:
      return withByte(file, image + 1 + 2 * below(4, random), pick(sizes, random))
    case 2:
      return withByte(file, image + 9, pick([0, 0x40, 0x80, 0x86, 0xc6], random))
    case 3:
      return withByte(file, control + 3, pick([0, 1, 4, 5, 8, 9, 12, 13, 0x1c], random))
    case 4:
      return withByte(file, control + 6, below(256, random))
    case 5:
      return insert(file, image, pick(GIF_BLOCKS, random))
    default:
      return changeEnd(file, random)
  }
}

/** A comment, loops, text, and bytes that are no block. */
const GIF_BLOCKS = [
  [0x21, 0xfe, 3, 1, 2, 3, 0],
  [0x21, 0xff, 11, ...Buffer.from('NETSCAPE2.0'), 3, 1, 0, 0, 0],
  [0x21, 0x01, 12, 0, 0, 0, 0, 9, 0, 9, 0, 8, 8, 1, 0, 1, 65, 0],
  [0, 0],
]

function changeBmp(file: Uint8Array, random: Random): Uint8Array {
  if (random() < 0.15) return changeEnd(file, random)
  const at = pick([10, 14, 18, 22, 26, 28, 30, 34, 46, 50, 54, 58, 66, 70], random)
  const value = pick([0, 1, 2, 3, 8, 12, 40, 54, 64, 70, 72, 118, 124, 310, 1078], random)
  const copy = file.slice()
  if (at + 4 <= copy.length) viewOf(copy).setUint16(at, value, true)
  return copy
}

/** Changes the size and flags of a WebP, or inserts, removes and repeats its chunks. */
function changeWebp(file: Uint8Array, random: Random): Uint8Array {
  if (file.length < 20) return file
  const starts: number[] = []
  const view = viewOf(file)
  for (let at = 12; at + 8 <= file.length;) {
    starts.push(at)
    const length = view.getUint32(at + 4, true)
    at += 8 + length + (length % 2)
  }
  const i = below(starts.length, random)
  const start = starts[i] ?? 12
  const chunk = file.subarray(start, starts[i + 1] ?? file.length)
  switch (below(7, random)) {
    case 0:
      if (starts.length < 2) return changeEnd(file, random)
      return withByte(file, 20, (file[20] ?? 0) ^ pick([2, 8, 0x10, 0x20], random))
    case 1: {
      const copy = file.slice()
      viewOf(copy).setUint32(4, Math.max(4, file.length - 8 - below(60, random)), true)
      return copy
    }
    case 2:
      return insert(file, pick([start, file.length], random), frameChunk(random))
    case 3:
      return splice(file, start, chunk.length, [])
    case 4:
      return insert(file, start, chunk)
    case 5:
      return withByte(file, start + 8 + below(16, random), below(256, random))
    default:
      return changeEnd(file, random)
  }
}

/** A frame without a picture. */
function frameChunk(random: Random): number[] {
  return [...Buffer.from('ANMF'), 20, 0, 0, 0, ...Array<number>(20).fill(below(3, random))]
}

/** Changes the brand, values of properties and boxes, or what follows. */
function changeAvif(file: Uint8Array, random: Random): Uint8Array {
  const text = Buffer.from(file.buffer, file.byteOffset, file.length)
  const name = pick(['irot', 'imir', 'clap', 'ispe', 'pixi', 'av1C', 'ipma', 'pitm'], random)
  const at = text.indexOf(name)
  switch (below(5, random)) {
    case 0:
      return splice(file, 8, 4, Buffer.from(pick(['avif', 'avis', 'mif1', 'miaf'], random)))
    case 1:
      return at < 0 ? file : withByte(file, at + 4 + below(12, random), below(4, random))
    case 2:
      return at < 0 ? file : splice(file, at, 4, Buffer.from('free'))
    case 3: {
      const head = text.indexOf('mdat')
      return withByte(file, below(head < 0 ? 100 : head, random), below(256, random))
    }
    default:
      return changeEnd(file, random)
  }
}

/** Cuts a file off, changes some of its last half, or puts bytes behind it. */
function changeEnd(file: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(file.length * (0.5 + random() / 2))
  const bytes = Array.from({ length: 1 + below(30, random) }, () => below(256, random))
  const where = below(3, random)
  if (where === 0) return file.slice(0, at)
  return where === 1 ? splice(file, at, bytes.length, bytes) : insert(file, file.length, bytes)
}

function placesOf(file: Uint8Array, isPlace: (at: number) => boolean): number[] {
  const places: number[] = []
  for (let at = 13; at + 10 < file.length; at++) if (isPlace(at)) places.push(at)
  return places
}
