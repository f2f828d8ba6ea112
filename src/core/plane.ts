import { HASH_BYTES, type Hash256 } from '../util/hash.ts'
import type { ImageCore } from './image-core.ts'
import type { ProbeExports } from './image-exports.ts'

/** Points along a side of a view. */
export const POINTS = 64

/** Cells along a side of a plane. */
export const CELLS = 128

/** Largest side of a plane, in pixels. */
export const MAX_SIDE = 512
const FLOAT_BYTES = 4
/** Fields of runs in the core, each for all lines: score, from, to. */
const RUN_FIELDS = 3
/** Fields of a patch in the core, and the most patches that it reports. */
const PATCH_FIELDS = 4
const MAX_PATCHES = 256
/** Sums by row and by column. */
const LINES_BYTES = (MAX_SIDE * 2 + 4) * FLOAT_BYTES

/** A plane of luma, hashed as the pictures that it may have been made from. Valid as long as its frame. */
export class Plane {
  readonly rows: number
  readonly cols: number
  readonly #room: ProbeRoom
  readonly #address: number
  #isFiltered = false
  #runs = 0
  #cells = 0

  constructor(room: ProbeRoom, address: number, rows: number, cols: number) {
    this.#room = room
    this.#address = address
    this.rows = rows
    this.cols = cols
  }

  /** Hash of the plane as it is, with the bits of PDQ. */
  identity(): QualifiedHash {
    const { core } = this.#room
    core.sampleIdentity(this.#filtered(), this.rows, this.cols)
    return this.#hashSampled(false)
  }

  /** Hash of a view. Points outside the plane are guessed from its edge. */
  hash(points: Points): QualifiedHash {
    const { core } = this.#room
    const { rows, cols } = this
    const filtered = this.#filtered()
    if ('column' in points) {
      const { x, y, column, row } = points
      core.sampleTurned(filtered, rows, cols, x, y, column.x, column.y, row.x, row.y)
    } else {
      const { x, stepX, y, stepY, covered } = points
      core.sampleUpright(filtered, rows, cols, x, stepX, y, stepY)
      if (covered) this.#fill(covered)
    }
    return this.#hashSampled(!('column' in points) && points.transposes)
  }

  #fill(covered: Covered): void {
    const { core, covered: address } = this.#room
    new Uint8Array(core.memory.buffer, address, POINTS * POINTS).set(covered)
    core.fillCovered(address)
  }

  #filtered(): number {
    const { core, filtered } = this.#room
    if (!this.#isFiltered) core.filterPlane(this.#address, this.rows, this.cols, filtered)
    this.#isFiltered = true
    return filtered
  }

  /** Amplitudes of the last hash: 16 x 16, row by row. */
  amplitudes(): Float32Array {
    const { core } = this.#room
    return new Float32Array(core.memory.buffer, core.sampledAmplitudes(), HASH_BYTES * 8).slice()
  }

  #hashSampled(transposes: boolean): QualifiedHash {
    const { core, hash: out } = this.#room
    const quality = core.hashSampled(transposes ? 1 : 0, out)
    const hash = new Uint8Array(core.memory.buffer, out, HASH_BYTES).slice()
    const stretchedQuality = core.stretchedQuality()
    return { hash, quality, stretchedQuality, weakBits: core.weakBits() }
  }

  /** Median luma of a line, a whole number. */
  medianOf(line: Line): number {
    const { first, stride, count } = this.#locate(line)
    return this.#room.core.medianOfLine(first, stride, count)
  }

  /** Share of a line's pixels whose luma is within `tolerance` of another. */
  shareNear(line: Line, luma: number, tolerance: number): number {
    const { first, stride, count } = this.#locate(line)
    return this.#room.core.countNear(first, stride, count, luma, tolerance) / count
  }

  /** Average difference of each row, and each column, from the one two before. Edges stand out. */
  steps(): { byRow: Float32Array; byColumn: Float32Array } {
    const { core, byRow, byColumn } = this.#room
    core.sumSteps(this.#address, this.rows, this.cols, byRow, byColumn)
    const mean = (address: number, count: number, across: number) =>
      new Float32Array(core.memory.buffer, address, count).map((sum) => (sum * 2) / across)
    return {
      byRow: mean(byRow, this.rows, this.cols),
      byColumn: mean(byColumn, this.cols, this.rows),
    }
  }

  /** The best run of each row, or column, that may be a side of pictures. `undefined`: there is no memory for it. */
  runs(): Record<Side, Run[]> | undefined {
    const { core } = this.#room
    const bytes = MAX_SIDE * RUN_FIELDS * FLOAT_BYTES
    this.#runs ||= core.allocate(bytes * 2)
    const forwards = this.#runs
    if (forwards === 0) return undefined
    const find = (before: Side) => {
      const { lines, count, across, along } = this.#linesFor(before)
      new Uint8Array(core.memory.buffer, forwards, bytes * 2).fill(0)
      core.findRuns(this.#address, lines, across, count, along, forwards, forwards + bytes)
      return [forwards, forwards + bytes].map((address) => this.#readRuns(address, lines))
    }
    const [left = [], right = []] = find('left')
    const [top = [], bottom = []] = find('top')
    return { left, right, top, bottom }
  }

  #readRuns(address: number, lines: number): Run[] {
    const { buffer } = this.#room.core.memory
    const field = (number: number) =>
      new Int32Array(buffer, address + number * MAX_SIDE * FLOAT_BYTES, lines)
    const [scores, from, to] = [field(0), field(1), field(2)]
    return Array.from(scores, (score, at) => ({
      at,
      from: from[at] ?? 0,
      to: to[at] ?? 0,
      score,
    })).filter(({ score }) => score > 0)
  }

  /** For a line that `runs` reported: how many pixels before each, and in total, are on the border of a side. */
  onBorder(side: Side, at: number): Uint16Array {
    const { core } = this.#room
    const { count, across, along, inwards } = this.#linesFor(side)
    const first = this.#address + at * across
    core.countOnBorder(first, count, along, inwards, this.#runs)
    return new Uint16Array(core.memory.buffer, this.#runs, count + 1).slice()
  }

  /** For a line that `runs` reported: the share of its pixels that belongs to the inside, judged by part of them. */
  shareInside(side: Side, at: number, from: number, to: number): number {
    const { across, along, inwards } = this.#linesFor(side)
    const first = this.#address + at * across + from * along
    return this.#room.core.shareInside(first, Math.max(0, to - from), along, inwards)
  }

  /** Lines along a side: how many, pixels in each; bytes to the next line, to the next pixel, and to the next line inwards. */
  #linesFor(side: Side) {
    const { rows, cols } = this
    const isColumn = side === 'left' || side === 'right'
    const rowBytes = cols * FLOAT_BYTES
    const across = isColumn ? FLOAT_BYTES : rowBytes
    const inwards = side === 'left' || side === 'top' ? across : -across
    return isColumn
      ? { lines: cols, count: rows, across, along: rowBytes, inwards }
      : { lines: rows, count: cols, across, along: FLOAT_BYTES, inwards }
  }

  /** What its cells look like, with patches of at least `fewest` cells. `undefined`: there is no memory for that. */
  cells(fewest: number): Cells | undefined {
    const { core } = this.#room
    const count = CELLS * CELLS
    this.#cells ||= core.allocate(count * 7 + MAX_PATCHES * PATCH_FIELDS * 4)
    const least = this.#cells
    if (least === 0) return undefined
    const [greatest, members, scratch] = [least + count, least + count * 2, least + count * 4]
    const patches = scratch + count * 3
    core.measureCells(this.#address, this.rows, this.cols, least, greatest, scratch)
    const found = core.findPatches(least, greatest, fewest, members, patches, scratch)
    const bytes = (address: number) => new Uint8Array(core.memory.buffer, address, count).slice()
    return {
      least: bytes(least),
      greatest: bytes(greatest),
      patches: this.#readPatches(patches, found, members),
    }
  }

  #readPatches(address: number, found: number, members: number): Patch[] {
    const { buffer } = this.#room.core.memory
    const fields = new Uint32Array(buffer, address, found * PATCH_FIELDS)
    return Array.from({ length: found }, (_, i) => {
      const [first = 0, count = 0, rim = 0, sharp = 0] = fields.subarray(i * PATCH_FIELDS)
      return { cells: new Uint16Array(buffer, members + first * 2, count).slice(), rim, sharp }
    })
  }

  /** A copy that outlives the frame, rounded to whole luma. */
  keep(): KeptPlane {
    const { rows, cols } = this
    const values = new Float32Array(this.#room.core.memory.buffer, this.#address, rows * cols)
    const luma = new Uint8Array(values.length)
    for (let i = 0; i < values.length; i++) luma[i] = (values[i] ?? 0) + 0.5
    return { rows, cols, luma }
  }

  /** Calls `use` with a kept plane, restored in an instance of its own. `undefined`: there is no memory for it. */
  static restore<T>(
    core: ImageCore,
    { rows, cols, luma }: KeptPlane,
    use: (plane: Plane) => T,
  ): T | undefined {
    const instance = core.begin()
    try {
      const { exports } = instance
      const address = exports.allocate(luma.length * FLOAT_BYTES)
      const room = ProbeRoom.in(instance, luma.length)
      if (address === 0 || !room) return undefined
      new Float32Array(exports.memory.buffer, address, luma.length).set(luma)
      return use(new Plane(room, address, rows, cols))
    } finally {
      instance.release()
    }
  }

  #locate({ part, along, at }: Line): { first: number; stride: number; count: number } {
    const rowBytes = this.cols * FLOAT_BYTES
    const [x, y] = along === 'row' ? [part.x0, at] : [at, part.y0]
    return {
      first: this.#address + y * rowBytes + x * FLOAT_BYTES,
      stride: along === 'row' ? FLOAT_BYTES : rowBytes,
      count: along === 'row' ? part.x1 - part.x0 : part.y1 - part.y0,
    }
  }
}

/** A hash, and how much it says about the picture. */
export interface QualifiedHash {
  hash: Hash256
  /** 0 (blank) to 100: how much the picture changes from point to point. */
  quality: number
  /** Quality if the picture had the full range of luma. Matching uses this one, since bits do not depend on contrast. */
  stretchedQuality: number
  /** Bits, 0 to 256, that are little better than chance. Patterns have many, whatever their quality. */
  weakBits: number
}

/** Positions of a view's 64 x 64 points, in pixels of the plane. 0 is the centre of its first column or row. */
export type Points = UprightPoints | TurnedPoints

/** Points along the columns and rows of the plane. Steps may be negative. */
export interface UprightPoints {
  x: number
  stepX: number
  y: number
  stepY: number
  /** Whether rows of the view are columns of the plane. */
  transposes: boolean
  covered?: Covered
}

/** Which of 64 x 64 points are covered, row by row; 0: not covered. Covered points continue what surrounds them. */
export type Covered = Uint8Array

/** What CELLS x CELLS cells of a plane look like, row by row. */
export interface Cells {
  /** Least and greatest luma of each, whole numbers. */
  least: Uint8Array
  greatest: Uint8Array
  patches: Patch[]
}

/** Cells that touch, are flat, and are nearly of one luma. */
export interface Patch {
  cells: Uint16Array
  /** Cell sides that border no other cell of the patch, and those of them where luma changes by a step. */
  rim: number
  sharp: number
}

export interface TurnedPoints {
  x: number
  y: number
  /** Step to the point of the next column. */
  column: { x: number; y: number }
  /** Step to the point of the next row. */
  row: { x: number; y: number }
}

/** Part of a plane, in pixels: from (x0, y0) to before (x1, y1). */
export interface Part {
  x0: number
  y0: number
  x1: number
  y1: number
}

/** A row or a column of a part of a plane. */
export interface Line {
  part: Part
  along: 'row' | 'column'
  at: number
}

/** A side of a picture that is shown on something. */
export type Side = 'left' | 'right' | 'top' | 'bottom'

/** The best run of pixels along a line that lie on a border of the picture inside. */
export interface Run {
  /** Row or column of these pixels, where the inside begins or ends. */
  at: number
  /** First pixel, and the one after the last. */
  from: number
  to: number
  /** Twice the number of pixels on the border, minus those that are not. */
  score: number
}

/** An instance: `exports` throws once it has been released. */
interface Instance {
  readonly exports: ProbeExports
}

/** Working memory in an instance for probing its planes. */
export class ProbeRoom {
  readonly #instance: Instance
  readonly filtered: number
  /** Sums by row, then by column, then a hash, then which points are covered. */
  readonly byRow: number
  readonly byColumn: number
  readonly hash: number
  readonly covered: number

  private constructor(instance: Instance, filtered: number, lines: number) {
    this.#instance = instance
    this.filtered = filtered
    this.byRow = lines
    this.byColumn = this.byRow + MAX_SIDE * FLOAT_BYTES
    this.hash = this.byColumn + (MAX_SIDE + 4) * FLOAT_BYTES
    this.covered = this.hash + HASH_BYTES
  }

  /**
   * `undefined`: it would not fit into the instance's memory. `free` is the address of another plane of as many pixels that is
   * no longer needed, if any.
   */
  static in(instance: Instance, pixels: number, free = 0): ProbeRoom | undefined {
    const core = instance.exports
    const filtered = free || core.allocate(pixels * FLOAT_BYTES)
    const lines = core.allocate(LINES_BYTES + HASH_BYTES + POINTS * POINTS)
    return filtered === 0 || lines === 0 ? undefined : new ProbeRoom(instance, filtered, lines)
  }

  get core(): ProbeExports {
    return this.#instance.exports
  }
}

/** A plane that is kept for later, a byte of luma a pixel. */
export interface KeptPlane {
  rows: number
  cols: number
  luma: Uint8Array
}
