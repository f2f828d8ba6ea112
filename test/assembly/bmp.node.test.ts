import { encode } from 'bmp-ts'
import { describe, expect, it } from 'vitest'
import { lumaFromRgb } from '../reference/pdq.ts'
import { decode, decodeChunks, difference } from '../support/decode.ts'
import { type BmpOptions, writeBmp } from '../support/bmp-writer.ts'
import { randomFrom } from '../support/random.ts'
import { scene } from '../support/scene.ts'
import { DAMAGED, DONE, OVER_LIMIT, TRUNCATED, UNSUPPORTED } from '../support/status.ts'

const [WIDTH, HEIGHT] = [37, 29]

const PALETTE = Array.from({ length: 256 }, (_, i) => [(i * 7) % 256, (i * 13) % 256, 255 - i])

function lumaOf(r: number, g: number, b: number): number {
  return 0.299 * r + 0.587 * g + 0.114 * b
}

/** Luma of a picture by a function of its pixels. */
function plane(luma: (x: number, y: number) => number): Float32Array {
  return Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
    luma(i % WIDTH, Math.floor(i / WIDTH)),
  )
}

function decodeFirst(options: Omit<BmpOptions, 'width' | 'height'>) {
  const { frames, status } = decode('bmp', writeBmp({ width: WIDTH, height: HEIGHT, ...options }))
  expect(status).toBe(DONE)
  return frames[0]!
}

describe('BMP by bmp-ts', () => {
  it.each([24, 32] as const)('gives the pixels that were written, of %i bits', (bitPP) => {
    const { data, width, height } = scene(53, 41, 3, 2)
    const abgr = Buffer.alloc(width * height * 4, 255)
    for (let i = 0; i < width * height; i++) {
      abgr.set([data[i * 3 + 2] ?? 0, data[i * 3 + 1] ?? 0, data[i * 3] ?? 0], i * 4 + 1)
    }
    const file = new Uint8Array(encode({ data: abgr, width, height, bitPP }).data)
    const { luma } = decode('bmp', file).frames[0]!
    expect(difference(luma, lumaFromRgb(data, 3)).max).toBeLessThan(0.001)
  })
})

describe('BMP pixels', () => {
  const indexed = ([1, 2, 4, 8] as const).map((bits) => ({ bits, top: 2 ** bits - 1 }))

  it.each(indexed)('are colours of a palette: $bits bits', ({ bits, top }) => {
    const pixel = (x: number, y: number) => (x * 3 + y * 5) & top
    const palette = PALETTE.slice(0, top + 1)
    const expected = plane((x, y) => {
      const [r = 0, g = 0, b = 0] = palette[pixel(x, y)] ?? []
      return lumaOf(r, g, b)
    })
    for (const headerBytes of [12, 16, 20, 36, 40, 48, 52, 64, 108, 124]) {
      for (const isTopDown of headerBytes === 12 ? [false] : [false, true]) {
        const { luma } = decodeFirst({ bits, pixel, palette, headerBytes, isTopDown, gap: 6 })
        expect(difference(luma, expected).max).toBeLessThan(0.001)
      }
    }
  })

  it('are colours of a palette with a wrong length', () => {
    const palette = PALETTE.slice(0, 4)
    const file = writeBmp({ width: 8, height: 8, bits: 2, pixel: (x) => x & 3, palette })
    const { luma } = decode('bmp', file).frames[0]!
    for (const count of [5, 0x7fffffff, 0x80000000, 0xffffffff]) {
      new DataView(file.buffer).setUint32(46, count, true)
      expect(decode('bmp', file).frames[0]!.luma).toEqual(luma)
    }
  })

  it('are colours of a palette that is shorter than it could be', () => {
    const { luma } = decodeFirst({ bits: 8, pixel: (x) => x % 3, palette: PALETTE.slice(0, 3) })
    expect(Math.round(luma[1] ?? 0)).toBe(Math.round(lumaOf(7, 13, 254)))
  })

  it('are colours of a palette that ends where they begin', () => {
    const palette = PALETTE.slice(0, 40)
    const pixel = (x: number, y: number) => (x * 3 + y * 5) % 40
    const expected = plane((x, y) => {
      const [r = 0, g = 0, b = 0] = palette[pixel(x, y)] ?? []
      return lumaOf(r, g, b)
    })
    for (const headerBytes of [12, 40, 52, 64, 108, 124]) {
      for (const usedColours of [0, 40, 256, 1000]) {
        const { luma } = decodeFirst({ bits: 8, pixel, palette, headerBytes, usedColours })
        expect(difference(luma, expected).max).toBeLessThan(0.001)
      }
    }
  })

  it('are black or grey where they are beyond the palette', () => {
    const pixel = (x: number, y: number) => (x * 3 + y * 5) % 80
    const palette = PALETTE.slice(0, 40)
    const colour = (value: number, beyond: number) => {
      const [r = beyond, g = beyond, b = beyond] = palette[value] ?? []
      return lumaOf(r, g, b)
    }
    const { luma, black } = decodeFirst({ bits: 8, pixel, palette, gap: 9 })
    const grey = plane((x, y) => colour(pixel(x, y), pixel(x, y)))
    expect(difference(luma, grey).max).toBeLessThan(0.001) // by Pillow
    const dark = plane((x, y) => colour(pixel(x, y), 0))
    expect(difference(black!, dark).max).toBeLessThan(0.001) // by Chromium
  })

  it.each([false, true])('begin where colours should, or after these: top down %s', (isTopDown) => {
    const pixel = (x: number, y: number) => 41 + ((x * 3 + y * 5) % 160)
    const rowBytes = 40
    const whole = { bits: 8, pixel, palette: PALETTE, isTopDown } as const
    const file = writeBmp({ width: WIDTH, height: HEIGHT, ...whole })
    const after = decode('bmp', file).frames[0]!.luma
    new DataView(file.buffer).setUint32(10, 54, true)
    const bytesAt = (row: number) => file.subarray(54 + row * rowBytes)
    const before = plane((x, y) => {
      const value = bytesAt(isTopDown ? y : HEIGHT - 1 - y)[x] ?? 0
      const [r = 0, g = 0, b = 0] = PALETTE[value] ?? []
      return lumaOf(r, g, b)
    })
    const { luma, other } = decode('bmp', file).frames[0]!
    expect(difference(luma, before).max).toBeLessThan(0.001) // by Chromium
    expect(difference(other!, after).max).toBeLessThan(0.001) // by Pillow
    expect(decode('bmp', file, 7).frames[0]!.other).toEqual(other)
  })

  // As Chromium shows them: the differential fuzzer has such files.
  it.each([0, 12, 30, 50])('begin where the file says, even among its headers: at %i', (at) => {
    const file = writeBmp({ width: WIDTH, height: HEIGHT, bits: 24, pixel: () => 0x336699 })
    new DataView(file.buffer).setUint32(10, at, true)
    const same = Buffer.concat([file.subarray(0, 54), file.subarray(at)])
    same.writeUInt32LE(54, 10)
    const [shown, expected] = [decode('bmp', file), decode('bmp', same)]
    expect(shown.status).toBe(DONE)
    expect(shown.frames[0]!.luma).toEqual(expected.frames[0]!.luma)
  })

  it('may lie in the colours, which are read nevertheless', () => {
    const pixel = (x: number, y: number) => 40 + ((x * 3 + y * 5) % 60)
    const file = writeBmp({
      width: WIDTH,
      height: HEIGHT,
      bits: 8,
      pixel,
      palette: PALETTE.slice(0, 40),
    })
    new DataView(file.buffer).setUint32(46, 256, true)
    const expected = plane((x, y) => {
      const [b = 0, g = 0, r = 0] = file.subarray(54 + pixel(x, y) * 4)
      return lumaOf(r, g, b)
    })
    expect(difference(decode('bmp', file).frames[0]!.luma, expected).max).toBeLessThan(0.001)
  })

  const masked: [name: string, bits: 16 | 32, masks: number[] | undefined, used: number[]][] = [
    ['555', 16, undefined, [0x7c00, 0x3e0, 0x1f]],
    ['565', 16, [0xf800, 0x7e0, 0x1f], [0xf800, 0x7e0, 0x1f]],
    ['4444', 16, [0xf00, 0xf0, 0xf, 0xf000], [0xf00, 0xf0, 0xf]],
    ['888', 32, undefined, [0xff0000, 0xff00, 0xff]],
    ['RGBA', 32, [0xff, 0xff00, 0xff0000, 0xff000000], [0xff, 0xff00, 0xff0000]],
    ['10:10:10', 32, [0x3ff00000, 0xffc00, 0x3ff], [0x3ff00000, 0xffc00, 0x3ff]],
  ]

  it.each(masked)('are channels under masks: %s', (_, bits, masks, used) => {
    const pixel = (x: number, y: number) =>
      (Math.imul(x * 977 + y * 3571 + 1, 2_654_435_761) >>> 0) % 2 ** bits
    const expected = plane((x, y) => {
      const [r = 0, g = 0, b = 0] = used.map((mask) => {
        const lowest = mask & -mask
        return Math.round((((pixel(x, y) & mask) >>> 0) / lowest / (mask / lowest)) * 255)
      })
      return lumaOf(r, g, b)
    })
    for (const headerBytes of [40, 56, 108, 124]) {
      const options = masks ? { bits, pixel, masks, headerBytes } : { bits, pixel, headerBytes }
      expect(difference(decodeFirst(options).luma, expected).max).toBeLessThan(0.01)
    }
  })

  it('have the default channels under masks that are all 0, as in Pillow', () => {
    const pixel = (x: number) => 0xff_00_00_00 + x * 0x10101
    const masks = [0, 0, 0, 0]
    const options = { bits: 32, pixel, masks, compression: 3, headerBytes: 108 } as const
    expect(
      difference(
        decodeFirst(options).luma,
        plane((x) => x),
      ).max,
    ).toBeLessThan(0.01)
  })

  it('are transparent by their fourth byte if there is an alpha mask, even without the others', () => {
    const options = { bits: 32, pixel: () => 0x80_40_40_40, headerBytes: 108 } as const
    const opaque = { ...options, headerBytes: 124, masks: [0xff0000, 0xff00, 0xff, 0] }
    expect(decodeFirst(opaque).white).toBeUndefined()
    for (const headerBytes of [40, 56, 108, 124]) {
      const masks = [0xff0000, 0xff00, 0xff, headerBytes === 108 ? 0x7a7a7a7d : 0xff000000]
      const plain = { ...options, headerBytes, ...(headerBytes > 40 && { masks, compression: 0 }) }
      expect(Math.round(decodeFirst(plain).black?.[5] ?? 0)).toBe(0x20)
    }
  })

  it('are opaque if alpha is 0 in all of them', () => {
    for (const headerBytes of [40, 108]) {
      const { luma, white } = decodeFirst({ bits: 32, pixel: () => 0x40_40_40, headerBytes })
      expect(white).toBeUndefined()
      expect(Math.round(luma[5] ?? 0)).toBe(0x40)
    }
  })

  it('are mixed with the background by alpha', () => {
    const options = { bits: 32, pixel: () => 0x80_40_40_40, headerBytes: 108 } as const
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000]
    const { luma, white } = decodeFirst({ ...options, masks })
    expect(Math.round(luma[5] ?? 0)).toBe(0x40)
    expect(Math.round(white?.[5] ?? 0)).toBe(Math.round(255 + (0x40 - 255) * (0x80 / 255)))
  })
})

describe('BMP runs', () => {
  const greys = Array.from({ length: 256 }, (_, i) => [i, i, i])
  const [width, height] = [6, 3]
  const rle = (compression: 1 | 2, data: number[]) =>
    decode(
      'bmp',
      writeBmp({
        ...{ width, height, bits: compression === 1 ? 8 : 4, pixel: () => 0 },
        ...{ palette: compression === 1 ? greys : greys.slice(0, 16), compression, data },
      }),
    )
  /** Rows from the top. */
  const lines = (luma: Float32Array) =>
    Array.from({ length: height }, (_, y) =>
      Array.from(luma.subarray(y * width, (y + 1) * width), Math.round),
    )

  it('are of 24 bits behind an OS/2 header', () => {
    const data = [
      3, 9, 9, 9, 3, 7, 7, 7, 0, 0, 0, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 3, 4, 4, 4, 0, 0, 6, 5, 5,
      5, 0, 1,
    ]
    const options = { width, height, bits: 24, pixel: () => 0, compression: 4, data } as const
    const { frames, status } = decode('bmp', writeBmp({ ...options, headerBytes: 64 }))
    expect(status).toBe(DONE)
    expect(lines(frames[0]!.luma)).toEqual([
      [5, 5, 5, 5, 5, 5],
      [1, 2, 3, 4, 4, 4],
      [9, 9, 9, 7, 7, 7],
    ])
    expect(decode('bmp', writeBmp({ ...options, headerBytes: 64 }), 1).frames).toHaveLength(1)
    expect(decode('bmp', writeBmp({ ...options, headerBytes: 40 })).status).toBe(UNSUPPORTED)
  })

  it('are of 8 bits: runs, literal values, ends of rows', () => {
    const data = [6, 9, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 1, 8, 0, 0, 3, 7, 3, 8, 0, 1]
    expect(lines(rle(1, data).frames[0]!.luma)).toEqual([
      [7, 7, 7, 8, 8, 8],
      [1, 2, 3, 4, 5, 8],
      [9, 9, 9, 9, 9, 9],
    ])
  })

  it('are of 4 bits', () => {
    const data = [6, 0x12, 0, 0, 0, 5, 0x34, 0x56, 0x70, 0, 1, 0x90, 0, 0, 6, 0x11, 0, 1]
    expect(lines(rle(2, data).frames[0]!.luma)).toEqual([
      [1, 1, 1, 1, 1, 1],
      [3, 4, 5, 6, 7, 9],
      [1, 2, 1, 2, 1, 2],
    ])
  })

  it('step right and up, and may end early', () => {
    const data = [2, 5, 0, 2, 1, 2, 2, 6, 0, 1]
    expect(lines(rle(1, data).frames[0]!.luma)).toEqual([
      [0, 0, 0, 6, 6, 0],
      [0, 0, 0, 0, 0, 0],
      [5, 5, 0, 0, 0, 0],
    ])
  })

  it('are transparent where they skip pixels', () => {
    const { luma, white } = rle(1, [2, 5, 0, 2, 1, 2, 2, 6, 0, 1]).frames[0]!
    expect(lines(luma)[2]).toEqual([5, 5, 0, 0, 0, 0])
    expect(lines(white ?? luma)).toEqual([
      [255, 255, 255, 6, 6, 255],
      [255, 255, 255, 255, 255, 255],
      [5, 5, 255, 255, 255, 255],
    ])
    expect(rle(1, [6, 9, 0, 0, 6, 9, 0, 0, 6, 9, 0, 1]).frames[0]!.white).toBeUndefined()
  })

  it('may be longer than their rows', () => {
    const data = [255, 4, 255, 5, 0, 0, 255, 6, 0, 1]
    const { frames, status } = rle(1, data)
    expect(status).toBe(DONE)
    expect(lines(frames[0]!.luma)).toEqual([
      [0, 0, 0, 0, 0, 0],
      [6, 6, 6, 6, 6, 6],
      [4, 4, 4, 4, 4, 4],
    ])
  })
})

describe('BMP in chunks', () => {
  const noise = randomFrom(3)
  const values = Array.from({ length: WIDTH * HEIGHT }, () => Math.floor(noise() * 256))
  const pixel = (x: number, y: number) => values[y * WIDTH + x] ?? 0
  const file = writeBmp({ width: WIDTH, height: HEIGHT, bits: 8, pixel, palette: PALETTE, gap: 9 })

  it('has the same rows for chunks of any size', () => {
    const runs = writeBmp({
      ...{ width: WIDTH, height: HEIGHT, bits: 8, pixel, palette: PALETTE, compression: 1 },
      data: Array.from({ length: HEIGHT }, (_, y) => [
        20,
        y,
        0,
        5,
        1,
        2,
        3,
        4,
        5,
        0,
        12,
        y + 1,
        0,
        0,
      ]).flat(),
    })
    for (const whole of [file, runs]) {
      const { luma } = decode('bmp', whole).frames[0]!
      const random = randomFrom(7)
      for (const cut of [() => 1, () => 7, () => 4096, () => 1 + Math.floor(random() * 90)]) {
        expect(decodeChunks('bmp', whole, cut).frames[0]!.luma).toEqual(luma)
      }
    }
  })

  it('counts from half of its rows on, and is black where rows are missing', () => {
    const body = 14 + 40 + 1024 + 9
    const part = (share: number) => file.subarray(0, body + (file.length - body) * share)
    expect([0, 0.3, 0.45].map((share) => decode('bmp', part(share)).status)).toEqual(
      Array.from({ length: 3 }, () => TRUNCATED),
    )
    const { luma } = decode('bmp', part(0.6)).frames[0]!
    expect(luma[0]).toBe(0)
    expect(luma.at(-1)).toBeCloseTo(decode('bmp', file).frames[0]!.luma.at(-1) ?? -1)
  })
})

describe('BMP that is refused', () => {
  const base = { width: 8, height: 8, bits: 24, pixel: () => 0 } as const
  const changed = (at: number, ...bytes: number[]) => {
    const file = writeBmp(base)
    file.set(bytes, at)
    return decode('bmp', file).status
  }

  it('is damaged, over a limit, or unsupported', () => {
    expect(decode('bmp', new Uint8Array(100)).status).toBe(DAMAGED)
    expect(decode('bmp', writeBmp(base).subarray(0, 30)).status).toBe(DAMAGED)
    expect(changed(18, 0, 0, 0, 0)).toBe(DAMAGED)
    expect(changed(18, 255, 255, 255, 255)).toBe(DAMAGED)
    expect(changed(28, 33)).toBe(DAMAGED)
    expect(changed(14, 65)).toBe(DAMAGED)
    expect(changed(18, 0, 0, 1, 0)).toBe(OVER_LIMIT)
    expect(changed(22, 0, 0, 1, 0)).toBe(OVER_LIMIT)
    expect(changed(30, 4)).toBe(UNSUPPORTED)
  })
})
