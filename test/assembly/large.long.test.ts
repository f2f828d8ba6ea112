// Steps of large pictures, which take seconds to make and to count.

import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { writeBmp } from '../support/bmp-writer.ts'
import { countSteps, decode } from '../support/decode.ts'
import { header, joinPng } from '../support/png-writer.ts'
import { randomBytes } from '../support/random.ts'
import { picture } from '../support/sharp-images.ts'
import { DONE } from '../support/status.ts'

/** Steps of one call of a decoder, between which others run: half of what a hostile file may take. See hostile.node.test.ts. */
const LONGEST_CALL = 25_000_000
/** Bytes that a decoder is given at once, as in src/scan/image/image-scan.ts. */
const CHUNK_BYTES = 16 * 1024

describe('a large picture', () => {
  it('is decoded in many short calls: progressive JPEG, which ends with all of its blocks', async () => {
    const file = await picture(3000, 2000).jpeg({ quality: 20, progressive: true }).toBuffer()
    const { status, longest, calls } = countSteps('jpeg', file, CHUNK_BYTES)
    expect(status).toBe(DONE)
    expect(longest).toBeLessThan(LONGEST_CALL)
    expect(calls).toBeGreaterThan(file.length / CHUNK_BYTES + 5)
  })

  it('is filled in many short calls if half of it is missing: BMP, PNG', () => {
    const [width, height] = [40_000, 1200]
    const bmp = writeBmp({
      width,
      height,
      bits: 1,
      palette: [
        [0, 0, 0],
        [9, 9, 9],
      ],
      pixel: () => 1,
    })
    const half = bmp.subarray(0, bmp.length * 0.55)
    const noise = randomBytes((1 + width / 8) * height * 0.55, 4)
    const rows = deflateSync(noise.map((byte, i) => (i % (1 + width / 8) === 0 ? 0 : byte)))
    const png = joinPng([header({ width, height, depth: 1, colourType: 0 }), ['IDAT', rows]])
    for (const [format, file] of [
      ['bmp', half],
      ['png', png],
    ] as const) {
      const { status, longest, steps } = countSteps(format, file, CHUNK_BYTES)
      expect(status).toBe(DONE)
      expect(steps).toBeGreaterThan(2 * LONGEST_CALL)
      expect(longest).toBeLessThan(LONGEST_CALL)
      const hashes = [Infinity, 5000].map((cut) => decode(format, file, cut).frames[0]?.hash)
      expect(hashes[0]).toBe(hashes[1])
    }
  })
})
