import { describe, expect, it } from 'vitest'
import { DIHEDRAL_NAMES } from '../../src/util/hash.ts'
import * as reference from '../reference/pdq.ts'
import { randomFrom } from '../support/random.ts'
import { floatsAt, hexAt, imageInstance, placeFloats } from './instance.ts'

// Every side that changes something: the box windows change at 128, 256 and 384, vectors hold 4, the smallest has a hash.
const SHAPES: [rows: number, cols: number][] = [
  [512, 512],
  [64, 64],
  [5, 5],
  [6, 7],
  [63, 65],
  [128, 129],
  [129, 127],
  [256, 257],
  [384, 385],
  [511, 509],
  [512, 5],
  [5, 512],
  [300, 100],
  [399, 224],
]

type Pattern = (row: number, col: number, random: () => number) => number

const PATTERNS: Record<string, Pattern> = {
  noise: (_row, _col, random) => random() * 255,
  waves: (row, col, random) => 127 + 100 * Math.sin(col / 17 + row / 23) + random() * 10,
  stripes: (_row, col) => (col % 7 < 3 ? 255 : 0),
  checks: (row, col) => (((row >> 3) + (col >> 3)) % 2) * 200,
  flat: () => 93.25,
}

function plane(rows: number, cols: number, pattern: Pattern, seed: number): reference.Plane {
  const random = randomFrom(seed)
  const luma = new Float32Array(rows * cols)
  for (let i = 0; i < luma.length; i++) luma[i] = pattern(Math.floor(i / cols), i % cols, random)
  return { rows, cols, luma }
}

const CASES = SHAPES.flatMap(([rows, cols]) =>
  Object.entries(PATTERNS).map(([name, pattern], i) => ({
    name: `${rows} x ${cols} ${name}`,
    input: plane(rows, cols, pattern, rows * 1000 + cols + i),
  })),
)

describe('PDQ in the core', () => {
  it.each(CASES)('hashes $name to the bits of the reference', ({ input }) => {
    const core = imageInstance()
    const address = placeFloats(core, input.luma)
    const out = core.allocate(32)
    const quality = core.hashPlane(address, input.rows, input.cols, out)
    expect({ hash: hexAt(core, out, 32), quality }).toEqual(reference.pdq(input))
  })

  it.each(CASES.filter((_, i) => i % 3 === 0))(
    'derives the eight variants of $name as the reference does',
    ({ input }) => {
      const core = imageInstance()
      const address = placeFloats(core, input.luma)
      const out = core.allocate(8 * 32)
      core.hashDihedral(address, input.rows, input.cols, out)
      const hashes = DIHEDRAL_NAMES.map((name, i) => [name, hexAt(core, out + 32 * i, 32)])
      expect(Object.fromEntries(hashes)).toEqual(reference.pdqDihedral(input))
    },
  )

  it('leaves the plane as it was', () => {
    const core = imageInstance()
    const { luma } = plane(200, 300, PATTERNS.waves!, 1)
    const address = placeFloats(core, luma)
    core.hashPlane(address, 200, 300, core.allocate(32))
    expect(floatsAt(core, address, luma.length)).toEqual(luma)
  })

  it.each([
    [4, 100],
    [100, 4],
    [1, 1],
  ])('has no hash and quality 0 for a plane of %i x %i', (rows, cols) => {
    const core = imageInstance()
    const address = placeFloats(core, plane(rows, cols, PATTERNS.noise!, 2).luma)
    const out = placeFloats(core, new Float32Array(8).fill(1))
    expect(core.hashPlane(address, rows, cols, out)).toBe(0)
    expect(hexAt(core, out, 32)).toBe('0'.repeat(64))
  })
})

describe('jaroszDecimate', () => {
  it.each(SHAPES.filter(([, cols]) => cols % 4 === 0))(
    'filters a plane of %i x %i to the bits of the reference',
    (rows, cols) => {
      const core = imageInstance()
      const input = plane(rows, cols, PATTERNS.noise!, rows + cols)
      const windows = [reference.jaroszWindow(cols), reference.jaroszWindow(rows)] as const
      const out = core.allocate(rows * cols * 4)
      core.jaroszDecimate(placeFloats(core, input.luma), rows, cols, ...windows, out, rows, cols)
      expect(floatsAt(core, out, rows * cols)).toEqual(
        reference.jaroszFilter(input, ...windows).luma,
      )
    },
  )

  it.each(SHAPES)('decimates a filtered plane of %i x %i as the reference does', (rows, cols) => {
    const core = imageInstance()
    const input = plane(rows, cols, PATTERNS.waves!, rows - cols)
    const windows = [reference.jaroszWindow(cols), reference.jaroszWindow(rows)] as const
    const out = core.allocate(64 * 64 * 4)
    core.jaroszDecimate(placeFloats(core, input.luma), rows, cols, ...windows, out, 64, 64)
    const filtered = reference.jaroszFilter(input, ...windows)
    expect(floatsAt(core, out, 64 * 64)).toEqual(reference.decimate(filtered, 64, 64))
  })

  it('traps on a plane larger than 512', () => {
    const core = imageInstance()
    expect(() => core.jaroszDecimate(0, 513, 64, 1, 1, 0, 64, 64)).toThrow(WebAssembly.RuntimeError)
  })
})

describe('the later stages', () => {
  const block = plane(64, 64, PATTERNS.waves!, 9).luma

  it('measures quality as the reference does', () => {
    const core = imageInstance()
    for (const scale of [0, 0.05, 0.1, 0.3, 1]) {
      const scaled = block.map((value) => value * scale)
      expect(core.quality64(placeFloats(core, scaled))).toBe(reference.quality(scaled))
    }
  })

  it('transforms to the amplitudes of the reference, with its matrix', () => {
    const core = imageInstance()
    const out = core.allocate(256 * 4)
    core.dct64To16(placeFloats(core, block), out)
    expect(floatsAt(core, out, 256)).toEqual(reference.dct(block))
    // Single samples show single entries of the matrix.
    for (let k = 0; k < 64; k++) {
      const single = new Float32Array(64 * 64)
      single[k * 64 + 3] = 1
      core.dct64To16(placeFloats(core, single), out)
      expect(floatsAt(core, out, 256)).toEqual(reference.dct(single))
    }
  })

  it('finds the lower median, also among equal values', () => {
    const core = imageInstance()
    const random = randomFrom(5)
    const samples = [
      Float32Array.from({ length: 256 }, () => random() - 0.5),
      Float32Array.from({ length: 256 }, () => Math.floor(random() * 4)),
      Float32Array.from({ length: 256 }, (_, i) => (i < 128 ? -1 : 1)),
      Float32Array.from({ length: 256 }, (_, i) => (i < 127 ? -1 : 1)),
      new Float32Array(256),
      Float32Array.from({ length: 256 }, (_, i) => 1e30 * (i - 200)),
    ]
    for (const values of samples) {
      expect(core.median256(placeFloats(core, values))).toBe(reference.median(values))
    }
  })

  it('sets bits in the order of the text form', () => {
    const core = imageInstance()
    const amplitudes = reference.dct(block)
    const out = core.allocate(32)
    core.hashBits(placeFloats(core, amplitudes), out)
    expect(hexAt(core, out, 32)).toBe(reference.hashBits(amplitudes))
  })
})

describe('luma', () => {
  const pixels = Uint8Array.from({ length: 4 * 101 }, (_, i) => (i * 37) % 256)

  it.each([1, 2, 3, 4, 5, 99, 101])('of %i pixels has the bits of the reference', (count) => {
    const core = imageInstance()
    const from = core.allocate(pixels.length + 16)
    new Uint8Array(core.memory.buffer).set(pixels, from)
    const [luma, alpha] = [core.allocate(count * 4), core.allocate(count * 4)]

    core.lumaFromRgba(from, count, luma, alpha)
    expect(floatsAt(core, luma, count)).toEqual(
      reference.lumaFromRgb(pixels.subarray(0, count * 4), 4),
    )
    expect([...floatsAt(core, alpha, count)]).toEqual(
      Array.from({ length: count }, (_, i) => pixels[i * 4 + 3]),
    )

    core.lumaFromRgb(from, count, luma)
    expect(floatsAt(core, luma, count)).toEqual(
      reference.lumaFromRgb(pixels.subarray(0, count * 3), 3),
    )

    core.lumaFromGrey(from, count, luma)
    expect([...floatsAt(core, luma, count)]).toEqual([...pixels.subarray(0, count)])
  })
})

describe('orientPlane', () => {
  // A plane of 2 x 3, as the eight orientations display it.
  const stored = [1, 2, 3, 4, 5, 6]
  const displayed: [orientation: number, values: number[]][] = [
    [1, [1, 2, 3, 4, 5, 6]],
    [2, [3, 2, 1, 6, 5, 4]],
    [3, [6, 5, 4, 3, 2, 1]],
    [4, [4, 5, 6, 1, 2, 3]],
    [5, [1, 4, 2, 5, 3, 6]],
    [6, [4, 1, 5, 2, 6, 3]],
    [7, [6, 3, 5, 2, 4, 1]],
    [8, [3, 6, 2, 5, 1, 4]],
    [0, [1, 2, 3, 4, 5, 6]],
    [9, [1, 2, 3, 4, 5, 6]],
  ]
  it.each(displayed)('turns a plane as orientation %i says', (orientation, values) => {
    const core = imageInstance()
    const out = core.allocate(24)
    core.orientPlane(placeFloats(core, Float32Array.from(stored)), 2, 3, orientation, out)
    expect([...floatsAt(core, out, 6)]).toEqual(values)
  })
})
