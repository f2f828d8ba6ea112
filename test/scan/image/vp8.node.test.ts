// Lossy WebP whose coefficients are so large that libwebp's vector code wraps shows another picture there than in C.

import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { isAccepted } from '../../../src/scan/accepted.ts'
import { ScanBudget } from '../../../src/scan/budget.ts'
import { decodeWithLibrary } from '../../../src/scan/image/library.ts'
import { KeyFrame } from '../../../src/scan/image/vp8/key-frame.ts'
import { wrapsInTransform } from '../../../src/scan/image/vp8/transforms.ts'
import { planWebp } from '../../../src/scan/image/webp.ts'
import { SCAN_LIMITS } from '../../../src/scan/limits.ts'
import { allFiles, needlesOf, problemOf } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { atOnce } from '../../../src/util/steps.ts'
import { below, type Random } from '../../fuzz/choose.ts'
import { randomFrom } from '../../support/random.ts'
import { scene } from '../../support/scene.ts'
import { writeVp8 } from '../../support/vp8-writer.ts'

const context = { modules: readModules() }
const [WIDTH, HEIGHT] = [176, 144]
const { data: photograph } = scene(WIDTH, HEIGHT, 1, 8)

/** Whether a file's frame wraps, and the bytes of each partition that were not used. */
function look(file: Uint8Array): { wraps: boolean; unused: number[] } {
  const frame = new KeyFrame(planWebp(file)?.pictures[0]?.vp8 ?? new Uint8Array(0))
  const wraps = atOnce(frame.wraps(new ScanBudget(SCAN_LIMITS)))
  return { wraps, unused: frame.partitions.map(({ unusedBytes }) => unusedBytes) }
}

/** Mean difference between what sharp and the library show, in levels of luma. */
async function differenceOf(file: Uint8Array): Promise<number> {
  const pixels = await decodeWithLibrary(context.modules, 'webp', file)
  if (typeof pixels === 'string') throw new Error(pixels)
  const shown = await sharp(file).ensureAlpha().raw().toBuffer()
  const lumaAt = (data: Uint8Array, at: number) =>
    0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
  let sum = 0
  for (let at = 0; at < shown.length; at += 4) {
    sum += Math.abs(lumaAt(shown, at) - lumaAt(pixels.data, at))
  }
  return (sum * 4) / shown.length
}

/** Some blocks of coefficients up to a limit, between faint ones. */
function loudFile(random: Random): Buffer {
  const [share, density, limit] = [random() * 0.3, random(), 2 ** (1 + random() * 10)]
  return writeVp8({
    ...{ width: 48, height: 64, quantiser: below(128, random), partitions: 1 << below(4, random) },
    isWhole: () => random() < 0.5,
    block: () => {
      const level = () => (random() < density ? Math.round((random() * 2 - 1) * limit) : 0)
      return random() < share ? Array.from({ length: 16 }, level) : [below(40, random) - 20]
    },
  })
}

/** A picture whose blocks wrap, each in its own way. */
const hidden = writeVp8({
  ...{ width: WIDTH, height: HEIGHT, quantiser: 127 },
  block: (macroblock, i) =>
    i < 16 ? [160 + ((macroblock * 7 + i) % 40), 0, 0, 0, 0, 0, 0, 0, 0, 100] : [],
})

describe('coefficients of lossy WebP', () => {
  const pictures: Record<string, (x: number, y: number) => number> = {
    photograph: (x, y) => photograph[y * WIDTH + x] ?? 0,
    noise: (x, y) => Math.floor(Math.sin(x * 12.9898 + y * 78.233) * 43_758.5453) & 255,
    pixels: (x, y) => ((x + y) % 2) * 255,
    stripes: (x) => (x % 2) * 255,
    text: (x, y) => ((x * 7 + (y >> 2) * 13) % 5 < 2 && y % 8 < 6 ? 0 : 255),
  }

  it.each(Object.entries(pictures))('are read to their end, in range: %s', async (_, valueAt) => {
    const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_value, i) =>
      valueAt(i % WIDTH, Math.floor(i / WIDTH)),
    )
    const image = sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
    for (const [i, quality] of [1, 20, 50, 75, 90, 100].entries()) {
      const { wraps, unused } = look(await image.clone().webp({ quality, effort: i }).toBuffer())
      expect(wraps).toBe(false)
      for (const bytes of unused) expect(bytes).toBeOneOf([0, 1, 2, 3])
    }
  })

  it('are out of range wherever decoders show different pictures', async () => {
    const random = randomFrom(5)
    const counts = { wraps: 0, differ: 0 }
    for (let i = 0; i < 80; i++) {
      const file = loudFile(random)
      const { wraps, unused } = look(file)
      const differs = (await differenceOf(file)) > 2
      if (differs) expect(wraps).toBe(true)
      if (!wraps) for (const bytes of unused) expect(bytes).toBeOneOf([0, 1])
      if (wraps) counts.wraps++
      if (differs) counts.differ++
    }
    expect(counts.differ).toBeGreaterThan(10)
    expect(counts.wraps).toBeLessThan(counts.differ * 1.5)
  })

  it('may be anything in a damaged file', () => {
    const random = randomFrom(6)
    const file = loudFile(random)
    const broken = Array.from({ length: 200 }, (_, i) => {
      const bytes = Buffer.from(file)
      for (let k = 0; k < 4; k++) bytes[26 + below(file.length - 26, random)] = below(256, random)
      return bytes.subarray(0, i % 2 === 0 ? file.length : 30 + below(file.length - 30, random))
    })
    for (const bytes of broken) expect(() => look(bytes)).not.toThrow()
  })

  it('wrap from 2 to the power of 15 on, after rounding', () => {
    const block = (first: number, ninth: number) => {
      const coefficients = new Int16Array(16)
      coefficients[0] = first
      coefficients[8] = ninth
      return coefficients
    }
    expect(wrapsInTransform(block(16_383, 16_380))).toBe(false)
    expect(wrapsInTransform(block(16_383, 16_381))).toBe(true)
    expect(wrapsInTransform(block(-16_384, -16_384))).toBe(false)
    expect(wrapsInTransform(block(-16_384, -16_389))).toBe(true)
  })

  it('are counted as work, with turns between', () => {
    const file = writeVp8({ width: 1600, height: 1600, quantiser: 60, block: () => [1, 2, 3, 4] })
    const budget = new ScanBudget(SCAN_LIMITS)
    const frame = new KeyFrame(planWebp(file)?.pictures[0]?.vp8 ?? new Uint8Array(0))
    expect([...frame.wraps(budget)].length).toBeGreaterThan(10)
    expect(budget.workMs).toBeGreaterThan(10)
  })
})

describe('a WebP out of range', () => {
  it('shows one picture in C and another in vector code', async () => {
    expect(look(hidden).wraps).toBe(true)
    expect(await differenceOf(hidden)).toBeGreaterThan(2)
  })

  it('is unscannable, and is compared with the list as far as it is known', async () => {
    const scanned = await scanFile(context, hidden)
    expect(scanned).toMatchObject({
      ...{ coverage: 'unscannable', reason: 'out-of-range', format: 'webp' },
      ...{ width: WIDTH, height: HEIGHT },
    })
    expect(problemOf(scanned)).toBe('out-of-range')
    expect(allFiles(scanned).flatMap(needlesOf).length).toBeGreaterThan(0)
    expect(isAccepted(scanned, false, new Set(['webp']))).toBe(true)
  })

  it('is found in an animation, too', async () => {
    const chunk = (type: string, data: Uint8Array) => {
      const start = Buffer.from(`${type}\0\0\0\0`)
      start.writeUInt32LE(data.length, 4)
      return Buffer.concat([start, data])
    }
    const still = await sharp({
      create: { width: WIDTH, height: HEIGHT, channels: 3, background: 'grey' },
    })
      .webp()
      .toBuffer()
    const u24 = (value: number) => [value & 255, value >> 8, 0]
    const size = [...u24(WIDTH - 1), ...u24(HEIGHT - 1)]
    const frame = (file: Buffer) =>
      chunk(
        'ANMF',
        Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, ...size, 100, 0, 0, 2]), file.subarray(12)]),
      )
    const file = chunk(
      'RIFF',
      Buffer.concat([
        Buffer.from('WEBP'),
        chunk('VP8X', Buffer.from([2, 0, 0, 0, ...size])),
        chunk('ANIM', Buffer.alloc(6)),
        ...[still, hidden].map(frame),
      ]),
    )
    expect(await scanFile(context, file)).toMatchObject({ reason: 'out-of-range' })
  })
})
