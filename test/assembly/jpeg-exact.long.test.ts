import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../src/core/node.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { distance, parseHash } from '../../src/util/hash.ts'
import { areaAverage } from '../support/area-average.ts'
import { decode, difference } from '../support/decode.ts'
import { hashLuma } from '../support/hash-luma.ts'
import { type JpegOptions, writeJpeg } from '../support/jpeg-writer.ts'
import { randomFrom } from '../support/random.ts'
import { scene } from '../support/scene.ts'
import { lumaBySharp, picture } from '../support/sharp-images.ts'
import { DONE, OUT_OF_RANGE } from '../support/status.ts'
import { needlesOf } from '../../src/scan/scanned.ts'

const GREY_BY_SHARP = fileURLToPath(new URL('../support/grey-by-sharp.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hashgate-jpeg-'))

/** Grey pixels by libvips, with the vector code of its libjpeg or with its C code. */
function greyOf(file: Uint8Array, code: 'vector' | 'C'): Float32Array {
  const path = join(folder, 'file.jpg')
  writeFileSync(path, file)
  const env = { ...process.env, ...(code === 'C' && { JSIMD_FORCENONE: '1' }) }
  return Float32Array.from(
    execFileSync(process.execPath, [GREY_BY_SHARP, path], { env, maxBuffer: 2 ** 24 }),
  )
}

type Coefficients = NonNullable<JpegOptions['coefficients']>

function greyJpeg(width: number, height: number, step: number, coefficients: Coefficients) {
  const components = [{ h: 1, v: 1, sample: () => 0 }]
  return writeJpeg({ width, height, components, step, coefficients, has16BitTables: step > 255 })
}

/** Blocks of random values: some as encoders write them, some with one that is too large, some with many. */
function wildBlocks(seed: number, largest: number): Coefficients {
  const random = randomFrom(seed)
  const value = (magnitude: number) => Math.round((random() * 2 - 1) * magnitude)
  return () => {
    const kind = Math.floor(random() * 5)
    return Array.from({ length: 64 }, (_, k) => {
      if (kind === 0) return k === 0 ? value(largest) : 0
      if (kind === 1) return k < 10 ? value(60) : 0
      if (kind === 2) return k === 0 || k === 1 + (seed % 63) ? value(largest) : 0
      return random() < 0.3 ? value(kind === 3 ? largest : largest / 20) : 0
    })
  }
}

/** Which of so many MCUs, so many a row, an instance looks at that has not been given a seed. */
function placesWithoutSeed(mcus: number, columns: number): Set<number> {
  const places = new Set<number>()
  let chance = 0x9e3779b9
  for (let at = 0; at < mcus;) {
    places.add(at)
    chance ^= chance << 13
    chance ^= chance >>> 17
    chance ^= chance << 5
    at += 1 + ((chance >>> 0) % (at < columns ? 7 : 2 * Math.max(61, columns) - 1))
  }
  return places
}

describe('JPEG blocks that no encoder writes', () => {
  const cases = [1, 7, 16, 255, 3000, 40_000].flatMap((step) =>
    [300, 2000, 16_000].map((largest) => ({ step, largest })),
  )
  it.each(cases)(
    'are read as vector code and as C code do: step $step, values to $largest',
    ({ step, largest }) => {
      const file = greyJpeg(64, 48, step, wildBlocks(step + largest, largest))
      const { frames, status } = decode('jpeg', file)
      expect(status).toBe(DONE)
      const { luma, other } = frames[0]!
      expect(difference(luma, greyOf(file, 'vector')).max).toBeLessThan(1.01)
      expect(difference(other ?? luma, greyOf(file, 'C')).max).toBeLessThan(1.01)
    },
  )

  it('wrap by a DC value that grows over 16 bits', () => {
    let dc = 0
    const file = greyJpeg(160, 128, 1, (_, x, y) => {
      dc += (x + y) % 3 === 0 ? 16_000 : -13_000 + x * 40
      return [dc, ...Array.from({ length: 63 }, () => 0)]
    })
    const { frames } = decode('jpeg', file)
    expect(difference(frames[0]!.luma, greyOf(file, 'vector')).max).toBeLessThan(1.01)
    expect(difference(frames[0]!.other!, greyOf(file, 'C')).max).toBeLessThan(1.01)
  })

  // Every mean is zero. Saturation of one pixel in four is the picture, in coefficients that scaled decoding passes over.
  const saturated: Coefficients = (_, x, y) => {
    const strength = 20 + 90 * ((Math.sin(x / 9) + Math.cos(y / 7) + 2) / 4)
    const pixels = Array.from({ length: 64 }, (_unused, i) =>
      (i & 1) === 0 && ((i >> 3) & 1) === 0 ? -3 * strength : strength,
    )
    return coefficientsOf(pixels)
  }
  const wideFile = () => greyJpeg(1200, 1040, 1, saturated)

  it('have their picture at a reduced scale too', () => {
    const file = wideFile()
    const full = greyOf(file, 'vector')
    const { frames } = decode('jpeg', file)
    const { hash, rows, cols } = frames[0]!
    const expected = hashLuma(areaAverage(full, [1200, 1040], [cols, rows]), cols, rows)
    expect(distance(parseHash(hash)!, expected)).toBeLessThanOrEqual(10)
  })

  it('are found in a file built to avoid the samples of an unseeded instance', async () => {
    const seen = placesWithoutSeed(150 * 130, 150)
    const file = greyJpeg(1200, 1040, 1, (component, x, y) =>
      seen.has(y * 150 + x) ? Array<number>(64).fill(0) : saturated(component, x, y),
    )
    const full = greyOf(file, 'vector')
    const { hash, rows, cols } = decode('jpeg', file).frames[0]!
    const expected = hashLuma(areaAverage(full, [1200, 1040], [cols, rows]), cols, rows)
    expect(distance(parseHash(hash)!, expected)).toBeGreaterThan(60)
    for (let times = 0; times < 5; times++) {
      const needles = needlesOf(await scanFile({ modules: readModules() }, file))
      const bits = needles.map((needle) => distance(needle.hash, expected))
      expect(Math.min(256, ...bits)).toBeLessThanOrEqual(20)
    }
  })

  it('are the same in chunks of any size', () => {
    const file = wideFile()
    const whole = decode('jpeg', file).frames[0]!
    for (const cut of [4096, 517]) {
      expect(decode('jpeg', file, cut).frames[0]!.hash).toBe(whole.hash)
    }
  })
})

it('a picture by an encoder is read alike by all', () => {
  const random = randomFrom(5)
  const components = [{ h: 1, v: 1, sample: () => (random() < 0.5 ? 0 : 255) }]
  for (const step of [1, 16, 99]) {
    const file = writeJpeg({ width: 256, height: 256, components, step })
    expect(decode('jpeg', file).frames[0]!.other).toBeUndefined()
  }
})

it('reads the MCU after the end of the data from zero bits, as libjpeg does', () => {
  // A DC symbol of zero bits is 0, and so is an end of block: with a table in which zero bits mean otherwise, it shows.
  const components = [{ h: 1, v: 1, sample: () => 0 }]
  const dc = (x: number) => [x * 8, ...Array.from({ length: 63 }, () => 0)]
  const file = writeJpeg({
    width: 32,
    height: 8,
    components,
    step: 8,
    coefficients: (_, x) => dc(x + 3),
  })
  const scan = Buffer.from(file).indexOf(Buffer.of(0xff, 0xda)) + 10
  for (let length = scan + 1; length < file.length; length++) {
    const cut = Uint8Array.from([...file.subarray(0, length), 0xff, 0xd9])
    if (cut[length - 1] === 0xff) continue
    const { frames } = decode('jpeg', cut)
    if (!frames[0]) continue
    expect(difference(frames[0].luma, greyOf(cut, 'vector')).max).toBeLessThan(1.01)
  }
})

/** Cosines of the DCT: of each place, by the frequency. */
const COSINES = Array.from({ length: 8 }, (_, x) =>
  Array.from({ length: 8 }, (_unused, u) => {
    return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16)
  }),
)

/** The DCT of 64 pixels around zero, in zigzag order, rounded. */
function coefficientsOf(pixels: number[]): number[] {
  const cosine = (x: number, u: number) => COSINES[x]![u]!
  const values = Array.from({ length: 64 }, (_, place) => {
    const [u, v] = [place % 8, place >> 3]
    return Math.round(
      pixels.reduce((sum, pixel, i) => sum + pixel * cosine(i % 8, u) * cosine(i >> 3, v), 0),
    )
  })
  return zigzag.map((place) => values[place] ?? 0)
}

const zigzag = Array.from({ length: 64 }, (_, place) => place).toSorted((a, b) => rank(a) - rank(b))

/** Order of a place by its diagonal, and along it, in turns. */
function rank(place: number): number {
  const [u, v] = [place % 8, place >> 3]
  const diagonal = u + v
  return diagonal * 64 + (diagonal % 2 === 0 ? u : v)
}

describe('JPEG whose means are all grey', () => {
  // One pixel of each block is so far out of range that clamping it leaves the others' mean, which is the picture.
  const spike = coefficientsOf(Array.from({ length: 64 }, (_, i) => (i === 27 ? 64 * 8 : -8)))
  const write = (width: number, height: number, options: Partial<JpegOptions>) => {
    const [columns, rows] = [width / 8, height / 8]
    const { data } = scene(columns, rows, 1, 7)
    const below = (x: number, y: number) =>
      128 - (data[Math.min(y, rows - 1) * columns + Math.min(x, columns - 1)] ?? 0)
    const components = [1, 2, 3].map(() => ({ h: 1, v: 1, sample: () => 0 }))
    const coefficients: Coefficients = (component, x, y) =>
      spike.map((value, k) => {
        return k === 0 || component > 0 ? 0 : Math.round((value * below(x, y)) / 64)
      })
    return writeJpeg({ width, height, components, step: 8, coefficients, ...options })
  }
  const ways: Record<string, Partial<JpegOptions>> = {
    'in scans of its components': { scans: [[0], [1], [2]] },
    'in a scan before its height': { hasDnl: true },
    progressive: { isProgressive: true },
  }
  const known = async (width: number, height: number, cols: number, rows: number) => {
    const luma = await lumaBySharp(write(width, height, {}))
    return hashLuma(areaAverage(luma, [width, height], [cols, rows]), cols, rows)
  }

  it.each(Object.entries(ways))('has its picture at full scale: %s', async (_, options) => {
    const { hash } = decode('jpeg', write(400, 320, options)).frames[0]!
    const near = distance(parseHash(hash)!, await known(400, 320, 400, 320))
    expect(near).toBeLessThanOrEqual(10)
  })

  it('has its picture at a reduced scale in one scan', async () => {
    const { hash, rows, cols } = decode('jpeg', write(1200, 1040, {})).frames[0]!
    const near = distance(parseHash(hash)!, await known(1200, 1040, cols, rows))
    expect(near).toBeLessThanOrEqual(10)
  })

  it.each(Object.entries(ways))('is out of range at a reduced scale: %s', (_, options) => {
    const file = write(1200, 1040, options)
    for (const chunk of [file.length, 999]) {
      const { status, frames } = decode('jpeg', file, chunk)
      expect(status).toBe(OUT_OF_RANGE)
      expect(frames).toHaveLength(0)
    }
  })

  it('is not out of range if only a few blocks are', () => {
    const coefficients: Coefficients = (component, x, y) =>
      spike.map((value, k) => (k === 0 || component > 0 || (x + y) % 40 > 0 ? 0 : value * 2))
    const file = write(1200, 1040, { isProgressive: true, coefficients })
    expect(decode('jpeg', file).status).toBe(DONE)
  })
})

describe('JPEG colours out of range', () => {
  // Luma is the same everywhere. What is clamped of red and blue is the picture.
  const write = (width: number, height: number, scans?: number[][]) => {
    const wave = (x: number, y: number) =>
      Math.sin((x * 40) / width) + Math.cos((y * 31 + x * 7) / height)
    const chroma = (x: number, y: number) => Math.max(0, Math.min(255, 128 + 100 * wave(x, y)))
    const samples = [() => 128, chroma, (x: number, y: number) => 255 - chroma(y, x)]
    const components = samples.map((sample) => ({ h: 1, v: 1, sample }))
    return writeJpeg({ width, height, components, step: 2, ...(scans && { scans }) })
  }
  const files = {
    'a small picture': write(160, 120),
    'a small picture in scans of its components': write(160, 120, [[0], [1], [2]]),
    'a large picture': write(1200, 800),
    'a large picture in scans of its components': write(1200, 800, [[0], [1], [2]]),
  }
  it.each(Object.entries(files))('have the luma of what is clamped: %s', async (_, file) => {
    const { frames } = decode('jpeg', file)
    const { hash, rows, cols } = frames[0]!
    const luma = await lumaBySharp(file)
    const isSmall = luma.length === rows * cols
    const known = isSmall ? luma : areaAverage(luma, [1200, 800], [cols, rows])
    expect(distance(parseHash(hash)!, hashLuma(known, cols, rows))).toBeLessThanOrEqual(10)
    expect(decode('jpeg', file, 999).frames[0]!.hash).toBe(hash)
  })

  it.each([[4], [8]])('are found in a large progressive picture: chroma x %i', async (factor) => {
    const [width, height] = [1300, 900]
    const encoded = await picture(400, 300, 3, 5)
      .resize(width, height, { fit: 'fill' })
      .jpeg({ progressive: true, quality: 70, chromaSubsampling: '4:4:4' })
      .toBuffer()
    const file = new Uint8Array(encoded)
    // Table 1 of quantisation is that of chroma.
    const table = encoded.indexOf(Buffer.of(0xff, 0xdb, 0, 67, 1)) + 5
    for (let i = table; i < table + 64; i++) file[i] = Math.min(255, encoded[i]! * factor)
    const { hash, rows, cols } = decode('jpeg', file).frames[0]!
    const hashAs = async (one: Uint8Array) =>
      hashLuma(areaAverage(await lumaBySharp(one), [width, height], [cols, rows]), cols, rows)
    const known = await hashAs(file)
    expect(distance(known, await hashAs(encoded))).toBeGreaterThan(10)
    expect(distance(parseHash(hash)!, known)).toBeLessThanOrEqual(10)
  })
})

it('reads undefined codes, and runs beyond the end of a block, as libjpeg does', async () => {
  for (const progressive of [false, true]) {
    const encoded = await picture(160, 120, 1, 3).jpeg({ quality: 60, progressive }).toBuffer()
    const file = new Uint8Array(encoded)
    const random = randomFrom(9)
    const scan = encoded.lastIndexOf(Buffer.of(0xff, 0xda)) + 14
    for (let round = 0; round < 20; round++) {
      const changed = file.slice()
      for (let k = 0; k < 6; k++) {
        const at = scan + Math.floor(random() * (file.length - scan - 2))
        if (changed[at] !== 0xff && changed[at - 1] !== 0xff)
          changed[at] = Math.floor(random() * 255)
      }
      const { data } = await sharp(changed, { failOn: 'none' })
        .extractChannel(0)
        .raw()
        .toBuffer({ resolveWithObject: true })
      const { luma } = decode('jpeg', changed).frames[0]!
      expect(difference(luma, Float32Array.from(data)).max).toBeLessThan(1.01)
    }
  }
})
