import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { codePointSpace } from '../../../src/scan/image/code-points.ts'
import { shownLuma } from '../../../src/scan/image/colour-space.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { writePng } from '../../support/png-writer.ts'
import { scene } from '../../support/scene.ts'

const GREY = [1, 1, 1]
const SKIN = [1, 0.5, 0.25]
const PALE = [0.8, 0.6, 0.6]
const [PQ, HLG] = [16, 18]

/** Luma of what Chromium 156 shows of 8-bit values in the primaries of BT.2020, times a colour. */
const SHOWN: [transfer: number, peak: number, colour: number[], values: Record<number, number>][] =
  [
    [PQ, 1000, GREY, { 16: 1, 48: 15, 80: 48, 112: 98, 144: 175, 176: 237, 208: 255 }],
    [PQ, 1000, SKIN, { 48: 7, 80: 18, 112: 37, 144: 65, 176: 76 }],
    [PQ, 1000, PALE, { 80: 20, 112: 42, 144: 70, 176: 109, 208: 136, 240: 132 }],
    [PQ, 203, GREY, { 48: 25, 80: 68.6, 112: 135, 144: 238, 160: 255 }],
    [PQ, 400, GREY, { 48: 21, 80: 61, 112: 121, 144: 214, 160: 249, 176: 255 }],
    [PQ, 4000, GREY, { 48: 15, 112: 98, 144: 175, 160: 202, 192: 226, 224: 250 }],
    [HLG, 1000, GREY, { 16: 3, 48: 29, 80: 57, 112: 85, 144: 115, 176: 160, 208: 212, 240: 243 }],
    [HLG, 1000, SKIN, { 48: 13, 80: 30, 112: 47, 144: 64, 176: 84, 208: 102, 240: 76 }],
    [HLG, 4000, GREY, { 144: 115, 176: 160, 208: 201, 240: 218 }],
  ]

describe('highlights', () => {
  it.each(SHOWN)('are shown as in Chromium: %i, %i nits, %j', (transfer, peak, colour, values) => {
    const space = codePointSpace(9, transfer, peak)!
    for (const [value, luma] of Object.entries(values)) {
      const stored = colour.map((share) => Math.round(Number(value) * share) / 255)
      expect(Math.abs(shownLuma(space.light(stored)) - luma)).toBeLessThan(1.5)
    }
  })

  it.each([
    ['PQ', 9, PQ, true],
    ['HLG', 9, HLG, false],
    ['none', 1, 13, false],
  ])(
    'have a needle of their own, and are partial in PQ: %s',
    async (_, primaries, transfer, isPartial) => {
      const [width, height] = [96, 72]
      const { data } = scene(width, height, 3, 5)
      const pixel = (x: number, y: number) => [...data.subarray(3 * (y * width + x)).subarray(0, 3)]
      const chunks: [string, number[]][] = [['cICP', [primaries, transfer, 0, 1]]]
      const file = writePng({ width, height, depth: 8, colourType: 2, chunks, pixel })
      const scanned = await scanFile({ modules: readModules(), digestKinds: [] }, file)
      expect(scanned).toMatchObject({ coverage: 'scanned', isPartial })
      const probes = scanned.coverage === 'scanned' ? scanned.needles.map(({ probe }) => probe) : []
      expect(probes.includes('toned')).toBe(transfer !== 13)
    },
  )
})
