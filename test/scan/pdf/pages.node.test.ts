import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import type { Matrix } from '../../../src/scan/pdf/matrix.ts'
import { Montage } from '../../../src/scan/pdf/montage.ts'
import { allFiles, type ScannedFile } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance, type Hash256 } from '../../../src/util/hash.ts'
import { type PdfForm, type PdfObject, writePdf } from '../../support/pdf-writer.ts'
import { scene } from '../../support/scene.ts'
import { FAST_PNG } from '../../support/sharp-images.ts'

const context = { modules: readModules(), digestKinds: [] }
const NEAR = 10
/** Pages have a point a pixel. Smaller pictures differ more, since poppler is up to a pixel off. */
const [WIDTH, HEIGHT] = [640, 480]
const size: [number, number] = [WIDTH, HEIGHT]
const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const
const { data: pixels } = scene(WIDTH, HEIGHT, 3, 5)
const whole = sharp(pixels, { raw })

interface Tile {
  left: number
  top: number
  width: number
  height: number
}

const tilesOf = (across: number, down: number): Tile[] =>
  Array.from({ length: across * down }, (_, i) => {
    const [width, height] = [WIDTH / across, HEIGHT / down]
    return { left: (i % across) * width, top: Math.floor(i / across) * height, width, height }
  })

function imageOf(width: number, height: number, entries: string, data: Uint8Array): PdfObject {
  const sides = `/Width ${width} /Height ${height}`
  return { value: `<< /Type /XObject /Subtype /Image ${sides} ${entries} >>`, data }
}

const RGB = '/ColorSpace /DeviceRGB /BitsPerComponent 8'
const flate = async (image: Sharp, width: number, height: number) =>
  imageOf(width, height, `${RGB} /Filter /FlateDecode`, deflateSync(await image.raw().toBuffer()))
const dct = async (image: Sharp, width: number, height: number) => {
  const data = await image.jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer()
  return imageOf(width, height, `${RGB} /Filter /DCTDecode`, data)
}

const cut = async (tiles: Tile[], write: typeof flate) =>
  Promise.all(tiles.map((tile) => write(whole.clone().extract(tile), tile.width, tile.height)))

/** Draws each tile in its place: from the bottom left, after a matrix. */
const placed = (tiles: Tile[], matrix = '1 0 0 1 0 0') =>
  tiles
    .map(({ left, top, width, height }, i) => {
      const place = `${width} 0 0 ${height} ${left} ${HEIGHT - top - height}`
      return `q ${matrix} cm ${place} cm /Im${5 + i} Do Q`
    })
    .join('\n')

const montagesOf = (file: Uint8Array) => scannedOf(file).then((all) => all.slice(-1))

const scans = new WeakMap<Uint8Array, Promise<ScannedFile>>()

/** What is in a file, which is scanned once: it is compared with what each program shows. */
async function scannedOf(file: Uint8Array): Promise<ScannedFile[]> {
  const scan = scans.get(file) ?? scanFile(context, file)
  scans.set(file, scan)
  return allFiles(await scan).filter((one) => one.coverage === 'scanned')
}

async function nearest(file: Uint8Array, known: Hash256): Promise<number> {
  const needles = (await scannedOf(file)).flatMap((one) =>
    one.coverage === 'scanned' ? one.needles : [],
  )
  return Math.min(256, ...needles.map(({ hash }) => distance(hash, known)))
}

async function hashOf(png: Uint8Array): Promise<Hash256> {
  const scanned = await scanFile(context, png)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned.needles[0]!.hash
}

/**
 * What poppler and mupdf show of the page, at a pixel a sample: what they make up between samples
 * differs. Without those that are not installed.
 */
async function shownHashes(file: Uint8Array): Promise<Hash256[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pdf-'))
  writeFileSync(join(folder, 'a.pdf'), file)
  const commands: [string, string[]][] = [
    ['pdftoppm', ['-r', '72', '-png', '-singlefile', '-cropbox', 'a.pdf', 'a']],
    ['mutool', ['draw', '-q', '-r', '72', '-o', 'a.png', 'a.pdf']],
  ]
  const shown: Hash256[] = []
  for (const [program, options] of commands) {
    try {
      execFileSync(program, options, { cwd: folder, stdio: 'ignore' })
    } catch {
      continue
    }
    shown.push(await hashOf(readFileSync(join(folder, 'a.png'))))
  }
  return shown
}

let known: Hash256
beforeAll(async () => {
  known = await hashOf(await whole.clone().png(FAST_PNG).toBuffer())
})

async function expectShown(file: Uint8Array, hash = known): Promise<void> {
  expect(await nearest(file, hash)).toBeLessThanOrEqual(NEAR)
  for (const shown of await shownHashes(file))
    expect(await nearest(file, shown)).toBeLessThanOrEqual(NEAR)
}

const write = (objects: PdfObject[], form: PdfForm) => writePdf(objects, { size, ...form })

describe('pictures that a page of PDF puts together', () => {
  it.each([
    ['strips', 1, 12, flate],
    ['strips of 4 rows', 1, 120, flate],
    ['JPEG in strips', 1, 12, dct],
    ['tiles', 5, 4, dct],
  ] as const)('are hashed as one: %s', async (_, across, down, form) => {
    const tiles = tilesOf(across, down)
    const objects = await cut(tiles, form)
    await expectShown(write(objects, { content: placed(tiles) }))
    // Written otherwise: what programs show of it is the same.
    const packed = write(objects, { content: placed(tiles), isPacked: true })
    const small = write(objects, { content: placed(tiles, '.7 0 0 .7 40 30') })
    for (const file of [packed, small]) expect(await nearest(file, known)).toBeLessThanOrEqual(NEAR)
  })

  it('are hashed as one if each is written in the content', async () => {
    const tiles = tilesOf(1, 12)
    const parts = await Promise.all(
      tiles.map(async (tile) => {
        const data = deflateSync(await whole.clone().extract(tile).raw().toBuffer())
        const place = `${WIDTH} 0 0 40 0 ${HEIGHT - tile.top - 40}`
        const head = `BI /W ${WIDTH} /H 40 /CS /RGB /BPC 8 /F [/AHx /Fl] ID`
        return `q ${place} cm ${head} ${data.toString('hex')}> EI Q`
      }),
    )
    await expectShown(write([], { content: parts.join('\n') }))
  })

  it('are hashed as one within forms, whose names are their own', async () => {
    const tiles = tilesOf(1, 6)
    const images = await cut(tiles, flate)
    const names = images.map((_, i) => `/Im${5 + i} ${6 + i} 0 R`).join(' ')
    const resources = `/Resources << /XObject << ${names} >> >>`
    const form = `/Subtype /Form /BBox [0 0 ${WIDTH} ${HEIGHT}] /Matrix [.5 0 0 .5 0 0]`
    const drawn = { value: `<< ${form} ${resources} >>`, data: Buffer.from(placed(tiles)) }
    await expectShown(write([drawn, ...images], { content: 'q 2 0 0 2 0 0 cm /Im5 Do Q' }))
  })

  it('are hashed with what lies over them', async () => {
    const lower = Buffer.alloc(WIDTH * HEIGHT)
    lower.fill(255, lower.length / 2)
    const over = `${RGB} /SMask 7 0 R`
    const mask = '/ColorSpace /DeviceGray /BitsPerComponent 8'
    const half = pixels.length / 2
    const upperOf = (below: number) => pixels.map((value, i) => (i < half ? value : below))
    const lowerOf = (above: number) => pixels.map((value, i) => (i < half ? above : value))
    const objects = [
      imageOf(WIDTH, HEIGHT, RGB, upperOf(150)),
      imageOf(WIDTH, HEIGHT, over, lowerOf(9)),
      imageOf(WIDTH, HEIGHT, mask, lower),
    ]
    const place = `${WIDTH} 0 0 ${HEIGHT} 0 0 cm`
    await expectShown(write(objects, { content: `q ${place} /Im5 Do /Im6 Do Q` }))
  })

  it('are partial without one that cannot be decoded, and not hashed without most', async () => {
    const tiles = tilesOf(1, 6)
    const objects = await cut(tiles, flate)
    const unknown = imageOf(WIDTH, 80, `${RGB} /Filter /JBIG2Decode`, Buffer.from('?'))
    const content = placed(tiles)
    const some = objects.with(5, unknown)
    expect(await montagesOf(write(some, { content }))).toMatchObject([
      { isPartial: true, width: WIDTH, height: HEIGHT },
    ])
    const none = objects.map((one, i) => (i < 4 ? unknown : one))
    expect(await montagesOf(write(none, { content }))).toMatchObject([{ height: 80 }])
  })

  it('are hashed as one if text lies between them, and content is cut into streams', async () => {
    const tiles = tilesOf(1, 6)
    const images = await cut(tiles, flate)
    const text = 'BT (Q q \\) Q) Tj [(Q) 5] TJ ET % Q\n'
    const [first, second] = [placed(tiles.slice(0, 3)), placed(tiles).split('\n').slice(3)]
    const parts = [`${text}${first} q 1 0 0 1 0 `, `0 cm ${second.join(` ${text}`)} Q`]
    const streams = parts.map((part) => ({ value: '<< >>', data: Buffer.from(part) }))
    const contents = '[11 0 R 12 0 R]'
    await expectShown(write([...images, ...streams], { contents }))
  })

  it('lie apart, and are only hashed by themselves', async () => {
    const objects = await cut(tilesOf(1, 2), flate)
    const content = `q ${WIDTH} 0 0 200 0 0 cm /Im5 Do Q q ${WIDTH} 0 0 200 0 280 cm /Im6 Do Q`
    expect(await scannedOf(write(objects, { content }))).toHaveLength(2)
  })
})

describe('a picture that a page of PDF shows in another way', () => {
  it.each([
    ['flipped', `q ${WIDTH} 0 0 -${HEIGHT} 0 ${HEIGHT} cm /Im5 Do Q`, () => whole.clone().flip()],
    ['mirrored', `q -${WIDTH} 0 0 ${HEIGHT} ${WIDTH} 0 cm /Im5 Do Q`, () => whole.clone().flop()],
  ])('is hashed as shown: %s', async (_, content, shown) => {
    const image = await flate(whole.clone(), WIDTH, HEIGHT)
    await expectShown(
      write([image], { content }),
      await hashOf(await shown().png(FAST_PNG).toBuffer()),
    )
  })

  it.each([90, 180, 270])('is hashed as the page is turned: by %i degrees', async (degrees) => {
    const image = await flate(whole.clone(), WIDTH, HEIGHT)
    const turned = await whole.clone().rotate(degrees).png(FAST_PNG).toBuffer()
    await expectShown(write([image], { page: `/Rotate ${degrees}` }), await hashOf(turned))
  })

  it('is hashed as it is cut out: by a path, and by the page', async () => {
    const tile = { left: 120, top: 80, width: 400, height: 300 }
    const part = await hashOf(await whole.clone().extract(tile).png(FAST_PNG).toBuffer())
    const image = await flate(whole.clone(), WIDTH, HEIGHT)
    const place = `${WIDTH} 0 0 ${HEIGHT} 0 0 cm /Im5 Do`
    const rectangle = write([image], { content: `q 120 100 400 300 re W n ${place} Q` })
    expect(await nearest(rectangle, part)).toBeLessThanOrEqual(NEAR)
    const path = '120 100 m 520 100 l 520 400 l 120 400 l h W* n'
    const other = write([image], { content: `q ${path} ${place} Q` })
    expect(await nearest(other, part)).toBeLessThanOrEqual(NEAR)
    await expectShown(write([image], { page: '/CropBox [120 100 520 400]' }), part)
  })
})

describe('hostile pages of PDF', () => {
  const reasonOf = async (file: Uint8Array) => {
    const scanned = await scanFile(context, file)
    return scanned.coverage === 'unscannable' ? scanned.reason : 'scanned'
  }
  const dot = () => flate(sharp(pixels, { raw }).extract(tilesOf(40, 30)[0]!), 16, 16)

  it.each([
    [4096, 'unsupported-format'],
    [4097, 'over-limit'],
  ])('show %i pictures', async (count, reason) => {
    const content = '/Im5 Do '.repeat(count)
    expect(await reasonOf(write([await dot()], { content }))).toBe(reason)
  })

  it.each([
    ['a slanted line', '700 700 700 700.01 0 0'],
    ['a dot', '.9 0 0 .9 .1 .1'],
  ])('draw a picture as %s: few samples a pixel are read, and counted', (_, place) => {
    const matrix = place.split(' ').map(Number) as unknown as Matrix
    const luma = { columns: 1024, rows: 1024, data: new Uint8Array(1024 * 1024) }
    const area = { x0: 0, y0: 0, x1: 1024, y1: 1024 }
    const montage = new Montage(area, 1024, 1024)
    const worth = montage.draw({ luma, paint: 0, alpha: undefined }, matrix, area)
    const drawn = montage.data.filter((value) => value === 0).length
    expect(drawn).toBeGreaterThan(0)
    expect(worth).toBeGreaterThan(drawn * 100)
    expect(worth).toBeLessThan(3 * 1024 * 1024)
  })

  it('have forms that draw each other ever more often', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `/Im${5 + i} ${5 + i} 0 R`).join(' ')
    const value = `<< /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << ${names} >> >> >>`
    const forms = Array.from({ length: 8 }, (_, i) => ({
      value,
      data: Buffer.from(`/Im${6 + i} Do `.repeat(500)),
    }))
    const limits = { workMs: 100 }
    const file = write([...forms, await dot()], { content: '/Im5 Do' })
    expect(await scanFile({ ...context, limits }, file)).toMatchObject({ reason: 'over-limit' })
  })
})
