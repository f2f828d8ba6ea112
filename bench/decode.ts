// From files to hashes, compared with libvips (sharp, shrink on load to 512 x 512 grey, decoding
// alone) and the @jsquash decoders (decoding alone), on one core.

import { readFile } from 'node:fs/promises'
import decodeJpeg, { init as initJpeg } from '@jsquash/jpeg/decode.js'
import decodePng, { init as initPng } from '@jsquash/png/decode.js'
import sharp, { type Sharp } from 'sharp'
import { readModules } from '../src/core/node.ts'
import { PROBE_SETS } from '../src/scan/probes/sets.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { decode, difference } from '../test/support/decode.ts'
import { addExif, writeExif } from '../test/support/exif-writer.ts'
import { decodeBySharp, differenceToSharp, picture } from '../test/support/sharp-images.ts'
import { Bars, TIMED_BARS } from './bars.ts'
import { largePhoto, smallPhoto, source, photoOf } from './inputs.ts'
import { measure, ms, printTable, type Timing } from './measure.ts'

const context = { modules: readModules(), digestKinds: [] }
const bars = new Bars()

interface Case {
  name: string
  file: Buffer
  /** The library decoder of its format. */
  jsquash: (file: ArrayBuffer) => Promise<unknown>
}

async function casesOf(): Promise<Case[]> {
  await initJsquash()
  const photo = await largePhoto()
  const progressive = await sharp(photo).jpeg({ progressive: true, quality: 90 }).toBuffer()
  const png = await sharp(photo).png().toBuffer()
  return [
    { name: 'JPEG 12 MP, baseline', file: photo, jsquash: decodeJpeg },
    { name: 'JPEG 1.6 MP', file: await smallPhoto(), jsquash: decodeJpeg },
    { name: 'JPEG 12 MP, progressive', file: progressive, jsquash: decodeJpeg },
    { name: 'PNG 12 MP', file: png, jsquash: (file) => decodePng(file) },
  ]
}

async function initJsquash(): Promise<void> {
  const compile = async (name: string) =>
    new WebAssembly.Module(await readFile(new URL(import.meta.resolve(name))))
  const jpeg = await compile('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')
  await initJpeg({
    instantiateWasm: (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance) => void,
    ) => {
      const instance = new WebAssembly.Instance(jpeg, imports)
      done(instance)
      return instance.exports
    },
  })
  await initPng(await compile('@jsquash/png/codec/pkg/squoosh_png_bg.wasm'))
  // The part of browsers' and Workers' ImageData that the decoders use.
  globalThis.ImageData ??= Image as unknown as typeof ImageData
}

class Image {
  readonly data: Uint8ClampedArray
  readonly width: number
  readonly height: number

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data
    this.width = width
    this.height = height
  }
}

function shrinkOnLoad(file: Buffer): Promise<Buffer> {
  return sharp(file).resize(512, 512, { fit: 'fill' }).greyscale().raw().toBuffer()
}

async function compareDecoders(): Promise<void> {
  const rows: string[][] = []
  for (const { name, file, jsquash } of await casesOf()) {
    const [own, vips] = await measure(
      [
        { name: 'hashgate', run: () => scanFile(context, file) },
        { name: 'sharp', run: () => shrinkOnLoad(file) },
      ],
      15,
    )
    // Not in turns with the others: the 48 MB that it drops each time would be collected while they
    // run.
    const decodeAlone = () => jsquash(new Uint8Array(file).buffer)
    const [library] = await measure([{ name: 'jsquash', run: decodeAlone }], 5)
    const ratio = (other: Timing | undefined, to: string) =>
      barCell(`${name}, ratio to ${to}`, own.median / (other?.median ?? 1))
    rows.push([
      `${name}, ${(file.length / 1e6).toFixed(1)} MB`,
      ms(own.median),
      ms(vips?.median ?? 0),
      ms(library.median),
      ratio(vips, 'sharp'),
      ratio(library, 'jsquash'),
    ])
  }
  console.log('File to hash, in milliseconds; the others only decode.\n')
  printTable(['file', 'hashgate', 'sharp', 'jsquash', 'ratio to sharp', 'ratio to jsquash'], rows)
}

/**
 * What an upload costs by default, compared with sharp: with the memories of earlier images, and in
 * new ones.
 */
async function showUploads(): Promise<void> {
  const modules = readModules()
  const fresh = readModules()
  fresh.image.keepAtMost(0)
  const probed = { probes: PROBE_SETS.default, digestKinds: ['sha256'] as const }
  const small = await smallPhoto()
  const thumbnail = await sharp(small).resize(160, 120, { fit: 'fill' }).jpeg().toBuffer()
  const shot = (orientation: number) => addExif(small, writeExif(orientation, thumbnail))
  const rows: string[][] = []
  for (const [name, file] of [
    ['JPEG 12 MP', await largePhoto()],
    ['JPEG 1.6 MP', small],
    ['… with a thumbnail', shot(1)],
    ['… with a thumbnail, and turned', shot(6)],
  ] as const) {
    const [used, other, vips] = await measure(
      [
        { name: 'used again', run: () => scanFile({ modules, ...probed }, file) },
        { name: 'new', run: () => scanFile({ modules: fresh, ...probed }, file) },
        { name: 'sharp', run: () => shrinkOnLoad(Buffer.from(file)) },
      ],
      21,
    )
    const ratio = used.median / (vips?.median ?? 1)
    const cell = barCell(`${name}, default probes, ratio to sharp`, ratio)
    rows.push([name, ms(used.median), ms(other?.median ?? 0), ms(vips?.median ?? 0), cell])
  }
  console.log('File to the needles of the default probes, with SHA-256, in milliseconds.\n')
  printTable(['file', 'hashgate', 'in new memories', 'sharp', 'ratio to sharp'], rows)
}

/** A ratio as a cell, with its bar if there is one. */
function barCell(what: string, value: number): string {
  const hasBar = TIMED_BARS.some((bar) => bar.what === what)
  return hasBar ? bars.check(what, value) : value.toFixed(2)
}

async function showGrowth(): Promise<void> {
  const rows: string[][] = []
  for (const megapixels of [1, 4, 12, 40, 100]) {
    const height = Math.round(Math.sqrt((megapixels * 1e6 * 3) / 4))
    const baseline = await photoOf(Math.round((height * 4) / 3), height)
    const progressive = await sharp(baseline).jpeg({ progressive: true, quality: 90 }).toBuffer()
    const png = await sharp(baseline).png({ compressionLevel: 3 }).toBuffer()
    const cells = [String(megapixels)]
    for (const [name, format, file] of [
      ['baseline', 'jpeg', baseline],
      ['progressive', 'jpeg', progressive],
      ['png', 'png', png],
    ] as const) {
      const [timing] = await measure([{ name, run: () => scanFile(context, file) }], 5)
      const { memoryBytes } = decode(format, file)
      cells.push(`${ms(timing.median / megapixels)} (${(memoryBytes / 1e6).toFixed(1)} MB)`)
    }
    rows.push(cells)
  }
  console.log('Milliseconds a megapixel, and memory of the core.\n')
  printTable(['megapixels', 'baseline JPEG', 'progressive JPEG', 'PNG'], rows)
}

async function showDifferences(): Promise<void> {
  const encodings: Record<string, (image: Sharp) => Sharp> = {}
  for (const quality of [10, 50, 90, 100]) {
    for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
      for (const progressive of [false, true]) {
        const name = `JPEG q ${quality}, ${chromaSubsampling}${progressive ? ', progressive' : ''}`
        encodings[name] = (image) => image.jpeg({ quality, chromaSubsampling, progressive })
      }
    }
  }
  encodings['PNG'] = (image) => image.png()
  encodings['PNG, interlaced'] = (image) => image.png({ progressive: true })
  encodings['PNG, palette'] = (image) => image.png({ palette: true })
  encodings['GIF'] = (image) => image.gif()
  const rows: string[][] = []
  for (const [name, encode] of Object.entries(encodings)) {
    let max = 0
    let sum = 0
    const sizes = [1, 7, 64, 301, 512]
    for (const side of sizes) {
      const file = await encode(picture(side, Math.ceil(side * 0.7))).toBuffer()
      const format = name.slice(0, name.search(/ |,|$/)).toLowerCase() as 'jpeg' | 'png' | 'gif'
      const { luma } = decode(format, file).frames[0] ?? { luma: new Float32Array(0) }
      const decoded = await decodeBySharp(file)
      const apart =
        format === 'jpeg' ? differenceToSharp(luma, decoded) : difference(luma, decoded.luma)
      max = Math.max(max, apart.max)
      sum += apart.mean
    }
    rows.push([name, max.toFixed(3), (sum / sizes.length).toFixed(3)])
  }
  console.log(
    'Luma at full scale, against that of sharp’s RGB, which rounds each channel; levels of 256.',
  )
  console.log('Pixels of a JPEG that its decoder clamped in any channel are left out.\n')
  printTable(['file', 'largest difference', 'mean difference'], rows)
}

/** The report of `npm run bench -- decode`. */
export async function benchDecode(): Promise<void> {
  sharp.concurrency(1)
  sharp.cache(false)
  console.log(`Inputs: ${source}.\n`)
  await compareDecoders()
  await showUploads()
  await showGrowth()
  await showDifferences()
  console.log('### Bars\n')
  printTable(['what', 'value', 'bar', ''], [...bars.rows])
}
