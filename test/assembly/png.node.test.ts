import { describe, expect, it } from 'vitest'
import { decode, decodeChunks, difference } from '../support/decode.ts'
import {
  header,
  imageData,
  joinPng,
  type PngFormat,
  type PngOptions,
  u32,
  writePng,
} from '../support/png-writer.ts'
import { randomFrom } from '../support/random.ts'
import { decodeBySharp, differenceToSharp, picture } from '../support/sharp-images.ts'
import { DAMAGED, DONE, OVER_LIMIT, TRUNCATED } from '../support/status.ts'

const FORMATS: PngFormat[] = [
  ...([1, 2, 4, 8, 16] as const).map((depth) => ({ colourType: 0 as const, depth })),
  ...([8, 16] as const).map((depth) => ({ colourType: 2 as const, depth })),
  ...([1, 2, 4, 8] as const).map((depth) => ({ colourType: 3 as const, depth })),
  ...([8, 16] as const).map((depth) => ({ colourType: 4 as const, depth })),
  ...([8, 16] as const).map((depth) => ({ colourType: 6 as const, depth })),
]

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const

/** A value of 0 to 1 at a position, for channel `c`. */
function value(x: number, y: number, c: number): number {
  return 0.5 + 0.5 * Math.sin(x / (5 + c) + y / (7 + 2 * c) + c)
}

const PALETTE = Array.from({ length: 256 }, (_, i) => [(i * 7) % 256, (i * 13) % 256, 255 - i])
const PALETTE_ALPHA = PALETTE.map((_, i) => (i % 5 === 0 ? 0 : i % 3 === 0 ? 128 : 255))

function options(format: PngFormat, width: number, height: number): PngOptions {
  const top = 2 ** format.depth - 1
  return {
    ...format,
    width,
    height,
    pixel: (x, y) =>
      Array.from({ length: CHANNELS[format.colourType] }, (_, c) =>
        Math.round(value(x, y, c) * top),
      ),
    chunks: format.colourType === 3 ? [['PLTE', PALETTE.slice(0, top + 1).flat()]] : [],
    filter: (row) => row % 5,
  }
}

/** Luma and alpha of a pixel, 0 to 255, by the specification. */
function expectedPixel(
  { colourType, depth }: PngFormat,
  samples: number[],
): [luma: number, alpha: number] {
  const scaled = samples.map((sample) => (sample * 255) / (2 ** depth - 1))
  const [first = 0, second = 0, third = 0, fourth = 255] = scaled
  const luma = ([r, g, b]: number[]) => 0.299 * (r ?? 0) + 0.587 * (g ?? 0) + 0.114 * (b ?? 0)
  if (colourType === 3) return [luma(PALETTE[samples[0] ?? 0] ?? []), 255]
  if (colourType === 0) return [first, 255]
  if (colourType === 4) return [first, second]
  return [luma([first, second, third]), colourType === 6 ? fourth : 255]
}

function expectedPlanes(png: PngOptions): { luma: Float32Array; white: Float32Array } {
  const luma = new Float32Array(png.width * png.height)
  const white = new Float32Array(luma.length)
  for (let i = 0; i < luma.length; i++) {
    const samples = png.pixel(i % png.width, Math.floor(i / png.width))
    const [l, a] = expectedPixel(png, samples)
    luma[i] = l
    white[i] = 255 + (l - 255) * (a / 255)
  }
  return { luma, white }
}

const SIZES: [number, number][] = [
  [1, 1],
  [5, 5],
  [7, 9],
  [33, 50],
  [130, 67],
]

describe.each(FORMATS)('PNG of colour type $colourType, depth $depth', (format) => {
  it.each([false, true])(
    'has luma and alpha as the specification says; interlaced %s',
    (isInterlaced) => {
      for (const [width, height] of SIZES) {
        const png = { ...options(format, width, height), isInterlaced }
        const { frames, status } = decode('png', writePng(png))
        const { luma, white } = expectedPlanes(png)
        expect(status).toBe(DONE)
        expect(difference(frames[0]!.luma, luma).max).toBeLessThan(0.001)
        if (format.colourType < 4) expect(frames[0]!.white).toBeUndefined()
        else expect(difference(frames[0]!.white ?? luma, white).max).toBeLessThan(0.001)
      }
    },
  )

  it('has the same rows for chunks of any size', () => {
    for (const isInterlaced of [false, true]) {
      const file = writePng({ ...options(format, 61, 40), isInterlaced })
      const whole = decode('png', file).frames[0]!.luma
      for (const cut of [1, 7, 4096])
        expect(decode('png', file, cut).frames[0]!.luma).toEqual(whole)
      const random = randomFrom(file.length)
      const cuts = () => 1 + Math.floor(random() * 100)
      expect(decodeChunks('png', file, cuts).frames[0]!.luma).toEqual(whole)
    }
  })
})

describe('PNG transparency', () => {
  it('is that of palette entries', () => {
    const png = options({ colourType: 3, depth: 8 }, 40, 40)
    png.chunks = [...(png.chunks ?? []), ['tRNS', PALETTE_ALPHA.slice(0, 200)]]
    const { luma, white } = decode('png', writePng(png)).frames[0]!
    expect(luma).toEqual(
      decode('png', writePng(options({ colourType: 3, depth: 8 }, 40, 40))).frames[0]!.luma,
    )
    const expected = luma.map((value_, i) => {
      const entry = png.pixel(i % 40, Math.floor(i / 40))[0] ?? 0
      const alpha = entry < 200 ? (PALETTE_ALPHA[entry] ?? 255) : 255
      return 255 + (value_ - 255) * (alpha / 255)
    })
    expect(difference(white!, expected).max).toBeLessThan(0.001)
  })

  it.each([
    [{ colourType: 0, depth: 8 } as const, [0, 100], [100]],
    [{ colourType: 0, depth: 2 } as const, [0, 2], [2]],
    [{ colourType: 2, depth: 8 } as const, [0, 9, 0, 8, 0, 7], [9, 8, 7]],
    [{ colourType: 2, depth: 16 } as const, [1, 9, 1, 8, 1, 7], [265, 264, 263]],
  ])('is that of one colour: %o', (format, tRNS, key) => {
    const png = options(format, 20, 20)
    const plain = png.pixel
    png.pixel = (x, y) => ((x + y) % 3 === 0 ? [...key] : plain(x, y))
    png.chunks = [['tRNS', [...tRNS]]]
    const { white, luma } = decode('png', writePng(png)).frames[0]!
    white!.forEach((shade, i) => {
      const samples = png.pixel(i % 20, Math.floor(i / 20))
      const isKey = samples.every((sample, c) => sample === key[c])
      expect(shade).toBeCloseTo(isKey ? 255 : (luma[i] ?? 0), 3)
    })
  })

  it('makes no second plane of a file whose alpha is full', () => {
    const png = options({ colourType: 6, depth: 8 }, 30, 30)
    const plain = png.pixel
    png.pixel = (x, y) => [...plain(x, y).slice(0, 3), 255]
    expect(decode('png', writePng(png)).frames[0]!.white).toBeUndefined()
  })

  it('begins where the first pixel is transparent, also when the picture is reduced', () => {
    const png = options({ colourType: 6, depth: 8 }, 600, 600)
    png.filter = () => 0
    png.pixel = (x, y) => [x % 256, y % 256, 0, y < 450 ? 255 : 0]
    const { luma, white, rows, cols } = decode('png', writePng(png)).frames[0]!
    expect([rows, cols]).toEqual([512, 512])
    expect(white!.subarray(0, 512 * 383)).toEqual(luma.subarray(0, 512 * 383))
    expect(difference(white!.subarray(-512), new Float32Array(512).fill(255)).max).toBeLessThan(
      0.001,
    )
  })
})

describe('PNG by libvips', () => {
  const encodings = [
    {},
    { palette: true },
    { palette: true, colours: 4 },
    { adaptiveFiltering: true },
    { compressionLevel: 0 },
    { compressionLevel: 9 },
  ]
  it.each(encodings)('gives the luma of libvips: %o', async (encoding) => {
    for (const progressive of [false, true]) {
      const file = await picture(301, 203)
        .png({ ...encoding, progressive })
        .toBuffer()
      const decoded = await decodeBySharp(file)
      expect(differenceToSharp(decode('png', file).frames[0]!.luma, decoded).max).toBeLessThan(
        0.001,
      )
    }
  })
})

describe('PNG over 512 pixels', () => {
  it('is the same reduced plane, interlaced or not', () => {
    for (const [width, height] of [
      [700, 530],
      [513, 40],
      [90, 1100],
    ] as const) {
      const png = { ...options({ colourType: 2, depth: 8 }, width, height), filter: () => 0 }
      const plain = decode('png', writePng(png)).frames[0]!.luma
      const interlaced = decode('png', writePng({ ...png, isInterlaced: true })).frames[0]!.luma
      expect(difference(plain, interlaced).max).toBeLessThan(0.01)
    }
  })
})

describe('PNG with chunks that contradict others', () => {
  it('has the last palette, and the first transparency', () => {
    const png = options({ colourType: 3, depth: 8 }, 20, 20)
    const other = PALETTE.map(([red = 0, ...rest]) => [255 - red, ...rest])
    const opaque = PALETTE_ALPHA.map(() => 255)
    const withChunks = (...chunks: PngOptions['chunks'] & {}) =>
      decode('png', writePng({ ...png, chunks })).frames[0]!
    const once = withChunks(['PLTE', other.flat()], ['tRNS', PALETTE_ALPHA])
    const twice = withChunks(
      ['PLTE', PALETTE.flat()],
      ['tRNS', PALETTE_ALPHA],
      ['PLTE', other.flat()],
      ['tRNS', opaque],
    )
    expect(twice.luma).toEqual(once.luma)
    expect(twice.white).toEqual(once.white)
    expect(once.white).toBeDefined()
  })

  it('compares the transparent colour in the bits that samples have', () => {
    const png = options({ colourType: 0, depth: 8 }, 20, 20)
    const withKey = (key: number[]) =>
      decode('png', writePng({ ...png, chunks: [['tRNS', key]] })).frames[0]!
    expect(withKey([7, 100]).white).toEqual(withKey([0, 100]).white)
  })

  it('keeps what came before a chunk with an impossible length', () => {
    const file = writePng(options({ colourType: 0, depth: 8 }, 40, 40))
    file.set(u32(0xffffffff), file.length - 12)
    expect(decode('png', file).status).toBe(DONE)
  })
})

describe('incomplete PNG', () => {
  const png = options({ colourType: 2, depth: 8 }, 100, 100)
  const file = writePng(png)
  const { luma } = expectedPlanes(png)

  it('counts from half of its rows on, and is black where rows are missing', () => {
    expect(decode('png', file.subarray(0, 60)).status).toBe(TRUNCATED)
    expect(decode('png', file.subarray(0, file.length * 0.4)).status).toBe(TRUNCATED)
    const { frames, status } = decode('png', file.subarray(0, file.length * 0.8))
    expect(status).toBe(DONE)
    expect(difference(frames[0]!.luma.subarray(0, 5000), luma.subarray(0, 5000)).max).toBeLessThan(
      0.001,
    )
    expect([...frames[0]!.luma.subarray(-100)]).toEqual(Array.from({ length: 100 }, () => 0))
  })

  it('counts from five of its seven passes on, if it is interlaced', () => {
    const interlaced = writePng({ ...png, isInterlaced: true })
    expect(decode('png', interlaced.subarray(0, interlaced.length * 0.2)).status).toBe(TRUNCATED)
    const { frames, status } = decode('png', interlaced.subarray(0, interlaced.length * 0.8))
    expect(status).toBe(DONE)
    expect(difference(frames[0]!.luma.subarray(0, 100), luma.subarray(0, 100)).max).toBeLessThan(
      0.001,
    )
  })

  it('gives the same rows for chunks of any size', () => {
    const part = file.subarray(0, file.length * 0.7)
    const whole = decode('png', part).frames[0]!.luma
    for (const cut of [1, 7, 4096]) expect(decode('png', part, cut).frames[0]!.luma).toEqual(whole)
  })
})

describe('PNG that is refused', () => {
  const png = options({ colourType: 2, depth: 8 }, 20, 20)
  const withHeader = (change: (bytes: number[]) => void) => {
    const [type, bytes] = header(png)
    change(bytes)
    return decode(
      'png',
      joinPng([
        [type, bytes],
        ['IDAT', imageData(png)],
      ]),
    ).status
  }

  it('is damaged: header, filter, stream, order', () => {
    expect(withHeader((bytes) => (bytes[8] = 3))).toBe(DAMAGED)
    expect(withHeader((bytes) => (bytes[9] = 5))).toBe(DAMAGED)
    expect(withHeader((bytes) => (bytes[10] = 1))).toBe(DAMAGED)
    expect(withHeader((bytes) => (bytes[12] = 2))).toBe(DAMAGED)
    expect(withHeader((bytes) => (bytes[3] = 0))).toBe(DAMAGED)
    expect(decode('png', writePng({ ...png, filter: () => 9 })).status).toBe(DAMAGED)
    expect(decode('png', joinPng([header(png), ['IDAT', [1, 2, 3, 4, 5, 6, 7, 8]]])).status).toBe(
      DAMAGED,
    )
    expect(decode('png', joinPng([['IDAT', imageData(png)]])).status).toBe(DAMAGED)
    expect(decode('png', new Uint8Array(100)).status).toBe(DAMAGED)
  })

  it('has no image data', () => {
    expect(decode('png', joinPng([header(png)])).status).toBe(TRUNCATED)
  })

  it('is over a limit: a side of 65,536 pixels', () => {
    const sided = (width: number) =>
      decode(
        'png',
        joinPng([
          ['IHDR', [...u32(width), ...u32(2), 8, 0, 0, 0, 0]],
          [
            'IDAT',
            imageData({
              ...options({ colourType: 0, depth: 8 }, width, 2),
              filter: () => 0,
              pixel: () => [7],
            }),
          ],
        ]),
      ).status
    expect(sided(65_535)).toBe(DONE)
    expect(sided(65_536)).toBe(OVER_LIMIT)
  })
})

describe('APNG', () => {
  const [width, height] = [40, 30]
  const grey = (level: number) => ({
    ...options({ colourType: 6, depth: 8 }, width, height),
    filter: () => 0,
    pixel: () => [level, level, level, 255],
  })

  interface ApngFrame {
    png: PngOptions
    x?: number
    y?: number
    disposal?: number
    blend?: number
  }

  function writeApng(frames: ApngFrame[], isFirstShown = true): Uint8Array {
    const first = frames[0]?.png ?? grey(0)
    let sequence = 0
    const chunks: [string, ArrayLike<number>][] = [
      header(first),
      ['acTL', [...u32(frames.length), ...u32(0)]],
    ]
    frames.forEach(({ png, x = 0, y = 0, disposal = 0, blend = 0 }, i) => {
      if (i > 0 || isFirstShown) {
        chunks.push([
          'fcTL',
          [
            ...u32(sequence++),
            ...u32(png.width),
            ...u32(png.height),
            ...u32(x),
            ...u32(y),
            0,
            1,
            0,
            10,
            disposal,
            blend,
          ],
        ])
      }
      chunks.push(
        i === 0 ? ['IDAT', imageData(png)] : ['fdAT', [...u32(sequence++), ...imageData(png)]],
      )
    })
    return joinPng(chunks)
  }

  /** Luma in the middle of each hashed frame. */
  const middles = (file: Uint8Array) =>
    decode('png', file).frames.map(({ luma }) =>
      Math.round(luma[(height / 2) * width + width / 2] ?? 0),
    )

  const centre = (level: number, alpha = 255): ApngFrame => ({
    png: { ...grey(level), width: 20, height: 20, pixel: () => [level, level, level, alpha] },
    x: 10,
    y: 5,
  })

  it('hashes each frame that shows something new', () => {
    expect(
      middles(
        writeApng([{ png: grey(10) }, { png: grey(200) }, { png: grey(200) }, { png: grey(90) }]),
      ),
    ).toEqual([10, 200, 90])
  })

  it('hashes frames of little contrast, since hashes do not depend on it', () => {
    const faint = (column: number): ApngFrame => ({
      png: { ...grey(0), pixel: (x) => [...[0, 0, 0].map(() => 120 + Number(x > column)), 255] },
    })
    const frames = [{ png: grey(120) }, faint(10), faint(10), faint(30)]
    expect(decode('png', writeApng(frames)).frames).toHaveLength(3)
  })

  it('draws a frame on what is there', () => {
    const frames = decode('png', writeApng([{ png: grey(10) }, centre(200)])).frames
    expect(frames.map(({ luma }) => [luma[0], Math.round(luma[15 * width + 20] ?? 0)])).toEqual([
      [10, 10],
      [10, 200],
    ])
  })

  it('blends by alpha, or replaces', () => {
    expect(middles(writeApng([{ png: grey(0) }, { ...centre(200, 128), blend: 1 }]))).toEqual([
      0, 100,
    ])
    const replaced = decode('png', writeApng([{ png: grey(0) }, { ...centre(200, 128), blend: 0 }]))
      .frames[1]!
    expect(Math.round(replaced.luma[15 * width + 20] ?? 0)).toBe(200)
    expect(Math.round(replaced.white?.[15 * width + 20] ?? 0)).toBe(227)
  })

  it('puts back or clears what a frame covered', () => {
    const kept = [{ png: grey(50) }, centre(200), { ...centre(120), x: 0, y: 0 }]
    expect(middles(writeApng(kept)).at(-1)).toBe(200)
    const back = kept.map((frame, i) => (i === 1 ? { ...frame, disposal: 2 } : frame))
    expect(middles(writeApng(back)).at(-1)).toBe(50)
    const cleared = kept.map((frame, i) => (i === 1 ? { ...frame, disposal: 1 } : frame))
    expect(middles(writeApng(cleared)).at(-1)).toBe(0)
  })

  it('hashes the image even if it is not part of the animation', () => {
    expect(
      middles(writeApng([{ png: grey(10) }, { png: grey(200) }, { png: grey(60) }], false)),
    ).toEqual([10, 200, 60])
  })

  it('has a frame that differs from the image, even if it is the only one', () => {
    const file = writeApng([{ png: grey(10) }, { png: grey(200) }], false)
    const count = Buffer.from(file).indexOf('acTL') + 4
    file.set(u32(1), count)
    expect(middles(file)).toEqual([10, 200])
  })

  it('is interlaced in each frame', () => {
    const interlaced = (level: number) => ({ png: { ...grey(level), isInterlaced: true } })
    expect(middles(writeApng([interlaced(10), interlaced(180)]))).toEqual([10, 180])
  })

  it('ends with the first frame that is damaged', () => {
    const file = Buffer.from(
      writeApng([{ png: grey(10) }, { png: grey(200) }, { png: grey(90) }, { png: grey(40) }]),
    )
    file[file.lastIndexOf('fdAT', file.lastIndexOf('fdAT') - 1) + 8]! ^= 0xff // its zlib header
    expect(decode('png', file).status).toBe(DONE)
    expect(middles(file)).toEqual([10, 200])
  })
})

it('leaves missing parts of an interlaced image transparent in the planes over white and black', () => {
  const whole = writePng({
    ...{ width: 40, height: 30, depth: 8, colourType: 0, isInterlaced: true, level: 0 },
    pixel: (x, y) => [(x * 6 + y) & 255],
  })
  const { luma, white, black } = decode('png', whole.subarray(0, whole.length - 350)).frames[0]!
  const isThere = (i: number) => Math.abs((white?.[i] ?? 0) - (luma[i] ?? 0)) < 0.01
  const missing = Array.from({ length: 40 * 30 }, (_, i) => i).filter((i) => !isThere(i))
  expect(missing.length).toBeGreaterThan(100)
  for (const i of missing) {
    expect(Math.floor(i / 40) % 2).toBe(1) // the last pass has every second row
    expect([white?.[i], black?.[i]]).toEqual([255, 0])
  }
})
