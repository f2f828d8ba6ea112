import sharp, { type Sharp } from 'sharp'
import type { FileFormat } from '../../src/scan/format.ts'
import { type BmpOptions, writeBmp } from '../support/bmp-writer.ts'
import { type ArchiveFormat, generateArchive } from './archives.ts'
import { writeGif } from '../support/gif-writer.ts'
import { type JpegComponent, writeJpeg } from '../support/jpeg-writer.ts'
import { type PngFormat, writePng } from '../support/png-writer.ts'
import { picture } from '../support/sharp-images.ts'
import { below, pick, type Random } from './choose.ts'
import { generateTiff } from './tiff.ts'

export type FuzzedFormat = Extract<
  FileFormat,
  'jpeg' | 'png' | 'gif' | 'bmp' | 'webp' | 'avif' | 'tiff' | ArchiveFormat
>

/** Files of other encoders, by format: what mutations begin with. */
export async function encodedSeeds(): Promise<Record<FuzzedFormat, Uint8Array[]>> {
  const image = picture(97, 71)
  const clear = picture(64, 50, 4)
  const frames = await Promise.all(
    [1, 2, 3].map((seed) => picture(40, 30, 4, seed).png().toBuffer()),
  )
  const animation = () => sharp(frames, { join: { animated: true } })
  const exif = { IFD0: { Orientation: '6', Copyright: 'x' } }
  const files = {
    jpeg: [
      image.clone().jpeg(),
      image.clone().jpeg({ progressive: true, quality: 95 }),
      image.clone().jpeg({ chromaSubsampling: '4:4:4', optimizeCoding: true }).withExif(exif),
      image.clone().toColourspace('cmyk').jpeg(),
      picture(97, 71, 1).jpeg({ progressive: true }),
      picture(700, 560).jpeg({ progressive: true, quality: 60 }),
      picture(1100, 520).jpeg({ quality: 60 }),
    ],
    png: [
      image.clone().png(),
      image.clone().png({ progressive: true }),
      image.clone().png({ palette: true, colours: 16 }),
      clear.clone().png(),
      clear.clone().toColourspace('rgb16').png({ progressive: true }).withExif(exif),
      picture(600, 40, 4).png({ progressive: true }),
    ],
    gif: [image.clone().gif(), clear.clone().gif(), animation().gif(), picture(600, 30).gif()],
    webp: [
      image.clone().webp(),
      clear.clone().webp({ lossless: true }).withExif(exif),
      animation().webp(),
    ],
    avif: [image.clone().avif({ effort: 0 }), clear.clone().avif({ effort: 0, lossless: true })],
    tiff: [
      image.clone().tiff({ compression: 'lzw', predictor: 'horizontal' }),
      image.clone().tiff({ compression: 'jpeg', tile: true, tileWidth: 32, tileHeight: 32 }),
      clear.clone().tiff({ compression: 'deflate' }).withExif(exif),
      image.clone().tiff({ compression: 'packbits', bigtiff: true }),
    ],
  }
  const encode = (images: Sharp[]) => Promise.all(images.map((file) => file.toBuffer()))
  return {
    jpeg: await encode(files.jpeg),
    png: await encode(files.png),
    gif: await encode(files.gif),
    bmp: [],
    webp: await encode(files.webp),
    avif: await encode(files.avif),
    tiff: await encode(files.tiff),
    zip: [],
    tar: [],
    gzip: [],
  }
}

const GENERATORS: Partial<Record<FuzzedFormat, (random: Random) => Uint8Array>> = {
  jpeg: generateJpeg,
  png: generatePng,
  gif: generateGif,
  bmp: generateBmp,
  tiff: (random) => {
    const [a, b] = [random() * 9, random() * 255]
    const value = (x: number, y: number) => (b + a * x + y * 3) & 255
    return generateTiff({ width: side(random), height: side(random) % 200 || 1, value }, random)
  },
  zip: (random) => generateArchive('zip', random),
  tar: (random) => generateArchive('tar', random),
  gzip: (random) => generateArchive('gzip', random),
}

/** A file of random structure, mostly legal; `undefined` for formats that only other encoders write. */
export function generate(format: FuzzedFormat, random: Random): Uint8Array | undefined {
  return GENERATORS[format]?.(random)
}

/** A side: mostly small, now and then over 512. */
function side(random: Random): number {
  return random() < 0.03 ? 500 + below(600, random) : 1 + below(40, random)
}

function generateJpeg(random: Random): Uint8Array {
  const component = (): JpegComponent => {
    const [a, b] = [random() * 9, random() * 255]
    return {
      h: pick([1, 1, 2, 3, 4], random),
      v: pick([1, 1, 2, 3, 4], random),
      sample: (x, y) => (b + a * x + y * 3) % 256,
    }
  }
  const count = pick([1, 3, 3, 4], random)
  const components = Array.from({ length: count }, component)
  const inOrder = components.map((_, i) => i)
  return writeJpeg({
    width: side(random) % 200 || 1,
    height: side(random) % 200 || 1,
    components,
    scans: pick(
      [[inOrder], inOrder.map((i) => [i]), [inOrder.toReversed()], [[0], inOrder]],
      random,
    ),
    step: pick([1, 2, 16, 255], random),
    has16BitTables: random() < 0.2,
    restartInterval: pick([0, 0, 1, 5, 1000], random),
    hasDnl: random() < 0.2,
    ...(random() < 0.4 && { adobeTransform: below(4, random) }),
  })
}

function generatePng(random: Random): Uint8Array {
  const format = pick<PngFormat>(
    [
      ...([1, 2, 4, 8, 16] as const).map((depth) => ({ colourType: 0 as const, depth })),
      ...([1, 2, 4, 8] as const).map((depth) => ({ colourType: 3 as const, depth })),
      ...([2, 4, 6] as const).flatMap((colourType) => [
        { colourType, depth: 8 as const },
        { colourType, depth: 16 as const },
      ]),
    ],
    random,
  )
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[format.colourType]
  const colours = Array.from({ length: 3 * (1 + below(256, random)) }, () => below(256, random))
  const frameControl = Array.from({ length: 26 }, () => below(30, random))
  return writePng({
    ...format,
    width: side(random),
    height: side(random),
    isInterlaced: random() < 0.4,
    pixel: (x, y) => Array.from({ length: channels }, (_, c) => (x * y + c) % 2 ** format.depth),
    filter: (row) => (row * 7) % (random() < 0.02 ? 7 : 5),
    level: pick([0, 1, 9], random),
    chunks: [
      ...(random() < 0.9 ? ([['PLTE', colours]] as [string, number[]][]) : []),
      ...(random() < 0.3 ? ([['tRNS', colours.slice(0, 6)]] as [string, number[]][]) : []),
      ...(random() < 0.2 ? ([['acTL', [0, 0, 0, 2, 0, 0, 0, 0]]] as [string, number[]][]) : []),
      ...(random() < 0.2 ? ([['fcTL', frameControl]] as [string, number[]][]) : []),
    ],
  })
}

function generateGif(random: Random): Uint8Array {
  const palette = Array.from({ length: 128 }, (_, i) => [i, 2 * i, 255 - i])
  return writeGif({
    width: side(random),
    height: side(random),
    ...(random() < 0.8 && { palette }),
    frames: Array.from({ length: below(6, random) }, () => ({
      x: below(30, random),
      y: below(30, random),
      width: side(random),
      height: side(random),
      pixel: (x: number, y: number) => (x * 5 + y) % 128,
      disposal: below(8, random),
      isInterlaced: random() < 0.4,
      ...(random() < 0.4 && { transparent: below(128, random) }),
      ...(random() < 0.3 && { palette: palette.toReversed() }),
    })),
  })
}

function generateBmp(random: Random): Uint8Array {
  const bits = pick<BmpOptions['bits']>([1, 2, 4, 8, 16, 24, 32], random)
  const isRuns = (bits === 4 || bits === 8) && random() < 0.5
  const masks = Array.from({ length: 3 + below(2, random) }, () => Math.floor(random() * 2 ** bits))
  return writeBmp({
    width: side(random),
    height: side(random),
    bits,
    pixel: (x, y) => (x * 31 + y * 17) % 2 ** bits,
    headerBytes: pick([12, 40, 40, 52, 56, 64, 108, 124], random),
    isTopDown: random() < 0.3,
    gap: below(20, random),
    ...(bits <= 8 && {
      palette: Array.from({ length: 1 + below(2 ** bits, random) }, (_, i) => [i, i, i]),
    }),
    ...((bits === 16 || bits === 32) && random() < 0.6 && { masks }),
    ...(isRuns && {
      compression: bits === 8 ? (1 as const) : (2 as const),
      data: Array.from({ length: below(600, random) }, () =>
        random() < 0.3 ? below(4, random) : below(256, random),
      ),
    }),
  })
}
