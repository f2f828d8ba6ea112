import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { type Part, Plane } from '../../../src/core/plane.ts'
import { picturesOnPage } from '../../../src/scan/probes/pages.ts'
import { randomFrom } from '../../support/random.ts'
import { picture, FAST_PNG } from '../../support/sharp-images.ts'

const modules = readModules()
const SIDE = 512
/** Pixels of a sheet, a side: more than a plane has, so that pictures begin within its pixels. */
const SHEET = 1024

interface Box {
  left: number
  top: number
  width: number
  height: number
}

const BOX = { left: 201, top: 333, width: 411, height: 299 }

function sheet(background: string) {
  return sharp({ create: { width: SHEET, height: SHEET, channels: 3, background } })
}

/** A picture on something, as a plane. */
async function shown({ left, top, width, height }: Box, below = sheet('white')) {
  const input = await picture(width, height, 3, 41).png(FAST_PNG).toBuffer()
  return reduced(await below.composite([{ input, left, top }]).png(FAST_PNG).toBuffer())
}

/** Means of 2 x 2 pixels, as the core has them. */
async function reduced(file: Buffer): Promise<Uint8Array> {
  const pixels = await sharp(file).greyscale().raw().toBuffer()
  return new Uint8Array(SIDE * SIDE).map((_, i) => {
    const at = 2 * Math.floor(i / SIDE) * SHEET + 2 * (i % SIDE)
    const below = at + SHEET
    return (pixels[at]! + pixels[at + 1]! + pixels[below]! + pixels[below + 1]!) / 4 + 0.5
  })
}

function partsOf(luma: Uint8Array, aspect = 1): Part[] {
  return Plane.restore(modules.image, { rows: SIDE, cols: SIDE, luma }, (plane) =>
    picturesOnPage(plane, aspect).map(({ part }) => part),
  )!
}

/** Pixels of the plane by which the sides of the nearest part are wrong, at most. */
function errorOf(parts: readonly Part[], { left, top, width, height }: Box): number {
  const scale = SIDE / SHEET
  const errors = parts.map(({ x0, x1, y0, y1 }) =>
    Math.max(
      Math.abs(x0 - left * scale),
      Math.abs(y0 - top * scale),
      Math.abs(x1 - (left + width) * scale),
      Math.abs(y1 - (top + height) * scale),
    ),
  )
  return Math.min(...errors)
}

describe('pictures on a page', () => {
  it.each(['white', 'black', '#808080'])('are found to parts of a pixel, on %s', async (paper) => {
    expect(errorOf(partsOf(await shown(BOX, sheet(paper))), BOX)).toBeLessThan(0.5)
  })

  it('are found over their own blurred copy', async () => {
    const blurred = await picture(SHEET, SHEET, 3, 41).blur(30).png(FAST_PNG).toBuffer()
    expect(errorOf(partsOf(await shown(BOX, sharp(blurred))), BOX)).toBeLessThan(0.5)
  })

  it('are found where they reach from side to side', async () => {
    const wide = { left: 0, top: 300, width: SHEET, height: 401 }
    expect(errorOf(partsOf(await shown(wide)), wide)).toBeLessThan(0.5)
  })

  it('are found in a bubble, and with it', async () => {
    const bubble = { left: 101, top: 201, width: 700, height: 500 }
    const inner = { left: 112, top: 212, width: 678, height: 478 }
    const paper = await sharp({
      create: { width: bubble.width, height: bubble.height, channels: 3, background: '#4060c0' },
    })
      .png(FAST_PNG)
      .toBuffer()
    const below = await sheet('white')
      .composite([{ input: paper, left: bubble.left, top: bubble.top }])
      .png(FAST_PNG)
      .toBuffer()
    const parts = partsOf(await shown(inner, sharp(below)))
    expect(errorOf(parts, inner)).toBeLessThan(1)
    expect(errorOf(parts, bubble)).toBeLessThan(1)
  })

  it.each([
    [212, 208, true],
    [200, 200, false],
    [500, 108, true],
    [500, 98, false],
  ])(
    'are found from 4 % of the area and a tenth of a side on: %i x %i',
    async (width, height, isFound) => {
      const box = { left: 301, top: 401, width, height }
      expect(errorOf(partsOf(await shown(box)), box) < 1).toBe(isFound)
    },
  )

  it('are at most 16, of a pattern too', () => {
    for (const period of [12, 16, 30, 64]) {
      const checks = new Uint8Array(SIDE * SIDE).map((_, i) => {
        const [x, y] = [Math.floor((i % SIDE) / period), Math.floor(i / SIDE / period)]
        return (x + y) % 2 === 0 ? 50 : 200
      })
      expect(partsOf(checks)).toHaveLength(16)
    }
  })

  it('are none in noise, nor in what is blank', () => {
    const random = randomFrom(43)
    expect(partsOf(new Uint8Array(SIDE * SIDE).map(() => random() * 256))).toEqual([])
    expect(partsOf(new Uint8Array(SIDE * SIDE).fill(77))).toEqual([])
  })

  it('lie within the plane, and have a size, whatever is in it', () => {
    const random = randomFrom(44)
    for (let round = 0; round < 40; round++) {
      const luma = drawn(random)
      for (const { x0, x1, y0, y1 } of partsOf(luma, 10 ** (random() * 4 - 2))) {
        expect([x0, y0].every((at) => at >= 0) && [x1, y1].every((at) => at <= SIDE)).toBe(true)
        expect(x1 - x0).toBeGreaterThan(SIDE / 20)
        expect(y1 - y0).toBeGreaterThan(SIDE / 20)
      }
    }
  })
})

/** Rectangles over each other, flat or noisy. */
function drawn(random: () => number): Uint8Array {
  const luma = new Uint8Array(SIDE * SIDE)
  for (let k = 0; k < 30; k++) {
    const [x0, y0] = [Math.floor(random() * SIDE), Math.floor(random() * SIDE)]
    const [x1, y1] = [x0 + random() * 400, y0 + random() * 400]
    const [base, noise] = [random() * 200, random() < 0.5 ? 0 : 50]
    for (let y = y0; y < Math.min(y1, SIDE); y++) {
      for (let x = x0; x < Math.min(x1, SIDE); x++) luma[y * SIDE + x] = base + random() * noise
    }
  }
  return luma
}
