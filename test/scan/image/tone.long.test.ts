// What Chromium shows of files that say how their values look.

import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import type { Needle } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import { ChromiumReader } from '../../fuzz/differential/chromium-reader.ts'
import { attachProfile } from '../../support/attach-profile.ts'
import { avifParts, avifWith, box } from '../../support/avif-parts.ts'
import { findChromium } from '../../support/chromium.ts'
import { writeProfile, writeTableProfile } from '../../support/icc-writer.ts'
import { ascii } from '../../support/jpeg-writer.ts'
import { u32, writePng } from '../../support/png-writer.ts'
import { scene } from '../../support/scene.ts'

const context = { modules: readModules() }
const [WIDTH, HEIGHT] = [160, 120]
const picture = scene(WIDTH, HEIGHT, 1, 7).data
const decoy = scene(WIDTH, HEIGHT, 1, 11).data
const chromium = findChromium()

const grey = (value: number) => [value, value, value]
/** The picture in red, under another one that green shows. */
const inRed = (i: number) => [picture[i] ?? 0, decoy[i] ?? 0, 0]
/** The picture in the darkest tenth of light, beside stripes that only a straight curve tells apart from it. */
const dark = (i: number) => grey((i % WIDTH) % 32 < 16 ? (picture[i] ?? 0) / 10 : (picture[i] ?? 0))

const colours = scene(WIDTH, HEIGHT, 3, 13).data
/** A picture in colours of the whole range. */
const bright = (i: number) => [...colours.subarray(3 * i, 3 * i + 3)]

const xy = (...places: number[]) => places.flatMap((place) => u32(Math.round(place * 100_000)))
const SWAPPED = xy(0.3127, 0.329, 0.3, 0.6, 0.64, 0.33, 0.15, 0.06)

function png(pixel: (i: number) => number[], ...chunks: [string, number[]][]): Buffer {
  return Buffer.from(
    writePng({
      ...{ width: WIDTH, height: HEIGHT, depth: 8, colourType: 2, chunks },
      pixel: (x, y) => pixel(y * WIDTH + x).map(Math.round),
    }),
  )
}

/** An AVIF whose code points of primaries and transfer are others. */
async function avif(pixel: (i: number) => number[], primaries: number, transfer: number) {
  const file = await sharp(png(pixel))
    .avif({ lossless: true, chromaSubsampling: '4:4:4' })
    .toBuffer()
  const at = file.indexOf('colrnclx')
  expect(at).toBeGreaterThan(0)
  file.writeUInt16BE(primaries, at + 8)
  file.writeUInt16BE(transfer, at + 10)
  return file
}

const withNits = (peak: number) =>
  png(bright, ['cICP', [9, 16, 0, 1]], ['cLLI', [...u32(peak * 10_000), ...u32(1_000_000)]])

/** An AVIF of PQ that states its brightest light in nits. */
async function avifWithPeak(peak: number): Promise<Buffer> {
  const points = box('colr', ascii('nclx'), [0, 9, 0, 16, 0, 9, 0x80])
  const light = box('clli', [peak >> 8, peak & 255, 0, 100])
  return Buffer.from(avifWith(avifParts(await avif(bright, 9, 16)), [points, light]))
}

const linear = { power: 2.2 }
const white = [0.9642, 1, 0.8249]
const none = [0, 0, 0]
const byLight = writeProfile(linear, [white, none, none])
const byCurve = writeProfile(
  [linear, [0, 0], [0, 0]],
  [white, white, white].map((light) => light.map((value) => value / 3)) as never,
)
const red = ([value = 0]: readonly number[]) => value

const files: Record<string, () => Promise<Buffer> | Buffer> = {
  'a gamma and primaries of PNG': () => png(inRed, ['gAMA', u32(45455)], ['cHRM', SWAPPED]),
  'primaries of PNG alone': () => png(inRed, ['cHRM', SWAPPED]),
  'a straight curve of cICP': () => png(dark, ['cICP', [1, 8, 0, 1]]),
  'a power of cICP': () => png(dark, ['cICP', [1, 5, 0, 1]]),
  'wide primaries of cICP': () => png(inRed, ['cICP', [9, 13, 0, 1]]),
  'PQ of cICP': () => png((i) => grey(picture[i]! / 2), ['cICP', [9, 16, 0, 1]]),
  'HLG of cICP': () => png((i) => grey(picture[i]!), ['cICP', [9, 18, 0, 1]]),
  'highlights of PQ': () => png(bright, ['cICP', [9, 16, 0, 1]]),
  'highlights of PQ in sRGB’s primaries': () => png(bright, ['cICP', [1, 16, 0, 1]]),
  'highlights of HLG': () => png(bright, ['cICP', [9, 18, 0, 1]]),
  'highlights of PQ in a profile': () =>
    attachProfile(png(bright), writeProfile({ power: 2.2 }, undefined, [9, 16, 0, 1])),
  'highlights of AVIF': () => avif(bright, 9, 16),
  'highlights of AVIF up to 400 nits': () => avifWithPeak(400),
  'highlights up to 203 nits, where none is above white': () => withNits(203),
  'highlights up to 400 nits': () => withNits(400),
  'highlights up to 4,000 nits': () => withNits(4000),
  'highlights of a display of 400 nits': () =>
    png(
      bright,
      ['cICP', [9, 16, 0, 1]],
      ['mDCV', [...SWAPPED.slice(0, 16), ...u32(4e6), ...u32(1)]],
    ),
  'cICP before a profile': async () =>
    attachProfile(png(dark, ['cICP', [1, 8, 0, 1]]), writeProfile({ power: 4 })),
  'a straight curve of nclx': () => avif(dark, 1, 8),
  'a power of nclx': () => avif(dark, 1, 5),
  'PQ of nclx': () => avif((i) => grey(picture[i]! / 2), 9, 16),
  'HLG of nclx': () => avif((i) => grey(picture[i]!), 9, 18),
}
const profiles = {
  'the light of channels': byLight,
  'curves of channels': byCurve,
  'a table of bytes': writeTableProfile('mft1', 3, 9, red),
  'a table of words': writeTableProfile('mft2', 3, 17, red),
  stages: writeTableProfile('mAB ', 3, 17, red),
}
for (const [name, profile] of Object.entries(profiles)) {
  files[`${name} in PNG`] = () => attachProfile(png(inRed), profile)
  files[`${name} in WebP`] = async () =>
    attachProfile(await sharp(png(inRed)).webp({ lossless: true }).toBuffer(), profile)
  files[`${name} in JPEG`] = async () =>
    attachProfile(
      await sharp(png(inRed)).jpeg({ quality: 98, chromaSubsampling: '4:4:4' }).toBuffer(),
      profile,
    )
}

async function needlesOf(file: Uint8Array): Promise<Needle[]> {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned.needles
}

describe.skipIf(chromium === undefined)('what Chromium shows is hashed', () => {
  let reader: ChromiumReader
  beforeAll(async () => {
    reader = await ChromiumReader.open(chromium ?? '')
  })
  afterAll(() => reader.close())

  it.each(Object.entries(files))('%s', async (_, make) => {
    const file = await make()
    const shown = await reader.read(file)
    const { width, height, pixels } = shown!
    const image = sharp(pixels, { raw: { width, height, channels: 4 } })
    const [known] = await needlesOf(await image.png().toBuffer())
    const distances = (await needlesOf(file)).map(({ hash }) => distance(hash, known!.hash))
    expect(Math.min(...distances)).toBeLessThanOrEqual(10)
  })
})
