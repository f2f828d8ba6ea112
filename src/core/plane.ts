import { HASH_BYTES, type Hash256 } from '../util/hash.ts'
import type { ImageCore } from './image-core.ts'
import type { ProbeExports } from './image-exports.ts'

/** A hash, and how much it tells. */
export interface QualifiedHash {
  hash: Hash256
  /** 0 (blank) to 100: how much the picture changes from point to point. */
  quality: number
  /** The same, had the picture the full range of luma: what matching goes by, since bits do not depend on contrast. */
  stretchedQuality: number
  /** Bits, 0 to 256, that are as good as chance: a pattern has many, whatever its quality. */
  weakBits: number
}

/** Where the 64 x 64 points of a view lie, in pixels of the plane: 0 is the centre of its first column, or row. */
export type Points = UprightPoints | TurnedPoints

/** Points along the columns and rows of the plane. Steps may be negative. */
export interface UprightPoints {
  x: number
  stepX: number
  y: number
  stepY: number
  /** Whether rows of the view are columns of the plane. */
  transposes: boolean
  filledCorners?: readonly FilledCorner[]
}

/** A corner whose points go on with what is around it. */
export interface FilledCorner {
  /** Bit 0 for the right, bit 1 for the bottom. */
  corner: number
  /** Points that it has, of 64. */
  across: number
  down: number
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

/** The best run of pixels along a line that are on a border of what is inside. */
export interface Run {
  /** Row, or column, of these pixels: what is inside begins with it, or ends. */
  at: number
  /** First pixel, and the one behind the last. */
  from: number
  to: number
  /** Twice the number of pixels on the border, less those that are not. */
  score: number
}

/** Largest side of a plane, in pixels. */
export const MAX_SIDE = 512
const FLOAT_BYTES = 4
/** Fields of a run in the core: score, from, to, and two of its own. */
const RUN_FIELDS = 5

/** An instance: `exports` throws once it has been released. */
interface Instance {
  readonly exports: ProbeExports
}

/** Room in an instance's memory for what planes of it are probed by. */
export class ProbeRoom {
  readonly #instance: Instance
  /** A filtered plane. */
  readonly filtered: number
  /** Sums by row, then by column, then a hash. */
  readonly byRow: number
  readonly byColumn: number
  readonly hash: number

  private constructor(instance: Instance, filtered: number, lines: number) {
    this.#instance = instance
    this.filtered = filtered
    this.byRow = lines
    this.byColumn = this.byRow + MAX_SIDE * FLOAT_BYTES
    this.hash = this.byColumn + (MAX_SIDE + 4) * FLOAT_BYTES
  }

  /**
   * `undefined`: it would be over the instance's memory. `free` is the address of another plane of so many pixels, if there is
   * one that is not needed any more.
   */
  static in(instance: Instance, pixels: number, free = 0): ProbeRoom | undefined {
    const core = instance.exports
    const filtered = free || core.allocate(pixels * FLOAT_BYTES)
    const lines = core.allocate((MAX_SIDE * 2 + 4) * FLOAT_BYTES + HASH_BYTES)
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

/** A plane of luma, to be hashed as other pictures that it may have been made of. Valid as long as its frame. */
export class Plane {
  readonly rows: number
  readonly cols: number
  readonly #room: ProbeRoom
  readonly #address: number
  #isFiltered = false
  #runs = 0

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

  /** Hash of a view. Points outside of the plane are guessed from its edge. */
  hash(points: Points): QualifiedHash {
    const { core } = this.#room
    const { rows, cols } = this
    const filtered = this.#filtered()
    if ('column' in points) {
      const { x, y, column, row } = points
      core.sampleTurned(filtered, rows, cols, x, y, column.x, column.y, row.x, row.y)
    } else {
      const { x, stepX, y, stepY, filledCorners = [] } = points
      core.sampleUpright(filtered, rows, cols, x, stepX, y, stepY)
      for (const { corner, across, down } of filledCorners) core.fillCorner(corner, across, down)
    }
    return this.#hashSampled(!('column' in points) && points.transposes)
  }

  #filtered(): number {
    const { core, filtered } = this.#room
    if (!this.#isFiltered) core.filterPlane(this.#address, this.rows, this.cols, filtered)
    this.#isFiltered = true
    return filtered
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

  /** By how much the pixels of each row, and of each column, differ from those two before, on average: an edge stands out. */
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
    const fields = new Int32Array(this.#room.core.memory.buffer, address, lines * RUN_FIELDS)
    return Array.from({ length: lines }, (_, at) => {
      const [score = 0, from = 0, to = 0] = fields.subarray(at * RUN_FIELDS)
      return { at, from, to, score }
    }).filter(({ score }) => score > 0)
  }

  /** Of a line that `runs` told: how many pixels before each, and in all, are on the border of a side. */
  onBorder(side: Side, at: number): Uint16Array {
    const { core } = this.#room
    const { count, across, along, inwards } = this.#linesFor(side)
    const first = this.#address + at * across
    core.countOnBorder(first, count, along, inwards, this.#runs)
    return new Uint16Array(core.memory.buffer, this.#runs, count + 1).slice()
  }

  /** Of a line that `runs` told: how much of its pixels is what is inside, by a part of them. */
  shareInside(side: Side, at: number, from: number, to: number): number {
    const { across, along, inwards } = this.#linesFor(side)
    const first = this.#address + at * across + from * along
    return this.#room.core.shareInside(first, Math.max(0, to - from), along, inwards)
  }

  /** Lines along a side: their number, and their pixels'; bytes from one to the next, and to the one farther inside. */
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

  /** A copy that outlives the frame, rounded to whole luma. */
  keep(): KeptPlane {
    const { rows, cols } = this
    const values = new Float32Array(this.#room.core.memory.buffer, this.#address, rows * cols)
    const luma = new Uint8Array(values.length)
    for (let i = 0; i < values.length; i++) luma[i] = (values[i] ?? 0) + 0.5
    return { rows, cols, luma }
  }

  /** Gives `use` a plane that was kept, in an instance of its own. `undefined`: there is no memory for it. */
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
