import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { type CoreFormat, ImageDecoder } from '../../src/core/image.ts'
import { readModules } from '../../src/core/node.ts'
import { decode } from '../support/decode.ts'
import { picture } from '../support/sharp-images.ts'
import { OVER_LIMIT } from '../support/status.ts'

// The budgets of docs/decoding.md. An instance's memory never shrinks: its size afterwards is its peak.
const SMALL = 9_000_000
const LARGE = 24_000_000

const modules = readModules()

/** Size of a picture of so many megapixels. */
function sizeOf(megapixels: number, aspect = 4 / 3): [width: number, height: number] {
  const height = Math.sqrt((megapixels * 1e6) / aspect)
  return [Math.round(height * aspect), Math.round(height)]
}

const TWELVE = sizeOf(12)
const HUNDRED = sizeOf(100)
const WIDE: [number, number] = [65_500, 1526]
const TALL: [number, number] = [1526, 65_500]

/** A picture of any size. What decoding it takes depends on its size, so it may be of what is written and read fastest: large points. */
function largePoints(width: number, height: number): Sharp {
  return picture(800, 600).resize(width, height, { fit: 'fill', kernel: 'nearest' })
}

/** Sees that decoding stays within a budget, and leaves enough of it to probe each frame. */
function expectWithin(format: CoreFormat, file: Uint8Array, budget: number): void {
  const decoder = ImageDecoder.forFile(modules.image, format)
  const probed: boolean[] = []
  decoder.push(file, true, (frame) => void probed.push(frame.plane('stored') !== undefined))
  expect([decoder.isDone, decoder.failure]).toEqual([true, undefined])
  expect(new Set(probed)).toEqual(new Set([true]))
  expect(decoder.memoryBytes).toBeLessThanOrEqual(budget)
}

describe('memory of one image', () => {
  it.each([TWELVE, HUNDRED, WIDE, TALL])(
    'is at most 9 MB: baseline JPEG, %i x %i',
    async (...size) => {
      for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
        const file = await largePoints(...size)
          .jpeg({ chromaSubsampling })
          .toBuffer()
        expectWithin('jpeg', file, SMALL)
      }
    },
  )

  it.each([sizeOf(12), sizeOf(39.9), [65_500, 600] as const, [600, 65_500] as const])(
    'is at most 9 MB: progressive JPEG, %i x %i',
    async (width, height) => {
      const image = largePoints(width, height)
      for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
        const file = await image.jpeg({ progressive: true, chromaSubsampling }).toBuffer()
        expectWithin('jpeg', file, SMALL)
      }
    },
  )

  it.each([sizeOf(99.9), WIDE, TALL])(
    'is at most 24 MB: progressive JPEG, %i x %i',
    async (width, height) => {
      const file = await largePoints(width, height).jpeg({ progressive: true }).toBuffer()
      expectWithin('jpeg', file, LARGE)
    },
  )

  it('is refused to a progressive JPEG over 100 megapixels', async () => {
    const file = await largePoints(...sizeOf(101))
      .jpeg({ progressive: true })
      .toBuffer()
    expect(decode('jpeg', file).status).toBe(OVER_LIMIT)
  })

  it.each([TWELVE, HUNDRED, WIDE, TALL])('is at most 9 MB: PNG, %i x %i', async (width, height) => {
    const image = largePoints(width, height).ensureAlpha(0.5)
    for (const progressive of [false, true]) {
      const file = await image.png({ progressive, compressionLevel: 1 }).toBuffer()
      expectWithin('png', file, SMALL)
    }
  })

  it('is at most 9 MB: PNG of 16 bits', async () => {
    const image = sharp({
      create: { width: 65_500, height: 250, channels: 4, background: '#8888' },
    })
    const file = await image.toColourspace('rgb16').png({ compressionLevel: 1 }).toBuffer()
    expectWithin('png', file, SMALL)
  })

  it.each([sizeOf(12), sizeOf(39.9)])('is at most 9 MB: GIF, %i x %i', async (width, height) => {
    const file = await largePoints(width, height).gif({ effort: 1, colours: 8 }).toBuffer()
    expectWithin('gif', file, SMALL)
  })
})
