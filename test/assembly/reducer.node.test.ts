import { describe, expect, it } from 'vitest'
import { areaAverage } from '../support/area-average.ts'
import { decode, difference } from '../support/decode.ts'
import { randomBytes } from '../support/random.ts'
import { writePng } from '../support/png-writer.ts'

/** A picture of noise, and the plane that a decoder makes of it. */
function reduce(width: number, height: number, isInterlaced: boolean) {
  const values = randomBytes(width * height, width + height)
  const pixel = (x: number, y: number) => [values[y * width + x] ?? 0]
  const file = writePng({ width, height, depth: 8, colourType: 0, isInterlaced, pixel, level: 1 })
  return { values: Float32Array.from(values), frame: decode('png', file).frames[0]! }
}

describe('reduction to the plane', () => {
  it.each([
    [513, 1],
    [1, 513],
    [513, 513],
    [600, 700],
    [1023, 5],
    [1024, 1024],
    [5, 3001],
    [2999, 40],
  ])('is the area average over 512 x 512 cells: %i x %i', (width, height) => {
    for (const isInterlaced of [false, true]) {
      const { values, frame } = reduce(width, height, isInterlaced)
      expect([frame.cols, frame.rows]).toEqual([512, 512])
      const expected = areaAverage(values, [width, height])
      expect(difference(frame.luma, expected).max).toBeLessThan(0.001)
    }
  })

  it.each([
    [512, 512],
    [512, 3],
    [4, 512],
  ])('leaves pictures of up to 512 pixels a side alone: %i x %i', (width, height) => {
    for (const isInterlaced of [false, true]) {
      const { values, frame } = reduce(width, height, isInterlaced)
      expect(frame.luma).toEqual(values)
    }
  })
})
