import { describe, expect, it } from 'vitest'
import type { ProbeExports } from '../../../src/core/image-exports.ts'
import { Plane, ProbeRoom } from '../../../src/core/plane.ts'
import { coversOf } from '../../../src/scan/probes/covers.ts'
import { imageInstance, placeFloats } from '../../assembly/instance.ts'
import { randomFrom } from '../../support/random.ts'

const SIDE = 512

interface Box {
  left: number
  top: number
  width: number
  height: number
  luma: number
}

/** A noisy plane with boxes of one luma over it, in points of 8 pixels. */
function covered(...boxes: Box[]): Plane {
  const random = randomFrom(5)
  const luma = new Float32Array(SIDE * SIDE).map(() => 60 + random() * 120)
  for (const box of boxes) {
    for (let y = box.top * 8; y < (box.top + box.height) * 8; y++) {
      luma.fill(box.luma, y * SIDE + box.left * 8, y * SIDE + (box.left + box.width) * 8)
    }
  }
  const core = imageInstance() as ProbeExports & ReturnType<typeof imageInstance>
  const address = placeFloats(core, luma)
  core.allocate(16) // what kernels may read behind it
  return new Plane(ProbeRoom.in({ exports: core }, SIDE * SIDE)!, address, SIDE, SIDE)
}

/** Points of boxes, and those beside them, where a rim may be. */
function maskOf(...boxes: Box[]): Uint8Array {
  return new Uint8Array(64 * 64).map((_, at) => {
    const [x, y] = [at % 64, Math.floor(at / 64)]
    const isIn = ({ left, top, width, height }: Box) =>
      x >= left - 1 && x <= left + width && y >= top - 1 && y <= top + height
    return Number(boxes.some(isIn))
  })
}

const BAR: Box = { left: 10, top: 15, width: 30, height: 4, luma: 0 }
const OTHER: Box = { left: 20, top: 45, width: 20, height: 6, luma: 20 }

describe('covers', () => {
  it('are none where nothing is flat', () => {
    expect(coversOf(covered())).toEqual([])
  })

  it('are a bar with its rim', () => {
    expect(coversOf(covered(BAR))).toEqual([maskOf(BAR)])
  })

  it('are two bars, one by one and together', () => {
    const found = coversOf(covered(BAR, OTHER))
    expect(found).toHaveLength(3)
    for (const mask of [maskOf(BAR), maskOf(OTHER), maskOf(BAR, OTHER)]) {
      expect(found).toContainEqual(mask)
    }
  })

  it('are what a patch encloses, too', () => {
    const eye = { left: 28, top: 47, width: 3, height: 2, luma: 240 }
    expect(coversOf(covered(OTHER, eye))).toContainEqual(maskOf(OTHER))
  })

  it('are cells with white and black in them', () => {
    const letters = [0, 1, 2, 3].flatMap((i) => [
      { left: 10 + i * 2, top: 30, width: 1, height: 1, luma: 255 },
      { left: 11 + i * 2, top: 30, width: 1, height: 1, luma: 0 },
    ])
    const [text] = coversOf(covered(...letters))
    const inside = letters.slice(0, -1).map(({ left, top }) => text?.[top * 64 + left])
    expect(inside).toEqual(inside.map(() => 1))
    expect(text?.reduce((sum, one) => sum + one, 0)).toBeLessThan(40)
  })

  it('are not half of a picture, nor dots', () => {
    const half = { left: 0, top: 0, width: 64, height: 32, luma: 0 }
    const dot = { left: 5, top: 50, width: 3, height: 4, luma: 0 }
    expect(coversOf(covered(half, dot))).toEqual([])
  })

  it('are at most 13, however many patches there are', () => {
    const patches = Array.from({ length: 16 }, (_, i) => ({
      left: 3 + (i % 4) * 15,
      top: 3 + Math.floor(i / 4) * 15,
      width: 8,
      height: 8,
      luma: i % 2 === 0 ? 0 : 255,
    }))
    expect(coversOf(covered(...patches))).toHaveLength(13)
  })
})
