import { beforeAll, describe, expect, it } from 'vitest'
import imageModule from '../../build/image.wasm'
import { modules } from '../../src/core/workerd.ts'
import {
  BadHashError,
  BadImageInputError,
  DIHEDRAL_NAMES,
  distance,
  formatHash,
  HashgateError,
  loadPdq,
  MATCH_THRESHOLD,
  parseHash,
  type Pdq,
  type PdqImage,
  UnhashableImageError,
} from '../../src/pdq/workerd.ts'
import { DEFAULT_BANK_POLICY } from '../../src/list/manifest.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import * as reference from '../reference/pdq.ts'
import { fixture } from '../support/fixtures.ts'
import { scene } from '../support/scene.ts'
import { needlesOf } from '../../src/scan/scanned.ts'

const HASH = 'f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22'

let pdq: Pdq

describe('MATCH_THRESHOLD', () => {
  it('is what banks match by, unless they say otherwise', () => {
    expect(MATCH_THRESHOLD).toBe(DEFAULT_BANK_POLICY.threshold)
  })
})

beforeAll(async () => {
  pdq = await loadPdq()
})

/** What the Worker and the command scan: the first needle of a file. */
async function scanned(file: Uint8Array): Promise<{ hash: string; quality: number }> {
  const [needle] = needlesOf(await scanFile({ modules, digestKinds: [] }, file))
  return { hash: formatHash(needle?.hash ?? new Uint8Array(32)), quality: needle?.quality ?? -1 }
}

/** What is thrown by hashing something. */
function errorOf(image: unknown): unknown {
  try {
    return pdq.hash(image as PdqImage)
  } catch (error) {
    return error
  }
}

describe('hash', () => {
  it.each(['jpeg', 'otherJpeg', 'png', 'gif'] as const)(
    'hashes a file as scanning does: %s',
    async (name) => {
      const file = fixture(name)
      expect(pdq.hash(file)).toEqual(await scanned(file))
    },
  )

  it('takes an ArrayBuffer, and a view of a part of one', () => {
    const file = fixture('jpeg')
    const hash = pdq.hash(file)
    const around = new Uint8Array(file.length + 9)
    around.set(file, 4)
    expect(pdq.hash(file.buffer)).toEqual(hash)
    expect(pdq.hash(around.subarray(4, 4 + file.length))).toEqual(hash)
  })

  it.each([1, 3, 4] as const)(
    'hashes pixels of %i bytes to the bits of the reference',
    (channels) => {
      const { width, height, data } = scene(120, 90, channels, 3)
      const luma = channels === 1 ? Float32Array.from(data) : reference.lumaFromRgb(data, channels)
      const expected = reference.pdq({ rows: height, cols: width, luma })
      expect(pdq.hash({ width, height, data })).toEqual(expected)
      expect(pdq.hash({ width, height, data: new Uint8ClampedArray(data) })).toEqual(expected)
    },
  )

  it('accepts the module from the caller', async () => {
    const own = await loadPdq(imageModule)
    expect(own.hash(fixture('png'))).toEqual(pdq.hash(fixture('png')))
  })

  it('leaves what it is given as it was', () => {
    const file = fixture('png')
    const copy = file.slice()
    pdq.hash(file)
    expect(file).toEqual(copy)
  })

  it.each([
    ['empty', new Uint8Array(0)],
    ['unknown-format', new TextEncoder().encode('no image')],
  ])('says why there is no hash: %s', (reason, file) => {
    const error = errorOf(file)
    expect(error).toBeInstanceOf(UnhashableImageError)
    expect(error).toMatchObject({ code: 'unhashable-image', reason })
  })

  it('says which format is not decoded here', () => {
    expect(errorOf(fixture('webp'))).toMatchObject({ reason: 'unsupported-format', format: 'webp' })
    expect(errorOf(fixture('avif'))).toMatchObject({ reason: 'unsupported-format', format: 'avif' })
  })

  it('says that a file is damaged or truncated, and of which format', () => {
    const jpeg = fixture('jpeg')
    expect(errorOf(jpeg.subarray(0, 3000))).toMatchObject({ reason: 'truncated', format: 'jpeg' })
    const damaged = jpeg.slice(0, 300).fill(0, 4)
    expect(errorOf(damaged)).toMatchObject({ reason: 'damaged', format: 'jpeg' })
  })

  it('has a hash from 5 pixels a side on', () => {
    const sized = (side: number) => ({ width: side, height: 90, data: scene(side, 90, 1, 1).data })
    expect(errorOf(sized(5))).toMatchObject({ quality: expect.any(Number) as number })
    expect(errorOf(sized(4))).toMatchObject({ reason: 'too-small', format: undefined })
  })

  it.each([
    ['text', 'image.jpg'],
    ['nothing', undefined],
    ['null', null],
    ['an object', {}],
    ['a promise', Promise.resolve(new Uint8Array(9))],
    ['no width', { width: 0, height: 6, data: new Uint8Array(36) }],
    ['half a pixel', { width: 6.5, height: 6, data: new Uint8Array(39) }],
    ['a side of 65536', { width: 65_536, height: 5, data: new Uint8Array(65_536 * 5) }],
    ['two channels', { width: 6, height: 6, data: new Uint8Array(72) }],
    ['a byte too few', { width: 6, height: 6, data: new Uint8Array(143) }],
    ['floats', { width: 6, height: 6, data: new Float32Array(36) }],
    ['a list of numbers', { width: 6, height: 6, data: Array.from({ length: 36 }).fill(0) }],
  ])('refuses %s', (_name, image) => {
    const error = errorOf(image)
    expect(error).toBeInstanceOf(BadImageInputError)
    expect(error).toBeInstanceOf(HashgateError)
  })
})

describe('dihedral', () => {
  it('hashes the eight variants as the reference does', () => {
    const { width, height, data } = scene(120, 90, 1, 4)
    const plane = { rows: height, cols: width, luma: Float32Array.from(data) }
    const { hashes, quality } = pdq.dihedral({ width, height, data })
    expect(hashes).toEqual(reference.pdqDihedral(plane))
    expect(quality).toBe(reference.pdq(plane).quality)
  })

  it('has the hash itself as the original', () => {
    const file = fixture('jpeg')
    const { hashes, quality } = pdq.dihedral(file)
    expect(Object.keys(hashes)).toEqual([...DIHEDRAL_NAMES])
    expect({ hash: hashes.original, quality }).toEqual(pdq.hash(file))
  })

  it('says why there are none', () => {
    expect(() => pdq.dihedral(new Uint8Array(0))).toThrow(UnhashableImageError)
  })
})

describe('distance', () => {
  it('counts the bits that differ, in texts and bytes alike', () => {
    const bytes = parseHash(HASH)
    const other = bytes.map((byte, i) => (i < 3 ? ~byte : byte))
    expect(distance(HASH, HASH.toUpperCase())).toBe(0)
    expect(distance(bytes, other)).toBe(24)
    expect(distance(HASH, other)).toBe(24)
    expect(distance(formatHash(other), HASH)).toBe(24)
    expect(distance('0'.repeat(64), 'f'.repeat(64))).toBe(256)
  })

  it.each([HASH.slice(1), `${HASH}0`, HASH.replace('f', 'g'), '', new Uint8Array(31), undefined])(
    'refuses what is no hash: %s',
    (given) => {
      expect(() => distance(HASH, given as string)).toThrow(BadHashError)
      expect(() => distance(given as string, HASH)).toThrow(BadHashError)
    },
  )

  it('does not tell what was given', () => {
    expect(() => parseHash(HASH.slice(1))).toThrow(/not text of 63 characters$/)
  })
})

describe('parseHash, formatHash', () => {
  it('turns texts into bytes and back', () => {
    expect(parseHash(HASH)).toHaveLength(32)
    expect(parseHash(HASH)[0]).toBe(0xf8)
    expect(formatHash(parseHash(HASH.toUpperCase()))).toBe(HASH)
  })

  it('refuses what is no hash', () => {
    expect(() => parseHash('nonsense')).toThrow(BadHashError)
    expect(() => formatHash(new Uint8Array(33))).toThrow(BadHashError)
  })
})
