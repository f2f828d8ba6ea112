import {
  CELLS,
  type Cells,
  type Covered,
  type Patch,
  type Plane,
  POINTS,
} from '../../core/plane.ts'

/** Share of a patch's rim where luma changes sharply: patches of a sky fade instead. */
const MIN_RIM = 0.5
/** Smallest and largest share of the picture that a patch takes. */
const MIN_PATCH = 0.004
const MAX_PATCH = 0.3
/** Above this share of the picture, a patch's size no longer matters. */
const LARGE_PATCH = 0.05
/** Patches tried one by one, and in pairs. */
const MAX_PATCHES = 6
const MAX_PAIRED = 4
/** Luma of outlined text: each of its cells has both in it or next to it. */
const WHITE = 225
const BLACK = 60
/** Largest share of the picture that may be guessed. */
const MAX_COVERED = 0.4
/** Cells per point, a side. */
const CELLS_EACH = CELLS / POINTS

/** Possible overlays on a picture: the points that each would cover. */
export function coversOf(plane: Plane): Covered[] {
  const cells = plane.cells(Math.ceil(MIN_PATCH * CELLS * CELLS))
  if (!cells) return []
  const masks = clearest(cells.patches).map(hullOf)
  const pairs = masks
    .slice(0, MAX_PAIRED)
    .flatMap((mask, i) => masks.slice(i + 1, MAX_PAIRED).map((other) => union(mask, other)))
  return [...masks, ...pairs, textIn(cells)].filter(isSensible)
}

/** The patches with a sharp rim that stand out best: a bar over eyes, a sticker, an emoji. */
function clearest(patches: readonly Patch[]): Patch[] {
  return patches
    .filter(({ cells }) => shareOf(cells) <= MAX_PATCH)
    .filter(({ rim, sharp }) => sharp >= MIN_RIM * rim)
    .toSorted((a, b) => weightOf(b) - weightOf(a))
    .slice(0, MAX_PATCHES)
}

function shareOf(cells: Uint16Array): number {
  return cells.length / (CELLS * CELLS)
}

/** How well a patch stands out. */
function weightOf({ cells, rim, sharp }: Patch): number {
  return (sharp / rim) * Math.min(shareOf(cells), LARGE_PATCH)
}

/**
 * Points of a patch, and those between two of its cells in a row or column: the eyes of an emoji,
 * the words on a sticker. Cells next to these count as well: a rim seldom falls on the end of a
 * cell.
 */
function hullOf({ cells }: Patch): Covered {
  const covered = new Uint8Array(POINTS * POINTS)
  const [rows, columns] = [new Ends(), new Ends()]
  for (const cell of cells) {
    const column = cell % CELLS
    const row = (cell - column) / CELLS
    rows.add(row, column)
    columns.add(column, row)
  }
  rows.cover(covered, POINTS, 1)
  columns.cover(covered, 1, POINTS)
  return covered
}

/** The first and last cell of each line that has any. */
class Ends {
  readonly #first = new Int16Array(CELLS).fill(CELLS)
  readonly #last = new Int16Array(CELLS).fill(-1)

  add(line: number, cell: number): void {
    if (cell < (this.#first[line] ?? 0)) this.#first[line] = cell
    if (cell > (this.#last[line] ?? 0)) this.#last[line] = cell
  }

  /** Marks the points from the first to the last, and those next to them. */
  cover(
    covered: Covered,
    across: number, // from a line of points to the next
    along: number, // from a point of a line to the next
  ): void {
    for (let line = 0; line < CELLS; line++) {
      const [first = CELLS, last = -1] = [this.#first[line], this.#last[line]]
      if (last < 0) continue
      for (let point = pointBefore(line); point <= pointBehind(line); point++) {
        for (let at = pointBefore(first); at <= pointBehind(last); at++) {
          covered[point * across + at * along] = 1
        }
      }
    }
  }
}

/** The point of the cell before or above a cell. */
function pointBefore(cell: number): number {
  return Math.floor(Math.max(0, cell - 1) / CELLS_EACH)
}

/** The point of the cell after or below a cell. */
function pointBehind(cell: number): number {
  return Math.floor(Math.min(CELLS - 1, cell + 1) / CELLS_EACH)
}

function union(a: Covered, b: Covered): Covered {
  const both = a.slice()
  for (let point = b.indexOf(1); point >= 0; point = b.indexOf(1, point + 1)) both[point] = 1
  return both
}

/** Flags of a cell for outlined text. */
const [HAS_WHITE, HAS_BLACK] = [1, 2]

/** Points with a cell that has both white and black in it or next to it. */
function textIn({ least, greatest }: Cells): Covered {
  const covered = new Uint8Array(POINTS * POINTS)
  const has = new Uint8Array(CELLS * CELLS)
  for (let cell = 0; cell < has.length; cell++) {
    has[cell] =
      ((greatest[cell] ?? 0) >= WHITE ? HAS_WHITE : 0) |
      ((least[cell] ?? 0) <= BLACK ? HAS_BLACK : 0)
  }
  const near = withNeighbours(withNeighbours(has, 1, CELLS), CELLS, 1)
  const both = HAS_WHITE | HAS_BLACK
  for (let cell = near.indexOf(both); cell >= 0; cell = near.indexOf(both, cell + 1)) {
    const row = Math.floor(cell / CELLS / CELLS_EACH)
    covered[row * POINTS + Math.floor((cell % CELLS) / CELLS_EACH)] = 1
  }
  return covered
}

/** The flags of each cell, combined with those before and after it in its line. */
function withNeighbours(
  has: Uint8Array,
  step: number, // from a cell to the next of its line
  stride: number, // from a line to the next
): Uint8Array {
  const near = new Uint8Array(has.length)
  for (let line = 0; line < CELLS; line++) {
    let cell = line * stride
    let before = 0
    let value = has[cell] ?? 0
    for (let i = 0; i < CELLS; i++, cell += step) {
      const behind = i < CELLS - 1 ? (has[cell + step] ?? 0) : 0
      near[cell] = before | value | behind
      before = value
      value = behind
    }
  }
  return near
}

function isSensible(covered: Covered): boolean {
  let count = 0
  for (const point of covered) count += point
  return count > 0 && count <= MAX_COVERED * covered.length
}
