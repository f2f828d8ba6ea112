import { describe, expect, it } from 'vitest'
import { ImageDecoder } from '../../../src/core/image.ts'
import { modules } from '../../../src/core/workerd.ts'
import { heic } from '../../../src/heic.ts'
import { MEMORY_PAGES } from '../../../src/scan/image/heic/limits.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance, type Hash256 } from '../../../src/util/hash.ts'
import { box } from '../../support/avif-parts.ts'
import { HEIC, HEIC_ALPHA, heicGrid } from '../../support/heic-files.ts'
import { scene } from '../../support/scene.ts'

const context = { modules, heic: heic().library }

/** Hash of the picture that the files were made of. */
function pictured(): Hash256 {
  const { data, width, height } = scene(160, 120, 3, 1)
  const decoder = ImageDecoder.forPixels(modules.image, { width, height, channels: 3 })
  let hash: Hash256 | undefined
  decoder.push(data, true, (frame) => (hash = frame.stored()?.hash))
  decoder.release()
  return hash!
}

async function needlesOf(file: Uint8Array) {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned.needles
}

describe('heic', () => {
  it.each([
    ['an image', HEIC],
    ['an image with alpha', HEIC_ALPHA],
    ['a grid of tiles, the last of which are padded', heicGrid()],
  ])('decodes %s', async (_, file) => {
    const [first] = await needlesOf(file)
    expect(first).toMatchObject({ probe: 'identity', frame: 0 })
    expect(distance(first!.hash, pictured())).toBeLessThanOrEqual(10)
    expect(await scanFile(context, file)).toMatchObject({ width: 160, height: 120 })
  })

  it('hashes alpha, and the image over white and black', async () => {
    const probes = (await needlesOf(HEIC_ALPHA)).map(({ probe }) => probe)
    expect(probes).toEqual(expect.arrayContaining(['alpha', 'over-white', 'over-black']))
  })

  it('turns and crops as the properties of the image say', async () => {
    const turned = await needlesOf(heicGrid([box('irot', [1])]))
    expect(turned.map(({ probe }) => probe)).toContain('displayed')
    const clap = [80, 1, 60, 1, 0, 1, 0, 1].flatMap((value) => [0, 0, 0, value])
    const cropped = await needlesOf(heicGrid([box('clap', clap)]))
    expect(cropped.filter(({ probe }) => probe === 'identity')).toHaveLength(2)
  })

  it.each([
    ['cut off', HEIC.subarray(0, HEIC.length - 400)],
    ['without an image', HEIC.subarray(0, 28)],
    ['without data of its image', HEIC.map((byte, i) => (i < 358 ? byte : 0))],
  ])('calls a file damaged that is %s', async (_, file) => {
    expect(await scanFile(context, file)).toMatchObject({
      coverage: 'unscannable',
      reason: 'damaged',
    })
  })

  it('leaves HEIC unscannable without it', async () => {
    expect(await scanFile({ modules }, HEIC)).toMatchObject({ reason: 'unsupported-format' })
  })
})

describe('memory of libheif', () => {
  it('does not grow past its cap', async () => {
    const instances: WebAssembly.Instance[] = []
    const { Instance } = WebAssembly
    class Watched extends Instance {
      constructor(...parts: ConstructorParameters<typeof Instance>) {
        super(...parts)
        instances.push(this)
      }
    }
    WebAssembly.Instance = Watched
    try {
      // More than it may have, behind a file that is whole.
      const file = new Uint8Array((MEMORY_PAGES + 1) * 65536)
      file.set(HEIC)
      expect(context.heic.images(file)).toBe('over-memory-budget')
    } finally {
      WebAssembly.Instance = Instance
    }
    const memories = instances.flatMap(({ exports }) =>
      Object.values(exports).filter((one) => one instanceof WebAssembly.Memory),
    )
    expect(memories).toHaveLength(1)
    for (const { buffer } of memories)
      expect(buffer.byteLength).toBeLessThanOrEqual(MEMORY_PAGES * 65536)
  })
})
