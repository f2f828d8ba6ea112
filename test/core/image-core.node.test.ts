import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ImageCore } from '../../src/core/image-core.ts'
import { type CoreFormat, ImageDecoder } from '../../src/core/image.ts'
import { readModules } from '../../src/core/node.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { pick } from '../fuzz/choose.ts'
import { mutate } from '../fuzz/mutate.ts'
import { encodedSeeds } from '../fuzz/seeds.ts'
import { randomFrom } from '../support/random.ts'
import { largePicture, picture } from '../support/sharp-images.ts'

const modules = readModules()
const module = new WebAssembly.Module(
  readFileSync(new URL('../../build/image.wasm', import.meta.url)),
)
const PAGE = 65_536

/** What a file comes to with all probes; with a core that is given, or one that has had no image before. */
async function scan(file: Uint8Array, image = new ImageCore(module)): Promise<unknown> {
  const { widen, ...scanned } = {
    widen: undefined,
    ...(await scanFile(
      { modules: { ...modules, image }, probes: PROBE_SETS.wide, digestKinds: [] },
      file,
    )),
  }
  return { ...scanned, wide: widen?.() }
}

/** Fills all of a core's next memory, as an instance would that writes where it must not, and gives it back. */
function spoil(core: ImageCore): void {
  const instance = core.begin()
  new Uint8Array(instance.exports.memory.buffer).fill(0xa5)
  instance.release()
}

/** An instance in the middle of a JPEG. */
function begunWith(core: ImageCore, bytes: Uint8Array) {
  const instance = core.begin()
  const { exports } = instance
  const window = exports.inputAddress()
  new Uint8Array(exports.memory.buffer).set(bytes, window)
  exports.inputAdded(bytes.length)
  exports.decodeJpeg(0)
  return { exports, release: () => instance.release() }
}

describe('memory that is used again', () => {
  it('gives hostile files, and good ones between them, the answers of fresh memory', async () => {
    const used = new ImageCore(module)
    const seeds = await encodedSeeds()
    const good = [...seeds.jpeg, ...seeds.png, ...seeds.gif]
    const random = randomFrom(18)
    for (let i = 0; i < 60; i++) {
      const format = pick(['jpeg', 'png', 'gif'] as const, random)
      const hostile = mutate(pick(seeds[format], random), pick(good, random), format, random)
      for (const file of [hostile, pick(good, random)]) {
        if (i % 10 === 0) spoil(used)
        expect(await scan(file, used)).toEqual(await scan(file))
      }
    }
    expect(used.keptBytes).toBeGreaterThan(0)
  })

  it('does so after a trap', async () => {
    const used = new ImageCore(module)
    const file = await picture(640, 480).jpeg().toBuffer()
    const { exports, release } = begunWith(used, file.subarray(0, 5000))
    expect(() => exports.inputAdded(1_000_000)).toThrow(WebAssembly.RuntimeError)
    release()
    spoil(used)
    expect(await scan(file, used)).toEqual(await scan(file))
  })

  it('counts what an image takes, not what an earlier one grew the memory to', async () => {
    const used = new ImageCore(module)
    const bytesOf = (format: CoreFormat, file: Uint8Array, core: ImageCore) => {
      const decoder = ImageDecoder.forFile(core, format)
      decoder.push(file, true, () => {})
      const { memoryBytes } = decoder
      decoder.release()
      return memoryBytes
    }
    const small = await picture(300, 200).jpeg().toBuffer()
    const fresh = bytesOf('jpeg', small, used)
    const large = await largePicture(4000, 3000).jpeg({ progressive: true }).toBuffer()
    expect(bytesOf('jpeg', large, used)).toBeGreaterThan(fresh * 2)
    expect(used.keptBytes).toBeGreaterThan(fresh * 2)
    expect(bytesOf('jpeg', small, used)).toBe(fresh)
  })
})

describe('ImageCore', () => {
  /** Begins so many instances at once, each of which then has so many pages. */
  function grow(core: ImageCore, count: number, pages: number): void {
    const instances = Array.from({ length: count }, () => core.begin())
    for (const { exports } of instances) {
      exports.memory.grow(pages - exports.memory.buffer.byteLength / PAGE)
    }
    for (const instance of instances) instance.release()
  }

  it('gives each instance that is open a memory of its own', () => {
    const core = new ImageCore(module)
    grow(core, 2, 5)
    const [one, other] = [core.begin(), core.begin()]
    expect(one.exports.memory).not.toBe(other.exports.memory)
  })

  it('keeps 4 memories unless it is told otherwise', () => {
    const core = new ImageCore(module)
    grow(core, 6, 5)
    expect(core.keptBytes).toBe(4 * 5 * PAGE)
    core.keepAtMost(2)
    expect(core.keptBytes).toBe(2 * 5 * PAGE)
    grow(core, 6, 5)
    expect(core.keptBytes).toBe(2 * 5 * PAGE)
  })

  it('keeps a memory of 137 pages and none of 138, and 366 pages in all', () => {
    const core = new ImageCore(module)
    grow(core, 1, 138)
    expect(core.keptBytes).toBe(0)
    grow(core, 1, 137)
    expect(core.keptBytes).toBe(137 * PAGE)
    grow(core, 3, 137)
    expect(core.keptBytes).toBe(2 * 137 * PAGE)
  })

  it('takes a memory back once, and then blocks its instance', () => {
    const core = new ImageCore(module)
    const instance = core.begin()
    instance.release()
    instance.release()
    expect(core.keptBytes).toBe(4 * PAGE)
    expect(() => instance.exports).toThrow('released')
  })
})
