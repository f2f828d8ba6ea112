import sharp, { type Sharp } from 'sharp'
import { avifParts, avifSequence, avifWith, box } from '../../support/avif-parts.ts'
import { writeBmp } from '../../support/bmp-writer.ts'
import { writeGif } from '../../support/gif-writer.ts'
import { writeJpeg } from '../../support/jpeg-writer.ts'
import { writePng } from '../../support/png-writer.ts'
import { scene } from '../../support/scene.ts'
import { picture } from '../../support/sharp-images.ts'
import { below, pick, type Random } from '../choose.ts'
import { mutateParts } from '../mutate.ts'

/** Formats that are compared with other programs. */
export const FORMATS = ['jpeg', 'png', 'gif', 'bmp', 'webp', 'avif'] as const
export type ComparedFormat = (typeof FORMATS)[number]

const [WIDTH, HEIGHT] = [160, 120]
const SCENES = [1, 2, 3, 4].map((seed) => scene(WIDTH, HEIGHT, 3, seed).data)
const CLEAR = scene(WIDTH, HEIGHT, 4, 5).data

/** Files by other encoders, which changes begin with. */
export async function encodedFiles(): Promise<Record<ComparedFormat, Uint8Array[]>> {
  const image = (seed: number) => picture(WIDTH, HEIGHT, 3, seed)
  const clear = picture(WIDTH, HEIGHT, 4, 5)
  const exif = { IFD0: { Orientation: '6' } }
  const pages = await Promise.all(
    [1, 2, 3].map((seed) => picture(80, 60, 4, seed).png().toBuffer()),
  )
  const animation = () => sharp(pages, { join: { animated: true } })
  // Copies, since a slice of a Buffer is not one.
  const encode = (images: Sharp[]) =>
    Promise.all(images.map(async (one) => new Uint8Array(await one.toBuffer())))
  return {
    jpeg: await encode([
      ...[30, 75, 95].map((quality) => image(1).jpeg({ quality })),
      image(2).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
      image(3).jpeg({ mozjpeg: true }),
      image(2).jpeg().withExif(exif),
      image(1).toColourspace('b-w').jpeg(),
      picture(1200, 900, 3, 6).jpeg({ quality: 85 }),
      picture(1200, 900, 3, 7).jpeg({ progressive: true }),
    ]),
    png: await encode([
      image(1).png(),
      image(2).png({ progressive: true }),
      image(3).png({ palette: true, colours: 64 }),
      clear.clone().png(),
      image(1).toColourspace('b-w').png(),
      image(2).toColourspace('rgb16').png(),
    ]),
    gif: await encode([image(1).gif(), clear.clone().gif(), animation().gif()]),
    bmp: [],
    webp: await encode([
      image(1).webp(),
      image(2).webp({ lossless: true }),
      clear.clone().webp(),
      animation().webp(),
    ]),
    avif: await avifFiles(image, clear),
  }
}

async function avifFiles(image: (seed: number) => Sharp, clear: Sharp): Promise<Uint8Array[]> {
  const still = async (seed: number) =>
    new Uint8Array(await image(seed).avif({ effort: 0 }).toBuffer())
  const parts = await Promise.all([1, 2, 3].map(async (seed) => avifParts(await still(seed))))
  const [first] = parts
  const clap = [100, 1, 80, 1, -10, 1, 6, 1].flatMap((value) => Array.from(int32(value)))
  const properties = [
    [],
    [box('irot', [1])],
    [box('irot', [3]), box('imir', [0])],
    [box('clap', clap)],
  ]
  return [
    await still(4),
    new Uint8Array(await clear.clone().avif({ effort: 0 }).toBuffer()),
    ...properties.map((own) => avifWith(first!, own)),
    avifSequence(parts, [1, 2, 3]),
    avifSequence(parts, [1], 'avif'),
  ]
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A file that is valid, or nearly so: of an encoder, or of random structure, and changed once or twice, or not at all. */
export function structured(
  format: ComparedFormat,
  encoded: Uint8Array[],
  random: Random,
): Uint8Array {
  const own = WRITERS[format]
  const isOwn = own !== undefined && (encoded.length === 0 || random() < 0.5)
  let file = isOwn ? own(random) : pick(encoded, random)
  for (let times = below(3, random); times > 0; times--) {
    const other = encoded.length > 0 ? pick(encoded, random) : file
    const changer = random() < 0.6 ? CHANGERS[format] : undefined
    if (changer) file = changer(file, random)
    else if (!BY_CONTAINER.has(format)) file = mutateParts(file, other, format, random)
  }
  return file
}

/** Formats whose parts are of no use without their places. */
const BY_CONTAINER: ReadonlySet<string> = new Set(['webp', 'avif'])

type Writer = (random: Random) => Uint8Array
type Changer = (file: Uint8Array, random: Random) => Uint8Array

const grey = (pixels: Uint8Array) => (x: number, y: number) =>
  pixels[(Math.min(y, HEIGHT - 1) * WIDTH + Math.min(x, WIDTH - 1)) * 3 + 1] ?? 0

const WRITERS: Partial<Record<ComparedFormat, Writer>> = {
  jpeg(random) {
    const value = grey(pick(SCENES, random))
    const samplings = pick(
      [
        [1, 1, 1],
        [2, 1, 1],
        [1, 2, 1],
        [2, 2, 1],
        [4, 1, 1],
      ],
      random,
    )
    const count = pick([1, 1, 3, 3, 3, 3, 4], random)
    // Chroma as strong as luma leaves the range of colours.
    const tint = pick([0.2, 0.2, 0.2, 1], random)
    const component = (sampling: number, shift: number) => ({
      h: pick([1, sampling], random),
      v: pick([1, sampling], random),
      sample: (x: number, y: number) =>
        128 + (value(x + shift, y) - 128) * (shift === 0 ? 1 : tint),
    })
    const components = Array.from({ length: count }, (_, i) => component(samplings[i] ?? 1, i * 3))
    const numbers = components.map((_, i) => i)
    const wild = random() < 0.3
    const magnitude = pick([300, 2000, 9000, 30_000], random)
    return writeJpeg({
      ...{ width: WIDTH, height: HEIGHT, components },
      step: pick([1, 4, 16, 99, 255], random),
      scans: pick([[numbers], [numbers], numbers.map((i) => [i])], random),
      restartInterval: pick([0, 0, 3, 17], random),
      ...(random() < 0.3 && { adobeTransform: below(3, random) }),
      ...(wild && { coefficients: wildBlocks(value, magnitude, random) }),
    })
  },
  png(random) {
    const pixels = pick(SCENES, random)
    const formats = [
      [0, 8],
      [0, 16],
      [0, 4],
      [2, 8],
      [2, 16],
      [3, 8],
      [4, 8],
      [6, 8],
      [6, 16],
    ] as const
    const [colourType, depth] = pick(formats, random)
    const scale = (value: number) => Math.round((value * (2 ** depth - 1)) / 255)
    const pixel = (x: number, y: number) => {
      const at = (y * WIDTH + x) * 3
      const alpha = CLEAR[(y * WIDTH + x) * 4 + 3] ?? 255
      const [r = 0, g = 0, b = 0] = pixels.subarray(at, at + 3)
      const samples = { 0: [g], 2: [r, g, b], 3: [g], 4: [g, alpha], 6: [r, g, b, alpha] }[
        colourType
      ]
      return colourType === 3 ? samples : samples.map(scale)
    }
    const palette = Array.from({ length: 768 }, (_, i) => Math.floor(i / 3))
    const chunks: [string, number[]][] = colourType === 3 ? [['PLTE', palette]] : []
    if (random() < 0.3)
      chunks.push(['tRNS', Array.from({ length: 256 }, (_, i) => 255 - (i % 200))])
    if (random() < 0.2) chunks.push(['gAMA', [0, 0, below(256, random), 100]])
    if (random() < 0.2) chunks.push(['acTL', [0, 0, 0, 1, 0, 0, 0, 0]])
    const isInterlaced = random() < 0.3
    const filter = (row: number) => row % 5
    return writePng({
      width: WIDTH,
      height: HEIGHT,
      colourType,
      depth,
      pixel,
      chunks,
      isInterlaced,
      filter,
    })
  },
  gif(random) {
    const palette = Array.from({ length: 128 }, (_, i) => [i * 2, i * 2, i * 2])
    const frames = Array.from({ length: 1 + below(3, random) }, () => {
      const value = grey(pick(SCENES, random))
      const small = random() < 0.3
      return {
        x: small ? below(40, random) : 0,
        y: small ? below(40, random) : 0,
        width: small ? 120 : WIDTH,
        height: small ? 80 : HEIGHT,
        pixel: (x: number, y: number) => value(x, y) >> 1,
        disposal: below(4, random),
        isInterlaced: random() < 0.3,
        ...(random() < 0.4 && { transparent: below(128, random) }),
      }
    })
    return writeGif({ width: WIDTH, height: HEIGHT, palette, frames })
  },
  bmp(random) {
    const value = grey(pick(SCENES, random))
    const bits = pick([4, 8, 8, 16, 24, 32] as const, random)
    const colours = pick([2 ** bits, 100, 200], random)
    const shades = Math.min(2 ** Math.min(bits, 8), colours)
    const pixel = (x: number, y: number) => {
      const v = value(x, y)
      if (bits <= 8) return Math.floor((v * shades) / 256)
      if (bits === 16) return ((v >> 3) << 10) | ((v >> 3) << 5) | (v >> 3)
      return bits === 24 ? v * 0x10101 : v * 0x10101 + pick([0, 255, v], random) * 2 ** 24
    }
    const palette = Array.from({ length: shades }, (_, i) =>
      Array<number>(3).fill(Math.floor((i * 256) / shades)),
    )
    return writeBmp({
      ...{ width: WIDTH, height: HEIGHT, bits, pixel },
      headerBytes: pick([12, 40, 40, 52, 56, 64, 108, 124], random),
      isTopDown: random() < 0.2,
      gap: pick([0, 0, 2, 8], random),
      ...(bits <= 8 && { palette, usedColours: pick([0, shades, shades, 256], random) }),
    })
  },
}

/** Blocks whose mean is the picture's by coefficients that wrap or saturate. */
function wildBlocks(value: (x: number, y: number) => number, magnitude: number, random: Random) {
  const kind = below(3, random)
  return (_: number, x: number, y: number): number[] => {
    const mean = (value(x * 8, y * 8) - 128) * 8
    const block = Array<number>(64).fill(0)
    block[0] = kind === 0 ? mean + magnitude * 2 : mean
    if (kind === 1) block[1 + below(63, random)] = magnitude
    if (kind === 2)
      for (let k = 1; k < 64; k++) block[k] = Math.round((random() - 0.5) * magnitude * 0.2)
    return block.map((one) => Math.max(-32_000, Math.min(32_000, Math.round(one))))
  }
}

const CHANGERS: Partial<Record<ComparedFormat, Changer>> = {
  jpeg(file, random) {
    const code = pick([0xfe, 0xe0, 0xe1, 0xe2, 0xee, 0xdd, 0xdb, 0xdc], random)
    const length = pick([0, 1, 2, 3, 9, 40], random)
    const body = Array.from({ length: Math.max(0, length - 2) }, () => below(256, random))
    switch (below(5, random)) {
      case 0:
        return insert(file, 2, [0xff, code, 0, length, ...body])
      case 1:
        return insert(file, segmentAt(file, random), [0xff, code, 0, length, ...body])
      case 2:
        return changeIn(file, 0xdb, pick([1, 5, 64, 255], random), random)
      case 3:
        return file.slice(0, Math.floor(file.length * (0.55 + random() * 0.45)))
      default:
        return insert(
          file,
          segmentAt(file, random),
          pick(
            [
              [0xff, 0xff],
              [0, 7],
              [0xff, 0x01],
            ],
            random,
          ),
        )
    }
  },
  webp(file, random) {
    const copy = file.slice()
    const view = new DataView(copy.buffer)
    switch (below(3, random)) {
      case 0:
        copy[20] = (copy[20] ?? 0) ^ pick([2, 0x10, 0x20, 8], random)
        return copy
      case 1:
        view.setUint32(4, Math.max(4, file.length - 8 - below(60, random)), true)
        return copy
      default:
        return insert(file, file.length, [
          ...Buffer.from('ANMF'),
          20,
          0,
          0,
          0,
          ...Array<number>(20).fill(1),
        ])
    }
  },
  avif(file, random) {
    switch (below(3, random)) {
      case 0:
        return file.slice(0, Math.floor(file.length * (0.5 + random() * 0.5)))
      case 1:
        return insert(
          file,
          file.length,
          Array.from({ length: 40 }, () => below(256, random)),
        )
      default: {
        const copy = file.slice()
        copy.set(Buffer.from(pick(['avif', 'avis', 'mif1', 'miaf'], random)), 8)
        return copy
      }
    }
  },
  bmp(file, random) {
    const copy = file.slice()
    const at = pick([10, 22, 26, 28, 30, 46, 54, 58, 66], random)
    const value = pick([0, 1, 2, 8, 54, 70, 118, 310, 1078], random)
    if (at + 4 <= copy.length) new DataView(copy.buffer).setUint16(at, value, true)
    return copy
  },
  png(file, random) {
    const copy = file.slice()
    const at = pick([24, 25, 28, 29], random)
    copy[at] = pick([0, 1, 2, 3, 4, 6, 8, 16], random)
    return copy
  },
}

function insert(file: Uint8Array, at: number, bytes: number[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat([file.subarray(0, at), Uint8Array.from(bytes), file.subarray(at)]),
  )
}

/** Where a segment of a JPEG begins, before its first scan. */
function segmentAt(file: Uint8Array, random: Random): number {
  const starts: number[] = []
  for (let at = 2; at + 4 < file.length && file[at] === 0xff && file[at + 1] !== 0xda;) {
    starts.push(at)
    at += 2 + ((file[at + 2] ?? 0) << 8) + (file[at + 3] ?? 0)
  }
  return starts.length > 0 ? pick(starts, random) : 2
}

/** Sets a byte of the first segment of a kind. */
function changeIn(file: Uint8Array, code: number, value: number, random: Random): Uint8Array {
  const copy = file.slice()
  const at = Buffer.from(copy.buffer, copy.byteOffset, copy.length).indexOf(Buffer.of(0xff, code))
  if (at >= 0) copy[at + 5 + below(40, random)] = value
  return copy
}
