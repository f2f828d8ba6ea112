import { describe, expect, it } from 'vitest'
import { distance, formatHash, parseHash } from '../../src/util/hash.ts'
import type { ProbeExports } from '../../src/core/image-exports.ts'
import { Plane, type Points, ProbeRoom } from '../../src/core/plane.ts'
import { DIHEDRAL_OF_ORIENTATION, pointsOf, wholeOf } from '../../src/scan/probes/view.ts'
import * as reference from '../reference/pdq.ts'
import type { ImageStages } from '../support/image-stages.ts'
import { randomFrom } from '../support/random.ts'
import { scene } from '../support/scene.ts'
import { floatsAt, imageInstance, placeFloats } from './instance.ts'

/** A plane in an instance of its own, and what it was made of. */
function planeOf(rows: number, cols: number, luma: Float32Array) {
  const core = imageInstance() as ImageStages & ProbeExports
  const address = placeFloats(core, luma)
  core.allocate(16) // what kernels may read behind it
  const room = ProbeRoom.in({ exports: core }, rows * cols)!
  const plane = new Plane(room, address, rows, cols)
  return { plane, filtered: () => floatsAt(core, room.filtered, rows * cols) }
}

function sceneOf(rows: number, cols: number, seed = rows + cols) {
  return Float32Array.from(scene(cols, rows, 1, seed).data)
}

/** Bits between a hash and one in its text form. */
function bitsFrom(hash: Uint8Array, text: string): number {
  return distance(hash, parseHash(text)!)
}

const SHAPES = [
  [5, 5],
  [5, 512],
  [64, 64],
  [63, 65],
  [100, 300],
  [127, 129],
  [257, 256],
  [385, 500],
  [512, 512],
] as const

describe('a plane', () => {
  it.each(SHAPES)('of %i x %i has the hash of PDQ, bit for bit', (rows, cols) => {
    const luma = sceneOf(rows, cols)
    const { hash, quality } = planeOf(rows, cols, luma).plane.identity()
    const pdq = reference.pdq({ rows, cols, luma })
    expect({ hash: formatHash(hash), quality }).toEqual(pdq)
  })

  it.each(SHAPES)('of %i x %i is filtered at every pixel as PDQ filters it', (rows, cols) => {
    const luma = sceneOf(rows, cols)
    const { plane, filtered } = planeOf(rows, cols, luma)
    plane.identity()
    const windows = [reference.jaroszWindow(cols), reference.jaroszWindow(rows)] as const
    const isTaken = rows === 64 && cols === 64
    const expected = isTaken ? luma : reference.jaroszFilter({ rows, cols, luma }, ...windows).luma
    expect(filtered()).toEqual(expected)
  })
})

/** What the kernels do, point by point. */
class SlowView {
  readonly rows: number
  readonly cols: number
  readonly filtered: Float32Array

  constructor(rows: number, cols: number, filtered: Float32Array) {
    this.rows = rows
    this.cols = cols
    this.filtered = filtered
  }

  block(points: Points): Float32Array {
    const block = new Float32Array(64 * 64)
    for (let i = 0; i < 64; i++) {
      for (let j = 0; j < 64; j++) {
        block[i * 64 + j] =
          'column' in points
            ? this.#between(
                points.x + i * points.row.x + j * points.column.x,
                points.y + i * points.row.y + j * points.column.y,
              )
            : this.#upright(points.x + j * points.stepX, points.y + i * points.stepY)
      }
    }
    if (!('column' in points) && points.covered) fillCovered(block, points.covered)
    return 'column' in points || !points.transposes ? block : transposed(block)
  }

  /** A point of the plane; outside, a mean along the nearest edge, as far to both sides as the point is away. */
  #upright(x: number, y: number): number {
    const outsideX = Math.abs(x - clamp(x, this.cols))
    const outsideY = Math.abs(y - clamp(y, this.rows))
    const depth = Math.max(outsideX, outsideY)
    if (depth < 1) return this.#between(x, y)
    let sum = 0
    for (const [tap, weight] of [1, 2, 3, 2, 1].entries()) {
      const alongX = outsideY > 0 ? (tap - 2) * depth : 0
      const alongY = outsideX > 0 ? (tap - 2) * depth : 0
      const column = Math.trunc(clamp(Math.fround(x + alongX), this.cols))
      const row = Math.trunc(clamp(Math.fround(y + alongY), this.rows))
      sum += weight * this.#at(column, row)
    }
    return sum / 9
  }

  /** Between the four pixels around a point. */
  #between(x: number, y: number): number {
    const [atX, atY] = [clamp(x, this.cols), clamp(y, this.rows)]
    const [left, top] = [Math.floor(atX), Math.floor(atY)]
    const [shareX, shareY] = [atX - left, atY - top]
    const rowAt = (row: number) =>
      this.#at(left, row) * (1 - shareX) + this.#at(left + 1, row) * shareX
    return rowAt(top) * (1 - shareY) + rowAt(top + 1) * shareY
  }

  #at(column: number, row: number): number {
    const [x, y] = [Math.min(column, this.cols - 1), Math.min(row, this.rows - 1)]
    return this.filtered[y * this.cols + x]!
  }
}

function clamp(at: number, count: number): number {
  return Math.min(Math.max(at, 0), count - 1)
}

function transposed(block: Float32Array): Float32Array {
  return block.map((_, at) => block[(at % 64) * 64 + Math.floor(at / 64)]!)
}

/** Points between the nearest ones that are not covered, by how near they are. */
function fillCovered(block: Float32Array, covered: Uint8Array): void {
  const known = block.slice()
  for (const [at, isCovered] of covered.entries()) {
    if (isCovered === 0) continue
    const [row, column] = [Math.floor(at / 64), at % 64]
    const found: [distance: number, value: number][] = []
    for (const [down, across] of [
      [0, -1],
      [0, 1],
      [-1, 0],
      [1, 0],
    ] as const) {
      for (let far = 1; far < 64; far++) {
        const [y, x] = [row + far * down, column + far * across]
        if (y < 0 || y > 63 || x < 0 || x > 63) break
        if (covered[y * 64 + x] === 1) continue
        found.push([far, known[y * 64 + x]!])
        break
      }
    }
    const sum = (of: (one: [number, number]) => number) =>
      found.reduce((all, one) => all + of(one), 0)
    if (found.length > 0) block[at] = sum(([far, value]) => value / far) / sum(([far]) => 1 / far)
  }
}

/** Which points are covered. */
function coveredIf(isCovered: (row: number, column: number) => boolean): Uint8Array {
  return new Uint8Array(64 * 64).map((_, at) => Number(isCovered(Math.floor(at / 64), at % 64)))
}

const UPRIGHT = { x: 3, stepX: 5, y: 2, stepY: 3.7, transposes: false }

const VIEWS: [string, Points][] = [
  ['within', UPRIGHT],
  ['between pixels', { ...UPRIGHT, x: 0.31, y: 7.77, stepX: 4.13, stepY: 2.9 }],
  ['mirrored', { ...UPRIGHT, x: 330, stepX: -5.1, y: 240, stepY: -3.6 }],
  ['transposed', { ...UPRIGHT, transposes: true }],
  ['outside on all sides', { ...UPRIGHT, x: -40, stepX: 6.4, y: -33, stepY: 5.1 }],
  ['outside as a whole', { ...UPRIGHT, x: 400, stepX: 3, y: 300, stepY: 2 }],
  ['with a corner covered', { ...UPRIGHT, covered: coveredIf((y, x) => y < 9 && x > 50) }],
  [
    'with a middle covered',
    { ...UPRIGHT, covered: coveredIf((y, x) => y > 20 && y < 29 && x > 11 && x < 47) },
  ],
  [
    'with a disc covered',
    { ...UPRIGHT, covered: coveredIf((y, x) => Math.hypot(y - 30, x - 40) < 15) },
  ],
  ['with lines covered', { ...UPRIGHT, covered: coveredIf((y) => y % 3 === 0) }],
  [
    'with a row and a column covered',
    { ...UPRIGHT, covered: coveredIf((y, x) => y === 0 || x === 63) },
  ],
  ['covered as a whole', { ...UPRIGHT, covered: coveredIf(() => true) }],
  ['turned', { x: 20, y: 3, column: { x: 4.9, y: 0.4 }, row: { x: -0.3, y: 3.6 } }],
  ['turned, and outside', { x: -9, y: -9, column: { x: 5.6, y: 1 }, row: { x: -1, y: 4.5 } }],
]

describe('a view', () => {
  it.each(VIEWS)('%s has the points that a slow twin takes', (_, points) => {
    const [rows, cols] = [250, 340]
    for (const seed of [1, 2, 3]) {
      const { plane, filtered } = planeOf(rows, cols, sceneOf(rows, cols, seed))
      const { hash, quality } = plane.hash(points)
      const block = new SlowView(rows, cols, filtered()).block(points)
      // The twin counts in f64: what is at a median may fall on its other side.
      expect(bitsFrom(hash, reference.hashBits(reference.dct(block)))).toBeLessThanOrEqual(2)
      expect(Math.abs(quality - reference.quality(block))).toBeLessThanOrEqual(1)
    }
  })

  it.each(SHAPES.slice(3))('of %i x %i sees all eight ways that it may lie', (rows, cols) => {
    const luma = sceneOf(rows, cols)
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const { plane } = planeOf(rows, cols, luma)
      const dihedral = DIHEDRAL_OF_ORIENTATION[orientation]!
      const points = pointsOf(plane, { part: wholeOf(plane), dihedral }, cols / rows)
      const turned = oriented(rows, cols, luma, orientation)
      // PDQ takes whole pixels as its points, a view what is between them: small planes differ more.
      expect(bitsFrom(plane.hash(points).hash, reference.pdq(turned).hash)).toBeLessThanOrEqual(16)
    }
  })

  it('of a part is that part as a picture of its own', () => {
    const [rows, cols] = [400, 500]
    const luma = sceneOf(rows, cols)
    const part = { x0: 60, x1: 460, y0: 30, y1: 350 }
    const { plane } = planeOf(rows, cols, luma)
    const { hash } = plane.hash(pointsOf(plane, { part }, cols / rows))
    const cut = cutOut(luma, cols, part)
    expect(bitsFrom(hash, reference.pdq(cut).hash)).toBeLessThanOrEqual(10)
  })
})

/** A plane as an Exif orientation displays it. */
function oriented(rows: number, cols: number, luma: Float32Array, orientation: number) {
  const core = imageInstance()
  const out = core.allocate(rows * cols * 4)
  core.orientPlane(placeFloats(core, luma), rows, cols, orientation, out)
  const swaps = orientation >= 5
  return {
    rows: swaps ? cols : rows,
    cols: swaps ? rows : cols,
    luma: floatsAt(core, out, rows * cols),
  }
}

function cutOut(
  luma: Float32Array,
  cols: number,
  { x0, x1, y0, y1 }: { x0: number; x1: number; y0: number; y1: number },
) {
  const [width, height] = [x1 - x0, y1 - y0]
  const cut = new Float32Array(width * height).map(
    (_, i) => luma[(y0 + Math.floor(i / width)) * cols + x0 + (i % width)]!,
  )
  return { rows: height, cols: width, luma: cut }
}

describe('weak bits', () => {
  const picture = sceneOf(200, 200, 5)
  it.each([
    ['a scene', (row: number, col: number) => picture[row * 200 + col]!],
    ['stripes', (_: number, col: number) => (col % 10 < 5 ? 200 : 40)],
    ['a gradient', (row: number, col: number) => (row + col) / 2],
    ['one luma', () => 77],
  ])('of %s are those that a slow twin counts', (_name, pattern) => {
    const luma = new Float32Array(200 * 200).map((_, i) => pattern(Math.floor(i / 200), i % 200))
    const amplitudes = reference.dct(reference.downscale({ rows: 200, cols: 200, luma }))
    const median = reference.median(amplitudes)
    const differences = [...amplitudes].map((value) => value - median)
    const rms = Math.sqrt(differences.reduce((sum, value) => sum + value * value, 0) / 256)
    const least = Math.max(2, 0.02 * rms)
    const expected = differences.filter((value) => Math.abs(value) < least).length
    const { weakBits } = planeOf(200, 200, luma).plane.identity()
    expect(Math.abs(weakBits - expected)).toBeLessThanOrEqual(1)
  })

  it('are few of a picture, and many of a pattern', () => {
    const bitsOf = (pattern: (row: number, col: number) => number) => {
      const luma = new Float32Array(256 * 256).map((_, i) => pattern(i >> 8, i & 255))
      return planeOf(256, 256, luma).plane.identity().weakBits
    }
    for (const seed of [1, 2, 3, 4]) {
      const values = sceneOf(256, 256, seed)
      expect(bitsOf((row, col) => values[row * 256 + col]!)).toBeLessThan(40)
    }
    expect(bitsOf((_, col) => (col % 32 < 16 ? 220 : 30))).toBeGreaterThan(80)
    expect(bitsOf((row, col) => (col % 64 < 9 || row % 64 < 9 ? 200 : 90))).toBeGreaterThan(80)
  })
})

describe('lines', () => {
  const [rows, cols] = [120, 163]
  const random = randomFrom(11)
  const luma = new Float32Array(rows * cols).map(() => random() * 255)
  const { plane } = planeOf(rows, cols, luma)
  const part = { x0: 7, x1: 150, y0: 3, y1: 99 }

  const values = (along: 'row' | 'column', at: number) =>
    along === 'row'
      ? Array.from({ length: part.x1 - part.x0 }, (_, i) => luma[at * cols + part.x0 + i]!)
      : Array.from({ length: part.y1 - part.y0 }, (_, i) => luma[(part.y0 + i) * cols + at]!)

  it.each(['row', 'column'] as const)('have a median: a %s', (along) => {
    for (const at of [part.x0, 20, 50, 98]) {
      const sorted = values(along, at)
        .map(Math.floor)
        .toSorted((a, b) => a - b)
      const median = sorted[Math.ceil(sorted.length / 2) - 1]
      expect(plane.medianOf({ part, along, at })).toBe(median)
    }
  })

  it.each(['row', 'column'] as const)('have a share of pixels near a luma: a %s', (along) => {
    for (const at of [part.x0, 20, 50, 98]) {
      const all = values(along, at)
      const near = all.filter((value) => Math.abs(value - 100) <= 14)
      expect(plane.shareNear({ part, along, at }, 100, 14)).toBe(near.length / all.length)
    }
  })

  it('have steps, which add up what a slow twin adds up', () => {
    const { byRow, byColumn } = plane.steps()
    const most = 32
    const step = (a: number, b: number) => Math.min(most, Math.abs(luma[a]! - luma[b]!))
    for (const y of [2, 3, 60, 119]) {
      let sum = 0
      for (let x = 0; x < cols - 3; x++) {
        if (x % 8 < 4) sum += step(y * cols + x, (y - 2) * cols + x)
      }
      expect(byRow[y]).toBeCloseTo((2 * sum) / cols, 2)
    }
    for (const x of [2, 3, 60, 161]) {
      let sum = 0
      for (let y = 0; y < rows; y += 2) sum += step(y * cols + x, y * cols + x - 2)
      expect(byColumn[x]).toBeCloseTo((2 * sum) / rows, 2)
    }
    expect([byRow[0], byRow[1], byColumn[0], byColumn[1]]).toEqual([0, 0, 0, 0])
  })
})

describe('borders', () => {
  const [rows, cols] = [61, 83]
  const random = randomFrom(12)
  // Cells of one luma with a little noise: borders of all lengths, with gaps.
  const cells = Array.from({ length: 200 }, () => random() * 60)
  const luma = new Float32Array(rows * cols).map((_, i) => {
    const cell = Math.floor(i / cols / 7) * 12 + Math.floor((i % cols) / 7)
    return cells[cell]! + random() * 6
  })
  const { plane } = planeOf(rows, cols, luma)
  const runs = plane.runs()!

  const SIDES = ['left', 'right', 'top', 'bottom'] as const
  /** The pixels of a line, and those so far inside of them. */
  const pixels = (side: (typeof SIDES)[number], at: number, inside: number) => {
    const line = side === 'left' || side === 'top' ? at + inside : at - inside
    return side === 'left' || side === 'right'
      ? Array.from({ length: rows }, (_, y) => luma[y * cols + line]!)
      : Array.from({ length: cols }, (_, x) => luma[line * cols + x]!)
  }
  const onBorder = (side: (typeof SIDES)[number], at: number) => {
    const [far, before, behind] = [-2, -1, 1].map((inside) => pixels(side, at, inside))
    return behind!.map(
      (value, k) => Math.abs(value - before![k]!) >= 8 && Math.abs(before![k]! - far![k]!) <= 4,
    )
  }
  const scoreOf = (isOn: readonly boolean[]) => isOn.reduce((sum, is) => sum + (is ? 2 : -1), 0)

  it.each(SIDES)('have the best run of each line, as a slow twin finds it: %s', (side) => {
    const lines = side === 'left' || side === 'right' ? cols : rows
    for (let at = 2; at < lines - 2; at++) {
      const isOn = onBorder(side, at)
      let best = 0
      for (let from = 0; from < isOn.length; from++) {
        for (let to = from + 1; to <= isOn.length; to++) {
          best = Math.max(best, scoreOf(isOn.slice(from, to)))
        }
      }
      const run = runs[side].find((one) => one.at === at)
      expect(run?.score ?? 0).toBe(best)
      if (run) expect(scoreOf(isOn.slice(run.from, run.to))).toBe(best)
    }
    const places = runs[side].map(({ at }) => at)
    expect(places.length).toBeGreaterThan(10)
    expect(Math.min(...places)).toBeGreaterThanOrEqual(2)
    expect(Math.max(...places)).toBeLessThan(lines - 2)
  })

  it.each(SIDES)('have counts of their pixels, and a share of what is inside: %s', (side) => {
    for (const { at, from, to } of runs[side]) {
      const isOn = onBorder(side, at)
      const counts = [0]
      for (const is of isOn) counts.push(counts.at(-1)! + (is ? 1 : 0))
      expect([...plane.onBorder(side, at)]).toEqual(counts)
      const [before, on, behind] = [-1, 0, 1].map((inside) => pixels(side, at, inside))
      let [products, squares] = [0, 0]
      for (let k = from; k < to; k++) {
        const step = behind![k]! - before![k]!
        if (Math.abs(step) < 8) continue
        products += (on![k]! - before![k]!) * step
        squares += step * step
      }
      const share = Math.min(1, Math.max(0, products / squares))
      expect(plane.shareInside(side, at, from, to)).toBeCloseTo(share, 4)
    }
  })

  it('are none in a plane of four lines, or of one luma', () => {
    for (const [height, width, step] of [
      [4, 4, 90],
      [512, 512, 0],
    ] as const) {
      const flat = new Float32Array(height * width).map((_, i) => (i % 2) * step)
      const none = planeOf(height, width, flat).plane.runs()!
      expect(Object.values(none).flat()).toEqual([])
    }
  })
})

describe('a plane that is kept', () => {
  it('is the same later, but for parts of a luma', async () => {
    const { modules } = await import('../../src/core/workerd.ts')
    const luma = sceneOf(300, 400)
    const { plane } = planeOf(300, 400, luma)
    const kept = plane.keep()
    const restored = Plane.restore(modules.image, kept, (same) => same.identity())
    expect(restored).toEqual(plane.identity())
    const halves = planeOf(
      300,
      400,
      luma.map((value) => Math.max(0, value - 0.5)),
    )
    expect(halves.plane.keep().luma).toEqual(Uint8Array.from(luma))
  })
})

describe('cells', () => {
  it.each(SHAPES)(
    'of %i x %i have the least and greatest luma that a slow twin finds',
    (rows, cols) => {
      const luma = sceneOf(rows, cols)
      const { least, greatest } = planeOf(rows, cols, luma).plane.cells(64)!
      const range = (cell: number, count: number) => {
        const first = Math.floor((cell * count) / 128)
        return { first, end: Math.max(first + 1, Math.floor(((cell + 1) * count) / 128)) }
      }
      for (let at = 0; at < 128 * 128; at += 61) {
        const [y, x] = [range(Math.floor(at / 128), rows), range(at % 128, cols)]
        const lumas: number[] = []
        for (let row = y.first; row < y.end; row++) {
          lumas.push(...luma.subarray(row * cols + x.first, row * cols + x.end))
        }
        const [low, high] = [Math.min(...lumas), Math.max(...lumas)].map(Math.floor)
        expect([least[at], greatest[at]]).toEqual([low, high])
      }
    },
  )
})

describe('patches', () => {
  const SIDE = 128
  const random = randomFrom(21)
  // Blocks of one luma, some of them nearly the same, with noise in every third: as large as cells of 512 x 512, four times.
  const lumas = Array.from({ length: 64 }, () => Math.floor(random() * 12) * 7)
  const luma = new Float32Array(512 * 512).map((_, i) => {
    const block = Math.floor(i / 512 / 64) * 8 + Math.floor((i % 512) / 64)
    return lumas[block]! + random() * (block % 3 === 0 ? 20 : 5)
  })
  const { least, greatest, patches } = planeOf(512, 512, luma).plane.cells(64)!

  const isFlat = (cell: number) => greatest[cell]! - least[cell]! <= 12
  const middle = (cell: number) => (least[cell]! + greatest[cell]!) / 2
  const stepOf = (a: number, b: number) => Math.abs(middle(a) - middle(b))
  const move = (cell: number, [down, across]: readonly [number, number]) => {
    const [row, column] = [Math.floor(cell / SIDE) + down, (cell % SIDE) + across]
    const isInside = row >= 0 && row < SIDE && column >= 0 && column < SIDE
    return isInside ? row * SIDE + column : undefined
  }
  const STEPS = [
    [0, 1],
    [0, -1],
    [1, 0],
    [-1, 0],
  ] as const
  const isOfOne = (a: number, b: number) => isFlat(b) && stepOf(a, b) <= 4

  /** A slow twin: what is reached from a cell, again and again. */
  function patchOf(start: number) {
    const cells = new Set([start])
    for (const cell of cells) {
      for (const step of STEPS) {
        const beside = move(cell, step)
        if (beside !== undefined && isOfOne(cell, beside)) cells.add(beside)
      }
    }
    const rim = [...cells].flatMap((cell) =>
      STEPS.flatMap((step) => {
        const beside = move(cell, step)
        if (beside === undefined || isOfOne(cell, beside)) return []
        return [stepOf(cell, move(beside, step) ?? beside) >= 16]
      }),
    )
    return { cells, rim: rim.length, sharp: rim.filter(Boolean).length }
  }

  it('are all that a slow twin finds, with the same rims', () => {
    expect(patches.length).toBeGreaterThan(10)
    for (const { cells, rim, sharp } of patches) {
      const expected = patchOf(cells[0]!)
      expect(new Set(cells)).toEqual(expected.cells)
      expect({ rim, sharp }).toEqual({ rim: expected.rim, sharp: expected.sharp })
    }
    const found = new Set(patches.flatMap(({ cells }) => [...cells]))
    for (let cell = 0; cell < SIDE * SIDE; cell += 37) {
      const isPatch = isFlat(cell) && patchOf(cell).cells.size >= 64
      expect(found.has(cell)).toBe(isPatch)
    }
  })
})
