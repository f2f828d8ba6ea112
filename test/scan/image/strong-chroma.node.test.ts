// Chroma is skipped in large pictures unless some of it changes luma, which must not be found by chance.

import sharp from 'sharp'
import { expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import { writeJpeg } from '../../support/jpeg-writer.ts'
import { scene } from '../../support/scene.ts'

const context = { modules: readModules() }
const [WIDTH, HEIGHT] = [640, 480]
const { data } = scene(WIDTH, HEIGHT, 1, 8)

async function hashOf(file: Uint8Array) {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned.needles[0]!.hash
}

it('clamps colours of a few blocks in each row, alike in each run', async () => {
  const isStrong = (x: number, y: number) => x >= 256 && x < 304 && y >= 128 && y < 400
  const luma = (x: number, y: number) =>
    isStrong(x, y) ? 236 : (data[Math.min(y, HEIGHT - 1) * WIDTH + Math.min(x, WIDTH - 1)] ?? 0)
  const file = writeJpeg({
    ...{ width: WIDTH, height: HEIGHT, step: 2, scans: [[0, 1, 2]] },
    components: [
      { h: 1, v: 1, sample: luma },
      { h: 1, v: 1, sample: () => 128 },
      { h: 1, v: 1, sample: (x, y) => (isStrong(x, y) ? 250 : 128) },
    ],
  })
  const first = await hashOf(file)
  for (let run = 0; run < 5; run++) expect(distance(await hashOf(file), first)).toBe(0)
  const shown = await hashOf(await sharp(file).png().toBuffer())
  expect(distance(first, shown)).toBeLessThanOrEqual(10)
})

it('clamps colours in the row of blocks in which they begin', async () => {
  const isStrong = (x: number, y: number) => x >= 208 && y < 16
  const luma = (x: number, y: number) => {
    const grey = data[Math.min(y, HEIGHT - 1) * WIDTH + Math.min(x, WIDTH - 1)] ?? 0
    return isStrong(x, y) ? 236 : 200 + (grey >> 5)
  }
  const file = writeJpeg({
    ...{ width: WIDTH, height: HEIGHT, step: 2, scans: [[0, 1, 2]] },
    components: [
      { h: 2, v: 2, sample: luma },
      { h: 1, v: 1, sample: () => 128 },
      { h: 1, v: 1, sample: (x, y) => (isStrong(x * 2, y * 2) ? 250 : 128) },
    ],
  })
  const shown = await hashOf(await sharp(file).png().toBuffer())
  for (let run = 0; run < 5; run++) {
    expect(distance(await hashOf(file), shown)).toBeLessThanOrEqual(10)
  }
})
