import { describe, expect, it } from 'vitest'
import { lumaFromRgb } from '../reference/pdq.ts'
import { areaAverage } from '../support/area-average.ts'
import { decode, difference } from '../support/decode.ts'
import { type JpegComponent, type JpegOptions, writeJpeg } from '../support/jpeg-writer.ts'
import { randomFrom } from '../support/random.ts'
import { scene } from '../support/scene.ts'
import {
  decodeBySharp,
  differenceToSharp,
  largePicture,
  lumaBySharp,
  picture,
} from '../support/sharp-images.ts'
import { DAMAGED, DONE, OVER_LIMIT, TRUNCATED, UNSUPPORTED } from '../support/status.ts'

// Luma is rounded once here, and three channels there. Where a channel leaves the range of a byte it is clamped there,
// which luma does not see: those pixels are left out.
const MAX_DIFFERENCE = 2
const MEAN_DIFFERENCE = 0.35

const SIZES: [number, number][] = [
  [1, 1],
  [8, 8],
  [17, 5],
  [5, 70],
  [64, 48],
  [301, 203],
  [512, 512],
]

describe('JPEG by libjpeg-turbo', () => {
  const encodings = [10, 50, 75, 90, 100].flatMap((quality) =>
    (['4:2:0', '4:4:4'] as const).flatMap((chromaSubsampling) =>
      [false, true].map((progressive) => ({ quality, chromaSubsampling, progressive })),
    ),
  )
  describe.each(SIZES)('of %i x %i', (width, height) => {
    it.each(encodings)(
      'gives the luma of libvips: $quality $chromaSubsampling progressive $progressive',
      async (encoding) => {
        const file = await picture(width, height).jpeg(encoding).toBuffer()
        const { frames, status } = decode('jpeg', file)
        expect(status).toBe(DONE)
        const { max, mean } = differenceToSharp(frames[0]!.luma, await decodeBySharp(file))
        expect(max).toBeLessThan(MAX_DIFFERENCE)
        expect(mean).toBeLessThan(MEAN_DIFFERENCE)
      },
    )

    it('keeps grey unchanged', async () => {
      const file = await picture(width, height, 1).jpeg({ quality: 95 }).toBuffer()
      expect(
        differenceToSharp(decode('jpeg', file).frames[0]!.luma, await decodeBySharp(file)).max,
      ).toBeLessThan(1.01)
    })

    it('has the same rows for chunks of any size', async () => {
      for (const progressive of [false, true]) {
        const file = await picture(width, height).jpeg({ quality: 85, progressive }).toBuffer()
        const whole = decode('jpeg', file).frames[0]!.luma
        for (const cut of file.length < 30_000 ? [1, 7, 4096] : [7, 4096]) {
          expect(decode('jpeg', file, cut).frames[0]!.luma).toEqual(whole)
        }
      }
    })
  })
})

/** Components of a picture at their own resolutions: planes of the full picture, averaged. */
function componentsOf(
  planes: ((x: number, y: number) => number)[],
  samplings: [h: number, v: number][],
): JpegComponent[] {
  const maxH = Math.max(...samplings.map(([h]) => h))
  const maxV = Math.max(...samplings.map(([, v]) => v))
  return planes.map((plane, i) => {
    const [h, v] = samplings[i] ?? [1, 1]
    return {
      h,
      v,
      sample: (x, y) =>
        plane(Math.floor(((x + 0.5) * maxH) / h), Math.floor(((y + 0.5) * maxV) / v)),
    }
  })
}

/** A smooth function of a position, 0 to 255. */
function smooth(seed: number): (x: number, y: number) => number {
  const random = randomFrom(seed)
  const [a, b, c] = [random() / 9, random() / 9, random() * 6]
  return (x, y) => Math.round(127.5 + 100 * Math.sin(x * a + y * b + c))
}

const planes = [smooth(1), smooth(2), smooth(3), smooth(4)] as const

function lumaOf(
  width: number,
  height: number,
  value: (x: number, y: number) => number,
): Float32Array {
  return Float32Array.from({ length: width * height }, (_, i) =>
    value(i % width, Math.floor(i / width)),
  )
}

const [WIDTH, HEIGHT] = [75, 53]

function firstLuma(options: Omit<JpegOptions, 'width' | 'height'>): Float32Array {
  const { frames, status } = decode('jpeg', writeJpeg({ width: WIDTH, height: HEIGHT, ...options }))
  expect(status).toBe(DONE)
  return frames[0]!.luma
}

describe('JPEG of every sampling', () => {
  const factors = [1, 2, 3, 4]
  const samplings = factors.flatMap((h) => factors.map((v): [number, number] => [h, v]))
  const legal = samplings.flatMap((luma) =>
    samplings
      .map((chroma) => ({ luma, chroma }))
      .filter(({ chroma }) => luma[0] * luma[1] + 2 * chroma[0] * chroma[1] <= 10),
  )
  it.each(legal)('decodes luma $luma and chroma $chroma', ({ luma, chroma }) => {
    // So little chroma that no channel leaves its range.
    const mild = planes.map((plane) => (x: number, y: number) => 128 + (plane(x, y) - 128) / 16)
    const colours = [planes[0], mild[1] ?? planes[1], mild[2] ?? planes[2]]
    const components = componentsOf(colours, [luma, chroma, chroma])
    const maxH = Math.max(luma[0], chroma[0])
    const maxV = Math.max(luma[1], chroma[1])
    const expected = lumaOf(WIDTH, HEIGHT, (x, y) => planes[0](x, y))
    const { max, mean } = difference(firstLuma({ components }), expected)
    // Where luma itself is subsampled, the picture is only known at its samples.
    const isFull = luma[0] === maxH && luma[1] === maxV
    expect(max).toBeLessThan(isFull ? 2.5 : 60)
    expect(mean).toBeLessThan(isFull ? 0.6 : 16)
  })

  // Upsampling by other factors, as 3 to 2, is in none of them.
  const halves = legal.filter(({ luma, chroma }) =>
    ([0, 1] as const).every(
      (axis) => luma[axis] * chroma[axis] !== 6 && luma[axis] * chroma[axis] !== 12,
    ),
  )
  const sharpEdges = (x: number, y: number) => (((x >> 2) + (y >> 1)) % 3 === 0 ? 190 : 70)
  it.each(halves)('interpolates luma $luma and chroma $chroma as libjpeg', async (sampling) => {
    const mild = (x: number, y: number) => 118 + (sharpEdges(x + 1, y) >> 3)
    // Of an even height, the last row is made of samples and of what would be below them.
    for (const [width, height] of [
      [75, 53],
      [66, 81],
      [70, 54],
    ] as const) {
      const colours = [sharpEdges, mild, mild]
      const components = componentsOf(colours, [sampling.luma, sampling.chroma, sampling.chroma])
      const file = writeJpeg({ width, height, components })
      const { luma } = decode('jpeg', file).frames[0]!
      const shown = await decodeBySharp(file)
      expect(differenceToSharp(luma, shown).max).toBeLessThan(MAX_DIFFERENCE)
      for (const cut of [1, 7]) expect(decode('jpeg', file, cut).frames[0]!.luma).toEqual(luma)
    }
  })

  it.each([0, 1])('interpolates RGB and chroma out of range: Adobe %i', async (adobeTransform) => {
    const strong = (x: number, y: number) => (sharpEdges(x + 2, y) > 128 ? 240 : 30)
    const components = componentsOf(
      [sharpEdges, strong, sharpEdges],
      [
        [2, 2],
        [1, 1],
        [2, 1],
      ],
    )
    const file = writeJpeg({ width: 75, height: 53, components, adobeTransform })
    const { luma } = decode('jpeg', file).frames[0]!
    const { max, mean } = difference(luma, await lumaBySharp(file))
    expect(max).toBeLessThan(4)
    expect(mean).toBeLessThan(0.7)
  })

  it('refuses more than ten blocks in an MCU', () => {
    const components = componentsOf(planes.slice(0, 3), [
      [4, 4],
      [1, 1],
      [1, 1],
    ])
    expect(decode('jpeg', writeJpeg({ width: 64, height: 64, components })).status).toBe(OVER_LIMIT)
  })
})

type Samples = [number, number, number, number]

describe('JPEG colour', () => {
  const full: [number, number][] = [
    [1, 1],
    [1, 1],
    [1, 1],
    [1, 1],
  ]
  const rgbLuma = lumaOf(
    WIDTH,
    HEIGHT,
    (x, y) => 0.299 * planes[0](x, y) + 0.587 * planes[1](x, y) + 0.114 * planes[2](x, y),
  )

  it('is RGB by Adobe’s marker, or by the names of the components', () => {
    const components = componentsOf(planes.slice(0, 3), full)
    expect(difference(firstLuma({ components, adobeTransform: 0 }), rgbLuma).max).toBeLessThan(2)
    expect(
      difference(firstLuma({ components, ids: [0x52, 0x47, 0x42] }), rgbLuma).max,
    ).toBeLessThan(2)
  })

  it('is RGB also in separate scans and with subsampled components', () => {
    const scans = [[0], [1], [2]]
    expect(
      difference(
        firstLuma({ components: componentsOf(planes.slice(0, 3), full), adobeTransform: 0, scans }),
        rgbLuma,
      ).max,
    ).toBeLessThan(2)
    const components = componentsOf(planes.slice(0, 3), [
      [2, 2],
      [1, 1],
      [2, 1],
    ])
    expect(difference(firstLuma({ components, adobeTransform: 0 }), rgbLuma).mean).toBeLessThan(8)
  })

  it('is CMYK as light, with Adobe’s marker or without', () => {
    const components = componentsOf([...planes], full)
    const cmyk = (inks: ((x: number, y: number) => number)[]) =>
      lumaOf(WIDTH, HEIGHT, (x, y) => {
        const [c, m, yellow, k] = inks.map((ink) => ink(x, y)) as Samples
        return ((0.299 * c + 0.587 * m + 0.114 * yellow) * k) / 255
      })
    expect(difference(firstLuma({ components }), cmyk([...planes])).max).toBeLessThan(3)
    expect(
      difference(firstLuma({ components, adobeTransform: 0 }), cmyk([...planes])).max,
    ).toBeLessThan(3)
    const scans = [[2], [0, 1], [3]]
    expect(
      difference(firstLuma({ components, adobeTransform: 0, scans }), cmyk([...planes])).max,
    ).toBeLessThan(3)
  })

  it('is YCCK with Adobe’s marker of 2, clamped as YCbCr is', () => {
    const components = componentsOf([...planes], full)
    const clamped = (value: number) => Math.max(0, Math.min(255, value))
    const ycck = lumaOf(WIDTH, HEIGHT, (x, y) => {
      const [luma, blue, red, key] = planes.map((plane) => plane(x, y)) as Samples
      const [cb, cr] = [blue - 128, red - 128]
      const shown =
        0.299 * clamped(luma + 1.402 * cr) +
        0.587 * clamped(luma - 0.344136 * cb - 0.714136 * cr) +
        0.114 * clamped(luma + 1.772 * cb)
      return ((255 - shown) * key) / 255
    })
    expect(difference(firstLuma({ components, adobeTransform: 2 }), ycck).max).toBeLessThan(4)
  })
})

describe('JPEG structure', () => {
  const components = componentsOf(planes.slice(0, 3), [
    [2, 2],
    [1, 1],
    [1, 1],
  ])
  const base = writeJpeg({ width: WIDTH, height: HEIGHT, components })
  const expected = decode('jpeg', base).frames[0]!.luma

  it.each([1, 2, 3, 7, 100])('decodes restart intervals of %i', (restartInterval) => {
    expect(firstLuma({ components, restartInterval })).toEqual(expected)
  })

  it('decodes components in scans of their own', () => {
    for (const scans of [
      [[0], [1], [2]],
      [[2], [1], [0]],
      [[1, 2], [0]],
    ]) {
      expect(firstLuma({ components, scans })).toEqual(expected)
      expect(firstLuma({ components, scans, restartInterval: 3 })).toEqual(expected)
    }
  })

  it('decodes extended sequential files of 8 bits', () => {
    const file = Uint8Array.from(base)
    file[file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0) + 1] = 0xc1
    expect(decode('jpeg', file).frames[0]!.luma).toEqual(expected)
  })

  it('decodes quantisation tables of 16 bits', () => {
    expect(firstLuma({ components, has16BitTables: true })).toEqual(expected)
    const coarse = firstLuma({ components, has16BitTables: true, step: 300 })
    expect(coarse).not.toEqual(expected)
  })

  it('takes the height from DNL where the frame has none', () => {
    expect(firstLuma({ components, hasDnl: true })).toEqual(expected)
    expect(firstLuma({ components, hasDnl: true, scans: [[0], [1], [2]] })).toEqual(expected)
  })

  it('does without an end marker', () => {
    expect(decode('jpeg', base.subarray(0, -2)).frames[0]!.luma).toEqual(expected)
  })

  it('passes over bytes between markers', () => {
    const at = base.findIndex((byte, i) => byte === 0xff && base[i + 1] === 0xc4)
    const file = Uint8Array.from([
      ...base.subarray(0, at),
      1,
      2,
      3,
      0xff,
      0xff,
      ...base.subarray(at),
    ])
    expect(decode('jpeg', file).frames[0]!.luma).toEqual(expected)
  })

  it('ignores what follows the picture', () => {
    const file = Uint8Array.from([...base, ...base, 1, 2, 3])
    const { frames, status } = decode('jpeg', file)
    expect(status).toBe(DONE)
    expect(frames).toHaveLength(1)
  })

  it('uses tables that are redefined between scans', async () => {
    // Progressive files of libjpeg have tables of their own before each scan.
    const file = await picture(200, 150).jpeg({ progressive: true }).toBuffer()
    const tables = file.reduce(
      (count, byte, i) => count + (byte === 0xff && file[i + 1] === 0xc4 ? 1 : 0),
      0,
    )
    expect(tables).toBeGreaterThan(5)
    expect(
      differenceToSharp(decode('jpeg', file).frames[0]!.luma, await decodeBySharp(file)).max,
    ).toBeLessThan(MAX_DIFFERENCE)
  })

  it('refines bits that were refined before as libjpeg', async () => {
    const file = await picture(200, 150).jpeg({ progressive: true, quality: 60 }).toBuffer()
    // The scans of luma that refine it, with their tables, come again: they read other bits now.
    const bands = [
      [1, 63, 0x21],
      [1, 63, 0x10],
    ]
    const again = bands.map((band) => {
      const at = file.indexOf(Uint8Array.of(0xff, 0xda, 0, 8, 1, 1, 0, ...band))
      const table = file.lastIndexOf(Uint8Array.of(0xff, 0xc4), at)
      const behind = file.findIndex((byte, i) => i > at + 1 && byte === 0xff && file[i + 1] !== 0)
      return file.subarray(table, behind)
    })
    const bogus = Buffer.concat([file.subarray(0, -2), ...again, file.subarray(-2)])
    const { luma } = decode('jpeg', bogus).frames[0]!
    expect(difference(luma, decode('jpeg', file).frames[0]!.luma).mean).toBeGreaterThan(1)
    expect(differenceToSharp(luma, await decodeBySharp(bogus, 'none')).max).toBeLessThan(
      MAX_DIFFERENCE,
    )
  })

  it('finds lost restart intervals again', () => {
    const file = writeJpeg({ width: 256, height: 256, components, restartInterval: 4 })
    const whole = decode('jpeg', file).frames[0]!.luma
    const marker = file.findIndex(
      (byte, i) =>
        i > 1000 && byte === 0xff && (file[i + 1] ?? 0) >= 0xd0 && (file[i + 1] ?? 0) <= 0xd7,
    )
    const broken = Uint8Array.from(file)
    broken.fill(0x55, marker - 200, marker)
    const { frames, status } = decode('jpeg', broken)
    expect(status).toBe(DONE)
    const { mean } = difference(frames[0]!.luma, whole)
    expect(mean).toBeGreaterThan(0)
    expect(mean).toBeLessThan(6)
  })
})

describe('JPEG errors that other decoders tolerate', () => {
  const components = componentsOf(planes.slice(0, 3), [
    [2, 2],
    [1, 1],
    [1, 1],
  ])
  const size = { width: WIDTH, height: HEIGHT }
  const plain = writeJpeg({ ...size, components })
  const expected = decode('jpeg', plain).frames[0]!.luma
  const find = (file: Uint8Array, code: number, from = 0) =>
    file.findIndex((byte, i) => i >= from && byte === 0xff && file[i + 1] === code)
  const insert = (file: Uint8Array, at: number, ...bytes: number[]) =>
    Uint8Array.from([...file.subarray(0, at), ...bytes, ...file.subarray(at)])
  const lumaOfFile = (file: Uint8Array) => {
    const { frames, status } = decode('jpeg', file)
    expect(status).toBe(DONE)
    return frames[0]!.luma
  }

  it('has the picture of the last scan of a component', () => {
    const grey = writeJpeg({
      ...size,
      components: componentsOf(
        [() => 90, () => 128, () => 128],
        [
          [1, 1],
          [1, 1],
          [1, 1],
        ],
      ),
      scans: [[0], [1], [2]],
    })
    const real = writeJpeg({
      ...size,
      components: componentsOf(planes.slice(0, 3), [
        [1, 1],
        [1, 1],
        [1, 1],
      ]),
      scans: [[0]],
    })
    const both = Uint8Array.from([...grey.subarray(0, -2), ...real.subarray(find(real, 0xda))])
    const { max } = difference(
      lumaOfFile(both),
      lumaOfFile(
        Uint8Array.from([
          ...real.subarray(0, -2),
          ...grey.subarray(find(grey, 0xda, find(grey, 0xda) + 2)),
        ]),
      ),
    )
    expect(max).toBeLessThan(2)
  })

  it('uses the standard Huffman tables for a file without any', async () => {
    const file = await picture(64, 48).jpeg({ optimiseCoding: false }).toBuffer()
    const whole = lumaOfFile(file)
    let without: Uint8Array = file
    for (let at = find(without, 0xc4); at >= 0; at = find(without, 0xc4)) {
      const length = 2 + ((without[at + 2] ?? 0) << 8) + (without[at + 3] ?? 0)
      without = Uint8Array.from([...without.subarray(0, at), ...without.subarray(at + length)])
    }
    expect(without.length).toBeLessThan(file.length - 400)
    expect(lumaOfFile(without)).toEqual(whole)
  })

  it('skips segments that it does not need', () => {
    const tables = find(plain, 0xc4)
    expect(lumaOfFile(insert(plain, tables, 0xff, 0xdc, 0, 4, 0, 0))).toEqual(expected) // DNL
    expect(lumaOfFile(insert(plain, tables, 0xff, 0xcc, 0, 4, 0, 0))).toEqual(expected) // DAC
    const overfull = [
      0xff,
      0xc4,
      0,
      3 + 16 + 4,
      0x02,
      4,
      ...Array.from({ length: 15 }, () => 0),
      1,
      2,
      3,
      4,
    ]
    expect(lumaOfFile(insert(plain, tables, ...overfull))).toEqual(expected)
  })

  it('passes over comments and application segments that claim a length of 0 or 1', async () => {
    const file = await picture(64, 48).jpeg().toBuffer()
    const whole = decode('jpeg', file).frames[0]!.hash
    for (const code of [0xfe, 0xe0, 0xe1, 0xe7, 0xee]) {
      for (const length of [0, 1]) {
        const segment = Buffer.of(0xff, code, 0, length)
        const changed = Buffer.concat([file.subarray(0, 2), segment, file.subarray(2)])
        expect(await lumaBySharp(changed)).toEqual(await lumaBySharp(file))
        expect(decode('jpeg', changed).frames[0]?.hash).toBe(whole)
        expect(decode('jpeg', changed, 1).frames[0]?.hash).toBe(whole)
      }
    }
  })

  it('passes over a height before the frame, whatever it says', async () => {
    const file = await picture(64, 48).jpeg().toBuffer()
    const { luma } = decode('jpeg', file).frames[0]!
    for (const body of [
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3, 7],
      [0, 4, 0, 0],
      [0, 4, 0, 8],
    ]) {
      const height = Buffer.of(0xff, 0xdc, ...body)
      const changed = Buffer.concat([file.subarray(0, 2), height, file.subarray(2)])
      expect(await lumaBySharp(changed)).toEqual(await lumaBySharp(file))
      expect(decode('jpeg', changed).frames[0]?.luma).toEqual(luma)
      expect(decode('jpeg', changed, 1).frames[0]?.luma).toEqual(luma)
    }
  })

  it('takes components by their order if all ids are the same', () => {
    expect(lumaOfFile(writeJpeg({ ...size, components, ids: [1, 1, 1] }))).toEqual(expected)
  })

  it('passes over more fill bytes at once than it has room for', async () => {
    const file = await picture(64, 48).jpeg({ progressive: true }).toBuffer()
    const fill = Buffer.alloc(1024 * 1024, 0xff)
    const whole = decode('jpeg', file, file.length).frames[0]!.luma
    for (const behind of [file.subarray(-2), Buffer.of()]) {
      const filled = Buffer.concat([file.subarray(0, -2), fill, behind])
      expect(decode('jpeg', filled, filled.length).frames[0]!.luma).toEqual(whole)
    }
  })

  it('takes fill bytes before the zero of a stuffed byte', async () => {
    const file = await picture(200, 150).jpeg({ quality: 98 }).toBuffer()
    const scan = find(file, 0xda) + 14
    const stuffed = file.findIndex((byte, i) => i > scan && byte === 0xff && file[i + 1] === 0)
    expect(stuffed).toBeGreaterThan(0)
    const filled = insert(file, stuffed, 0xff, 0xff)
    const whole = lumaOfFile(file)
    for (const cut of [1, 7, filled.length]) {
      expect(decode('jpeg', filled, cut).frames[0]!.luma).toEqual(whole)
    }
  })

  it('is JFIF only by a whole segment', () => {
    const rgb = componentsOf(planes.slice(0, 3), [
      [1, 1],
      [1, 1],
      [1, 1],
    ])
    const file = writeJpeg({ ...size, components: rgb, adobeTransform: 0 })
    const short = insert(file, 2, 0xff, 0xe0, 0, 7, 0x4a, 0x46, 0x49, 0x46, 0)
    expect(lumaOfFile(short)).toEqual(lumaOfFile(file))
  })

  describe('restart markers', () => {
    const intervals = writeJpeg({ width: 256, height: 64, components, restartInterval: 4 })
    const whole = lumaOfFile(intervals)
    const markers = [...intervals.keys()].filter(
      (i) =>
        intervals[i] === 0xff && (intervals[i + 1] ?? 0) >= 0xd0 && (intervals[i + 1] ?? 0) <= 0xd7,
    )

    it('that came before are passed over', () => {
      let file: Uint8Array = intervals
      for (const at of markers.toReversed()) {
        const previous = 0xd0 + ((((file[at + 1] ?? 0) & 7) + 7) & 7)
        file = insert(file, at, 0xff, previous, 1, 2)
      }
      expect(lumaOfFile(file)).toEqual(whole)
    })

    it('are looked for after bytes that are not a marker', () => {
      let file: Uint8Array = intervals
      for (const at of markers.toReversed()) file = insert(file, at, 0xff, 2)
      expect(lumaOfFile(file)).toEqual(whole)
    })

    it('show that an interval or two are lost', () => {
      for (const lost of [1, 2]) {
        const [from, to] = [markers[3] ?? 0, markers[3 + lost] ?? 0]
        const file = Uint8Array.from([...intervals.subarray(0, from), ...intervals.subarray(to)])
        const luma = lumaOfFile(file)
        const wrong = Array.from(luma, (value, i) => Math.abs(value - (whole[i] ?? 0)) > 1).filter(
          Boolean,
        )
        // Four MCUs of 16 x 16 an interval, of which some pixels are grey anyway; and pixels beside them, by their chroma.
        expect(wrong.length).toBeGreaterThan(0)
        expect(wrong.length).toBeLessThanOrEqual((lost * 64 + 2) * 18)
      }
    })

    describe('that do not come leave one MCU of zero bits', () => {
      const one = [1, 1] as [number, number]
      const dark = componentsOf([() => 90, () => 128, () => 128], [one, one, one])
      const light = componentsOf([() => 200, () => 128, () => 128], [one, one, one])
      const frame = { width: 96, height: 72, scans: [[0], [1], [2]] }
      const first = writeJpeg({ ...frame, components: dark, restartInterval: 3 }).subarray(0, -2)
      const scanOf = (restartInterval: number) => {
        const file = writeJpeg({ ...frame, components: light, scans: [[0]], restartInterval })
        return file.subarray(find(file, 0xda))
      }
      const restartAt = (scan: Uint8Array, number: number) => find(scan, 0xd0 + number)
      const lacking = (scan: Uint8Array, from: number, to: number) =>
        Buffer.concat([scan.subarray(0, from), scan.subarray(to)])
      const restarts = scanOf(3)
      const scans: Record<string, Uint8Array> = {
        'in a whole scan': scanOf(0),
        'behind the first interval': lacking(restarts, restartAt(restarts, 0), restarts.length - 2),
        'but for the second': lacking(restarts, restartAt(restarts, 0), restartAt(restarts, 1)),
        'but for the third': lacking(restarts, restartAt(restarts, 0), restartAt(restarts, 2)),
        'before the end of the file': restarts.subarray(0, restartAt(restarts, 4)),
        'and half a marker': restarts.subarray(0, restartAt(restarts, 4) + 1),
      }

      it.each(Object.keys(scans))('%s', async (name) => {
        const file = Buffer.concat([first, scans[name] ?? Buffer.of()])
        const shown = await decodeBySharp(file, 'none')
        for (const cut of [1, 7, file.length]) {
          const { luma } = decode('jpeg', file, cut).frames[0]!
          expect(differenceToSharp(luma, shown).max).toBeLessThan(MAX_DIFFERENCE)
        }
      })
    })
  })
})

describe('incomplete JPEG', () => {
  it.each([false, true])('counts from half of its rows on; progressive %s', async (progressive) => {
    const file = await picture(400, 400).jpeg({ quality: 90, progressive }).toBuffer()
    const statuses = [0.05, 0.3, 0.9].map(
      (share) => decode('jpeg', file.subarray(0, file.length * share)).status,
    )
    expect(statuses[0]).toBe(TRUNCATED)
    expect(statuses[2]).toBe(DONE)
  })

  it('is grey where rows are missing', async () => {
    const file = await picture(400, 400).jpeg({ quality: 90 }).toBuffer()
    const { luma } = decode('jpeg', file.subarray(0, Math.floor(file.length * 0.7))).frames[0]!
    expect([...luma.subarray(-400)]).toEqual(Array.from({ length: 400 }, () => 128))
    const whole = decode('jpeg', file).frames[0]!.luma
    expect(luma.subarray(0, 400 * 200)).toEqual(whole.subarray(0, 400 * 200))
  })

  it('gives the same rows for chunks of any size', async () => {
    for (const progressive of [false, true]) {
      const file = (await picture(200, 200).jpeg({ progressive }).toBuffer()).subarray(0, -300)
      const whole = decode('jpeg', file).frames[0]?.luma
      for (const cut of [1, 7, 4096])
        expect(decode('jpeg', file, cut).frames[0]?.luma).toEqual(whole)
    }
  })
})

describe('JPEG that is refused', () => {
  const components = componentsOf(planes.slice(0, 3), [
    [1, 1],
    [1, 1],
    [1, 1],
  ])
  const base = writeJpeg({ width: 40, height: 40, components })
  const frameAt = base.findIndex((byte, i) => byte === 0xff && base[i + 1] === 0xc0)
  const changed = (change: (file: Uint8Array) => void) => {
    const file = Uint8Array.from(base)
    change(file)
    return decode('jpeg', file).status
  }

  it.each([0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf])(
    'is unsupported: frame marker %i',
    (code) => {
      expect(changed((file) => (file[frameAt + 1] = code))).toBe(UNSUPPORTED)
    },
  )

  it('is unsupported: 12 bits', () => {
    expect(changed((file) => (file[frameAt + 4] = 12))).toBe(UNSUPPORTED)
  })

  it('is damaged: no picture, no tables, impossible sampling', () => {
    expect(decode('jpeg', Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)).status).toBe(DAMAGED)
    expect(decode('jpeg', new Uint8Array(100)).status).toBe(DAMAGED)
    expect(changed((file) => (file[frameAt + 11] = 0x55))).toBe(DAMAGED)
    const withoutTables = Uint8Array.from([...base.subarray(0, 2), ...base.subarray(frameAt)])
    expect(decode('jpeg', withoutTables).status).toBe(DAMAGED)
  })

  it('is over a limit: a hundred scans and one', () => {
    const scans = (count: number) => Array.from({ length: count }, () => [1])
    const write = (count: number) =>
      writeJpeg({ width: 16, height: 16, components, scans: [...scans(count), [0]] })
    expect(decode('jpeg', write(99)).status).toBe(DONE)
    expect(decode('jpeg', write(100)).status).toBe(OVER_LIMIT)
  })
})

describe('JPEG at reduced scale', () => {
  it.each([
    [600, 700],
    [1030, 1024],
    [1500, 1100],
    [2100, 2300],
    [700, 4200],
    [4200, 4100],
    [4200, 300],
  ])('is the area average of the picture of %i x %i', async (width, height) => {
    const image = largePicture(width, height)
    const encode = (progressive: boolean) => image.jpeg({ quality: 92, progressive }).toBuffer()
    const baseline = await encode(false)
    // Both have the same coefficients.
    const average = areaAverage(await lumaBySharp(baseline), [width, height])
    for (const file of [baseline, await encode(true)]) {
      const { luma } = decode('jpeg', file).frames[0]!
      const { max, mean } = difference(luma, average)
      expect(mean).toBeLessThan(0.6)
      expect(max).toBeLessThan(24)
    }
  })

  it('does not happen to small pictures with a narrow side', async () => {
    for (const progressive of [false, true]) {
      const file = await picture(16, 1023).jpeg({ quality: 92, progressive }).toBuffer()
      const { luma, cols, rows } = decode('jpeg', file).frames[0]!
      const full = areaAverage(await lumaBySharp(file), [16, 1023], [cols, rows])
      expect(difference(luma, full).max).toBeLessThan(3)
      // Full scale would take more memory than there is.
      const wide = await picture(65_500, 8).jpeg({ quality: 92, progressive }).toBuffer()
      expect(decode('jpeg', wide).status).toBe(DONE)
    }
  })
})

it('agrees with the scene it was made from', () => {
  const { data, width, height } = scene(120, 90, 3, 3)
  const expected = lumaFromRgb(data, 3)
  const at = (offset: number) => (x: number, y: number) => {
    const i = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 3
    const [r, g, b] = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0]
    return (
      [
        0.299 * r + 0.587 * g + 0.114 * b,
        128 - 0.168736 * r - 0.331264 * g + 0.5 * b,
        128 + 0.5 * r - 0.418688 * g - 0.081312 * b,
      ][offset] ?? 0
    )
  }
  const components = componentsOf(
    [at(0), at(1), at(2)],
    [
      [1, 1],
      [1, 1],
      [1, 1],
    ],
  )
  const { frames } = decode('jpeg', writeJpeg({ width, height, components }))
  expect(difference(frames[0]!.luma, expected).max).toBeLessThan(2)
})
