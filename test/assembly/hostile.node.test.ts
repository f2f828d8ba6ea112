import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { CoreFormat } from '../../src/core/image.ts'
import { writeBmp } from '../support/bmp-writer.ts'
import { countSteps, decodeChunks } from '../support/decode.ts'
import { writeGif } from '../support/gif-writer.ts'
import { ascii, writeJpeg } from '../support/jpeg-writer.ts'
import { header, joinPng, u32, writePng } from '../support/png-writer.ts'
import { picture } from '../support/sharp-images.ts'
import { DAMAGED, DONE, OVER_BUDGET, OVER_LIMIT, TRUNCATED } from '../support/status.ts'

/**
 * Steps that a file may make which wants to cost much: calls, turns of loops, bytes copied or filled. They are counted, not
 * timed, and so the same on every machine. A step takes a nanosecond or less.
 */
const MAX_STEPS = 50_000_000
/** The same for what comes near the limit of rows, most of them filled with zeros. */
const MAX_FILLING_STEPS = 200_000_000

/** Steps of one call of a decoder, between which others run. */
const MAX_CALL_STEPS = 50_000_000
/** Bytes that a decoder is given at once, as in src/scan/image/image-scan.ts. */
const CHUNK_BYTES = 16 * 1024

/** The status of a file that must not cost much. */
function cheapStatus(format: CoreFormat, file: Uint8Array, most = MAX_STEPS): number {
  const { status, steps, longest } = countSteps(format, file, CHUNK_BYTES)
  expect(steps).toBeGreaterThan(0)
  expect(steps).toBeLessThan(most)
  expect(longest).toBeLessThan(MAX_CALL_STEPS)
  return status
}

function repeat(bytes: ArrayLike<number>, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times)
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length)
  return all
}

const grey = (width: number, height: number) => ({
  width,
  height,
  depth: 8 as const,
  colourType: 0 as const,
  pixel: () => [7],
})

describe('a short file that claims 65,535 x 65,535 pixels', () => {
  const components = [{ h: 1, v: 1, sample: () => 90 }]
  const jpeg = writeJpeg({ width: 8, height: 8, components })
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0)
  jpeg.fill(255, frame + 5, frame + 9)

  it('is truncated: JPEG', () => {
    expect(cheapStatus('jpeg', jpeg)).toBe(TRUNCATED)
  })

  it('is over the limit: progressive JPEG', async () => {
    const progressive = await picture(64, 64).jpeg({ progressive: true }).toBuffer()
    const size = progressive.indexOf(Buffer.of(0xff, 0xc2)) + 5
    progressive.fill(255, size, size + 4)
    expect(cheapStatus('jpeg', progressive)).toBe(OVER_LIMIT)
  })

  it('is truncated: PNG, interlaced or not', () => {
    for (const isInterlaced of [false, true]) {
      const claim = header({ ...grey(65535, 65535), isInterlaced })
      const file = joinPng([claim, ['IDAT', deflateSync(new Uint8Array(1000))]])
      expect(cheapStatus('png', file)).toBe(TRUNCATED)
    }
  })

  it('is over the limit: GIF', () => {
    const pixel = { width: 1, height: 1, pixel: () => 1 }
    expect(cheapStatus('gif', writeGif({ width: 65535, height: 65535, frames: [pixel] }))).toBe(
      OVER_LIMIT,
    )
  })

  it('is truncated: BMP', () => {
    const file = writeBmp({ width: 8, height: 8, bits: 24, pixel: () => 9 })
    file.set([255, 255, 0, 0, 255, 255, 0, 0], 18)
    expect(cheapStatus('bmp', file)).toBe(TRUNCATED)
  })
})

describe('a JPEG that claims work', () => {
  it('is refused: thousands of scans', async () => {
    const file = await picture(400, 300).jpeg({ progressive: true }).toBuffer()
    const scan = file.lastIndexOf(Buffer.of(0xff, 0xda))
    const last = file.subarray(scan, -2)
    const many = Buffer.concat([file.subarray(0, -2), repeat(last, 5000), file.subarray(-2)])
    expect(cheapStatus('jpeg', many)).toBe(OVER_LIMIT)
  })

  it('is refused: runs of empty blocks, again and again', async () => {
    // Scans of a picture of 90 megapixels that are over after a few bytes.
    const file = await picture(64, 64).jpeg({ progressive: true, quality: 10 }).toBuffer()
    const frame = file.indexOf(Buffer.of(0xff, 0xc2))
    file.writeUInt16BE(9000, frame + 5)
    file.writeUInt16BE(10_000, frame + 7)
    const scan = file.lastIndexOf(Buffer.of(0xff, 0xda))
    const many = Buffer.concat([file.subarray(0, -2), repeat(file.subarray(scan, -2), 80)])
    expect([TRUNCATED, OVER_LIMIT]).toContain(cheapStatus('jpeg', many))
  })

  it('is refused: restart intervals of a missing picture', () => {
    const jpegOf = (count: number) => {
      const file = writeJpeg({
        ...{ width: 8, height: 8, restartInterval: 65535 },
        components: Array.from({ length: count }, () => ({ h: 1, v: 1, sample: () => 90 })),
      })
      const size = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0) + 5
      file.fill(255, size, size + 4)
      const restarts = Array.from({ length: 1200 }, (_, i) => [0xff, 0xd0 + (i & 7)]).flat()
      return Uint8Array.from([...file.subarray(0, -2), ...restarts, 0xff, 0xd9])
    }
    for (const count of [1, 4]) expect(cheapStatus('jpeg', jpegOf(count))).toBe(OVER_LIMIT)
  })

  it('is refused: scans of a large picture that hold nothing', async () => {
    const components = [1, 2, 3].map(() => ({ h: 1, v: 1, sample: () => 90 }))
    const scans = Array.from({ length: 98 }, (_, i) => [i % 3])
    const file = writeJpeg({ width: 16, height: 16, components, scans })
    const size = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0) + 5
    new DataView(file.buffer).setUint16(size, 10_000)
    new DataView(file.buffer).setUint16(size + 2, 10_000)
    expect([TRUNCATED, OVER_LIMIT]).toContain(cheapStatus('jpeg', file))
  })

  it('keeps what it stores apart from tables that come late', async () => {
    const components = [{ h: 1, v: 1, sample: (x: number) => (x * 9) & 255 }]
    const file = writeJpeg({ width: 600, height: 400, components, hasDnl: true, scans: [[0]] })
    const at = Buffer.from(file).indexOf(Buffer.of(0xff, 0xdc))
    const table = Buffer.from(file).indexOf(Buffer.of(0xff, 0xc4))
    const length = 2 + ((file[table + 2] ?? 0) << 8) + (file[table + 3] ?? 0)
    const late = Uint8Array.from(file.subarray(table, table + length))
    late[4] = 0x03
    const changed = Uint8Array.from([...file.subarray(0, at), ...late, ...file.subarray(at)])
    const { isIntact } = decodeChunks('jpeg', changed, () => changed.length, 64)
    expect(isIntact).toBe(true)
  })

  it('is damaged: nothing but markers, or segments, or restart markers', () => {
    const fill = (bytes: number[]) =>
      Uint8Array.from([0xff, 0xd8, ...repeat(bytes, Math.floor(1_000_000 / bytes.length))])
    for (const bytes of [
      [0xff],
      [0xff, 0xd8],
      [0xff, 0xd0],
      [0xff, 0xe1, 0, 2],
      [0xff, 0xc4, 0, 2],
    ]) {
      expect(cheapStatus('jpeg', fill(bytes))).toBe(DAMAGED)
    }
  })
})

describe('a PNG that claims work', () => {
  it('is refused: inflates a thousandfold', () => {
    const zeros = deflateSync(new Uint8Array(100_000_000), { level: 9 })
    for (const isInterlaced of [false, true]) {
      const file = joinPng([header({ ...grey(9900, 9900), isInterlaced }), ['IDAT', zeros]])
      expect(file.length).toBeLessThan(100_000)
      expect(cheapStatus('png', file)).toBe(OVER_LIMIT)
      const bits = header({ ...grey(28_000, 28_000), depth: 1, isInterlaced })
      expect(cheapStatus('png', joinPng([bits, ['IDAT', zeros]]))).toBe(OVER_LIMIT)
    }
  })

  it('is refused: a column of very many rows, interlaced', () => {
    const claim = header({ width: 1, height: 65_535, depth: 8, colourType: 4, isInterlaced: true })
    const rows = deflateSync(new Uint8Array(65_535 * 3))
    const file = joinPng([claim, ['IDAT', rows]])
    expect(cheapStatus('png', file, MAX_FILLING_STEPS)).toBe(OVER_LIMIT)
  })

  it('ends: data that goes on long after the end of its stream', () => {
    const stream = deflateSync(new Uint8Array(21))
    const data = new Uint8Array(Buffer.concat([stream, new Uint8Array(1_000_000)]))
    expect(cheapStatus('png', joinPng([header(grey(20, 20)), ['IDAT', data]]))).toBe(TRUNCATED)
    const whole = deflateSync(new Uint8Array(21 * 20))
    const more = new Uint8Array(Buffer.concat([whole, new Uint8Array(1_000_000)]))
    expect(cheapStatus('png', joinPng([header(grey(20, 20)), ['IDAT', more]]))).toBe(DONE)
  })

  it('ends: hundreds of thousands of empty chunks, or of stored blocks of nothing', () => {
    const empty = joinPng([]).subarray(8, 20)
    const chunk = Uint8Array.from(empty)
    chunk.set(ascii('IDAT'), 4)
    const head = joinPng([header(grey(20, 20))]).subarray(0, -12)
    const chunks = new Uint8Array(Buffer.concat([head, repeat(chunk, 200_000)]))
    expect(cheapStatus('png', chunks)).toBe(TRUNCATED)
    const stored = Uint8Array.from([0x78, 1, ...repeat([0, 0, 0, 0xff, 0xff], 100_000)])
    expect([TRUNCATED, OVER_LIMIT]).toContain(
      cheapStatus('png', joinPng([header(grey(20, 20)), ['IDAT', stored]])),
    )
    const blocks = Uint8Array.from([
      0x78,
      1,
      ...repeat([0x04, 0xc0, 0x81, 0x08, 0, 0, 0, 0], 50_000),
    ])
    expect(cheapStatus('png', joinPng([header(grey(20, 20)), ['IDAT', blocks]]))).toBeLessThan(0)
  })

  it('is refused: a chunk that is longer than the file', () => {
    const file = writePng(grey(20, 20))
    const at = Buffer.from(file).indexOf('IDAT')
    file.set(u32(0x7fffffff), at - 4)
    expect(cheapStatus('png', file)).toBe(DONE) // all rows are there
    const late = joinPng([header(grey(20, 20)), ['tEXt', new Uint8Array(100)]])
    late.set(u32(0x7fffffff), 33)
    expect(cheapStatus('png', late)).toBeLessThan(0)
  })
})

describe('a GIF that claims work', () => {
  const base = writeGif({
    width: 2000,
    height: 2000,
    palette: [[1, 2, 3]],
    frames: [{ width: 1, height: 1, pixel: () => 0 }],
  }).subarray(0, -1)
  const many = (frame: number[], count: number) =>
    new Uint8Array(Buffer.concat([base, repeat(frame, count)]))
  const descriptor = (side: number) => [
    0x2c,
    0,
    0,
    0,
    0,
    side & 255,
    side >> 8,
    side & 255,
    side >> 8,
    0,
  ]

  it('ends: a million empty frames', () => {
    const empty = [...descriptor(1), 2, 0]
    expect(cheapStatus('gif', many(empty, 1_000_000))).toBe(DONE)
  })

  it('ends: a million frames of one pixel, or of the whole canvas', () => {
    const pixel = [...descriptor(1), 2, 2, 0x44, 1, 0]
    expect(cheapStatus('gif', many(pixel, 1_000_000))).toBe(DONE)
    const whole = [...descriptor(2000), 2, 2, 0x44, 1, 0]
    expect(cheapStatus('gif', many(whole, 1_000_000))).toBe(DONE)
  })

  it('is refused: a large canvas around a small frame', () => {
    for (const isInterlaced of [false, true]) {
      for (const [x, y] of [
        [0, 0],
        [9000, 9000],
      ]) {
        const frames = [{ x: x!, y: y!, width: 8, height: 8, pixel: () => 0, isInterlaced }]
        const file = writeGif({ width: 9900, height: 9900, palette: [[1, 2, 3]], frames })
        expect(cheapStatus('gif', file)).toBe(OVER_LIMIT)
      }
    }
  })

  it('is refused: a narrow canvas of very many rows around an interlaced frame', () => {
    const frames = [{ width: 9, height: 9, pixel: () => 0, isInterlaced: true, transparent: 0 }]
    const file = writeGif({ width: 9, height: 65_535, palette: [[1, 2, 3]], frames })
    expect(cheapStatus('gif', file, MAX_FILLING_STEPS)).toBe(OVER_LIMIT)
  })

  it('is refused: a wide canvas around a narrow interlaced frame', () => {
    const frames = [{ width: 8, height: 600, pixel: () => 0, isInterlaced: true }]
    const file = writeGif({ width: 65_000, height: 600, palette: [[1, 2, 3]], frames })
    expect(cheapStatus('gif', file)).toBe(OVER_LIMIT)
  })

  it('ends: a million extensions', () => {
    expect(cheapStatus('gif', many([0x21, 0xfe, 0], 1_000_000))).toBe(DONE)
  })

  it('ends: frames that are restored each time', () => {
    const control = [0x21, 0xf9, 4, 0x0c, 0, 0, 0, 0]
    const frame = [...control, ...descriptor(1), 2, 2, 0x44, 1, 0]
    expect(cheapStatus('gif', many(frame, 300_000))).toBe(DONE)
  })
})

describe('a BMP that claims work', () => {
  const runs = (width: number, height: number, data: number[]) =>
    writeBmp({
      ...{ width, height, bits: 8, pixel: () => 0, palette: [[9, 9, 9]] },
      ...{ compression: 1, data },
    })

  it('is refused: runs that step over everything', () => {
    const none = runs(65535, 65535, [0, 1])
    expect(cheapStatus('bmp', none, MAX_FILLING_STEPS)).toBe(OVER_LIMIT)
    const steps = Array.from({ length: 4000 }, () => [0, 2, 0, 255]).flat()
    expect(cheapStatus('bmp', runs(65535, 65535, steps), MAX_FILLING_STEPS)).toBe(OVER_LIMIT)
  })

  it('ends: a row of runs without end', () => {
    const data = Array.from(repeat([255, 0], 500_000))
    expect([TRUNCATED, DONE]).toContain(cheapStatus('bmp', runs(100, 100, data)))
  })

  it('is over its memory: rows of 65,535 pixels of 32 bits are not', () => {
    const file = writeBmp({ width: 65535, height: 1, bits: 32, pixel: (x) => x })
    expect([DONE, OVER_BUDGET]).toContain(cheapStatus('bmp', file))
  })
})
