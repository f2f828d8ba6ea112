import { describe, expect, it } from 'vitest'
import { formatHash } from '../../src/util/hash.ts'
import { type Frame, ImageDecoder, type PixelSize } from '../../src/core/image.ts'
import { modules } from '../../src/core/workerd.ts'
import * as reference from '../reference/pdq.ts'
import { scene } from '../support/scene.ts'

/** What a decoder makes of pixels that come in chunks of `cut` bytes. */
function decodePixels(size: PixelSize, data: Uint8Array, cut: number) {
  const decoder = ImageDecoder.forPixels(modules.image, size)
  const found: { hash?: string; white?: string }[] = []
  const textOf = (hash: ReturnType<Frame['stored']>) => (hash ? formatHash(hash.hash) : '')
  for (let at = 0; at < data.length; at += cut) {
    decoder.push(data.subarray(at, at + cut), at + cut >= data.length, (frame) =>
      found.push({ hash: textOf(frame.stored()), white: textOf(frame.overWhite(1)) }),
    )
  }
  return { found, failure: decoder.failure }
}

function hashOfLuma({ width, height, channels }: PixelSize, data: Uint8Array): string {
  const luma = channels === 1 ? Float32Array.from(data) : reference.lumaFromRgb(data, channels)
  return reference.pdq({ rows: height, cols: width, luma }).hash
}

describe('ImageDecoder.forPixels', () => {
  it.each([1, 3, 4] as const)('hashes %i channels to the bits of the reference', (channels) => {
    const { data, width, height } = scene(131, 67, channels, 5)
    const size = { width, height, channels }
    for (const cut of [1, 7, 4096, data.length]) {
      const { found, failure } = decodePixels(size, data, cut)
      expect(failure).toBeUndefined()
      expect(found).toHaveLength(1)
      expect(found[0]?.hash).toBe(hashOfLuma(size, data))
      expect(found[0]?.white !== '').toBe(channels === 4)
    }
  })

  it('takes sides of 65535 pixels and none of 65536', () => {
    const sized = (width: number) => ({ width, height: 6, channels: 1 }) as const
    expect(decodePixels(sized(65_535), new Uint8Array(65_535 * 6), 1e6).failure).toBeUndefined()
    expect(decodePixels(sized(65_536), new Uint8Array(65_536 * 6), 1e6).failure).toBe('damaged')
  })

  it('is damaged if a byte is missing', () => {
    const { data } = scene(20, 20, 3, 1)
    const size = { width: 20, height: 20, channels: 3 } as const
    expect(decodePixels(size, data.subarray(1), 100)).toEqual({ found: [], failure: 'damaged' })
  })
})

describe('ImageDecoder.stop', () => {
  it('ends a decoder, which ignores what follows', () => {
    const decoder = ImageDecoder.forPixels(modules.image, { width: 6, height: 6, channels: 1 })
    decoder.stop()
    decoder.push(new Uint8Array(36), true, () => expect.unreachable())
    expect(decoder.isDone).toBe(true)
  })
})
