import sharp, { type Sharp } from 'sharp'
import { avifParts, avifSequence, avifWith, box } from '../../support/avif-parts.ts'
import { largePicture } from '../../support/sharp-images.ts'
import { below, pick, type Random } from '../choose.ts'
import type { ComparedFormat } from './formats.ts'
import { sharpPicture } from './pictures.ts'
import { WRITERS } from './writers.ts'

/** Files that changes begin with: of an encoder, and of random structure. */
export type Pool = readonly Uint8Array[]

/** A picture that is decoded at a reduced scale. */
const LARGE = largePicture(1040, 780, 6)

/** Files of random structure in a pool. */
const OWN_FILES = 40

/** Makes a pool of a format. */
export async function makePool(format: ComparedFormat, random: Random): Promise<Pool> {
  const own = WRITERS[format]
  const encoded = await ENCODERS[format](random)
  return [...encoded, ...(own ? Array.from({ length: OWN_FILES }, () => own(random)) : [])]
}

/** Copies, since a slice of a Buffer is not one. */
function encode(images: Sharp[]): Promise<Uint8Array[]> {
  return Promise.all(images.map(async (one) => new Uint8Array(await one.toBuffer())))
}

function times(count: number, image: () => Sharp): Sharp[] {
  return Array.from({ length: count }, image)
}

async function animation(random: Random): Promise<Sharp> {
  const pages = await Promise.all(
    [1, 2, 3].map(() => sharpPicture(random, 4).resize(80, 60, { fit: 'fill' }).png().toBuffer()),
  )
  return sharp(pages, { join: { animated: true } })
}

type Encoder = (random: Random) => Promise<Uint8Array[]>

const ENCODERS: Record<ComparedFormat, Encoder> = {
  jpeg: (random) => {
    const quality = () => 20 + below(80, random)
    const chromaSubsampling = () => pick(['4:4:4', '4:2:0'], random)
    const one = (progressive: boolean) => () =>
      sharpPicture(random).jpeg({
        quality: quality(),
        progressive,
        chromaSubsampling: chromaSubsampling(),
      })
    return encode([
      ...times(10, one(false)),
      ...times(10, one(true)),
      ...times(4, () => sharpPicture(random).jpeg({ mozjpeg: true, quality: quality() })),
      ...times(2, () => sharpPicture(random).toColourspace('b-w').jpeg()),
      sharpPicture(random).toColourspace('cmyk').jpeg(),
      sharpPicture(random)
        .jpeg()
        .withExif({ IFD0: { Orientation: String(1 + below(8, random)) } }),
      LARGE.clone().jpeg({ quality: quality(), progressive: random() < 0.5 }),
    ])
  },
  png: (random) =>
    encode([
      ...times(4, () => sharpPicture(random).png()),
      ...times(4, () => sharpPicture(random, 4).png({ progressive: true })),
      ...times(4, () => sharpPicture(random).png({ palette: true, colours: 64 })),
      ...times(4, () => sharpPicture(random, 4).png({ palette: true })),
      ...times(2, () => sharpPicture(random).toColourspace('b-w').png()),
      ...times(2, () => sharpPicture(random).toColourspace('rgb16').png()),
    ]),
  gif: async (random) =>
    encode([
      ...times(6, () => sharpPicture(random).gif()),
      ...times(6, () => sharpPicture(random, 4).gif()),
      (await animation(random)).gif(),
      (await animation(random)).gif(),
    ]),
  bmp: () => Promise.resolve([]),
  webp: async (random) =>
    encode([
      ...times(6, () => sharpPicture(random).webp({ quality: 20 + below(80, random) })),
      ...times(4, () => sharpPicture(random, 4).webp({ lossless: true })),
      ...times(6, () => sharpPicture(random, 4).webp()),
      ...times(2, () => sharpPicture(random).webp({ nearLossless: true })),
      (await animation(random)).webp(),
      (await animation(random)).webp({ lossless: true }),
    ]),
  avif: avifFiles,
  tiff: (random) => {
    const one = () =>
      sharpPicture(random).tiff({
        compression: pick(['none', 'lzw', 'deflate', 'packbits', 'jpeg'], random),
        predictor: pick(['none', 'horizontal'], random),
        ...(random() < 0.4 && { tile: true, tileWidth: 32, tileHeight: 48 }),
        bigtiff: random() < 0.1,
      })
    return encode([
      ...times(20, one),
      ...times(4, () => sharpPicture(random, 4).tiff({ compression: 'lzw' })),
      sharpPicture(random).toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }),
    ])
  },
}

async function avifFiles(random: Random): Promise<Uint8Array[]> {
  const encoded = await encode([
    ...times(5, () => sharpPicture(random).resize(96, 72, { fit: 'fill' }).avif({ effort: 0 })),
    ...times(2, () => sharpPicture(random, 4).avif({ effort: 0 })),
  ])
  const parts = encoded.slice(0, 5).map(avifParts)
  const [first] = parts
  if (!first) return []
  const clap = [60, 1, 50, 1, -6, 1, 4, 1].flatMap((value) => Array.from(int32(value)))
  const properties = [
    [],
    [box('irot', [1])],
    [box('irot', [3]), box('imir', [0])],
    [box('clap', clap)],
  ]
  return [
    ...encoded,
    ...properties.map((own) => avifWith(first, own)),
    avifSequence(parts.slice(0, 3), [1, 2, 3]),
    avifSequence(parts.slice(2), [1], 'avif'),
  ]
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
