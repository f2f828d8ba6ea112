import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { drawDistractor, KINDS } from '../../bench/accuracy/distractors.ts'

const EACH = 8

/** A picture at a size at which only what is seen of it counts. */
async function seen(file: Uint8Array): Promise<string> {
  const small = await sharp(file).resize(64, 64, { fit: 'fill' }).removeAlpha().raw().toBuffer()
  return small.toString('base64')
}

describe('distractors', () => {
  it('are of many kinds', () => {
    expect(KINDS.length).toBeGreaterThanOrEqual(15)
  })

  it.each(KINDS)('%s differ from each other', async (kind) => {
    const files = await Promise.all(
      Array.from({ length: EACH }, (_, number) => drawDistractor(kind, number, 1)),
    )
    expect(new Set(await Promise.all(files.map(seen))).size).toBe(EACH)
  })

  it.each(KINDS)('%s are the same for the same seed, and others for another', async (kind) => {
    const file = await drawDistractor(kind, 3, 1)
    expect(await drawDistractor(kind, 3, 1)).toEqual(file)
    expect(await drawDistractor(kind, 3, 2)).not.toEqual(file)
  })
})
