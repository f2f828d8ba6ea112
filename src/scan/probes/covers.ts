import { CELLS, type Cells, type Covered, type Plane, POINTS } from '../../core/plane.ts'

/** Luma by which the pixels of a flat cell differ at most, and the middles of cells beside each other that are of one patch. */
const FLAT = 12
const LINK = 4
/** Luma by which what is beside a patch differs from it at least, and share of its rim where it must: patches of a sky fade. */
const MIN_STEP = 16
const MIN_RIM = 0.5
/** Shares of the picture that a patch takes. */
const MIN_PATCH = 0.004
const MAX_PATCH = 0.3
/** Share of the picture from which on it no longer matters how large a patch is. */
const LARGE_PATCH = 0.05
/** Patches that are tried one by one, and among which pairs are. */
const MAX_PATCHES = 6
const MAX_PAIRED = 4
/** Luma of text with an outline: both are near each of its cells. */
const WHITE = 225
const BLACK = 60
/** Share of the picture that may be guessed. */
const MAX_COVERED = 0.4

/** Something flat with a sharp rim: a bar over eyes, a sticker, an emoji. */
interface Patch {
  /** Cells that are flat and of one luma. */
  cells: number[]
  /** How well it stands out. */
  weight: number
}

/** What may have been laid over a picture: points that are covered, by each way to see it. */
export function coversOf(plane: Plane): Covered[] {
  const cells = plane.cells()
  if (!cells) return []
  const masks = patchesIn(cells).map(({ cells: flat }) => hullOf(flat))
  const pairs = masks
    .slice(0, MAX_PAIRED)
    .flatMap((mask, i) => masks.slice(i + 1, MAX_PAIRED).map((other) => union(mask, other)))
  return [...masks, ...pairs, textIn(cells)].map(pointsIn).filter(isSensible)
}

/** The patches that stand out best. */
function patchesIn(cells: Cells): Patch[] {
  const patchOf = new Uint16Array(CELLS * CELLS)
  const patches: Patch[] = []
  for (let start = 0; start < patchOf.length; start++) {
    if (patchOf[start] || !isFlat(cells, start)) continue
    const patch = growPatch(cells, start, patchOf)
    if (patch) patches.push(patch)
  }
  return patches.toSorted((a, b) => b.weight - a.weight).slice(0, MAX_PATCHES)
}

/** The patch of a cell. `undefined` if it is too small, too large or not sharp. */
function growPatch(cells: Cells, start: number, seen: Uint16Array): Patch | undefined {
  const found = [start]
  seen[start] = 1
  let [rim, sharp] = [0, 0]
  for (let i = 0; i < found.length; i++) {
    const cell = found[i] ?? 0
    for (const step of STEPS) {
      const beside = neighbour(cell, step)
      if (beside === undefined) continue
      if (isFlat(cells, beside) && stepOf(cells, cell, beside) <= LINK) {
        if (!seen[beside]) found.push(beside)
        seen[beside] = 1
        continue
      }
      rim++
      // The next one may be half covered: that behind it counts.
      if (stepOf(cells, cell, neighbour(beside, step) ?? beside) >= MIN_STEP) sharp++
    }
  }
  const share = found.length / seen.length
  if (share < MIN_PATCH || share > MAX_PATCH || sharp < MIN_RIM * rim) return undefined
  return { cells: found, weight: (sharp / rim) * Math.min(share, LARGE_PATCH) }
}

const STEPS = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const

function neighbour(cell: number, [across, down]: readonly [number, number]): number | undefined {
  const column = (cell % CELLS) + across
  const row = Math.floor(cell / CELLS) + down
  const isInside = column >= 0 && column < CELLS && row >= 0 && row < CELLS
  return isInside ? row * CELLS + column : undefined
}

function isFlat({ least, greatest }: Cells, cell: number): boolean {
  return (greatest[cell] ?? 0) - (least[cell] ?? 0) <= FLAT
}

function stepOf({ least, greatest }: Cells, a: number, b: number): number {
  const twice = (cell: number) => (least[cell] ?? 0) + (greatest[cell] ?? 0)
  return Math.abs(twice(a) - twice(b)) / 2
}

/** Cells of a patch, and those between two of them in a row or column: the eyes of an emoji, the words on a sticker. */
function hullOf(cells: readonly number[]): Uint8Array {
  const hull = new Uint8Array(CELLS * CELLS)
  fillBetween(hull, cells, (cell) => cell % CELLS, 1)
  fillBetween(hull, cells, (cell) => Math.floor(cell / CELLS), CELLS)
  // A rim is seldom at the end of a cell.
  return nearby(hull, Math.max)
}

/** Marks the cells between the first and the last of each line; `along` says where in its line a cell lies. */
function fillBetween(
  hull: Uint8Array,
  cells: readonly number[],
  along: (cell: number) => number,
  step: number,
): void {
  const ends = new Map<number, [first: number, last: number]>()
  for (const cell of cells) {
    const line = cell - along(cell) * step
    const [first, last] = ends.get(line) ?? [cell, cell]
    ends.set(line, [Math.min(first, cell), Math.max(last, cell)])
  }
  for (const [first, last] of ends.values()) {
    for (let cell = first; cell <= last; cell += step) hull[cell] = 1
  }
}

function union(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((value, i) => value | (b[i] ?? 0))
}

/** Cells with white and with black in them, or beside them: text with an outline. */
function textIn({ least, greatest }: Cells): Uint8Array {
  const [darkest, brightest] = [nearby(least, Math.min), nearby(greatest, Math.max)]
  return brightest.map((luma, cell) => Number(luma >= WHITE && (darkest[cell] ?? 255) <= BLACK))
}

/** The least, or greatest, of each cell and the eight around it. */
function nearby(values: Uint8Array, pick: (a: number, b: number) => number): Uint8Array {
  const along = (line: Uint8Array, step: number, at: (cell: number) => number) =>
    line.map((value, cell) => {
      const before = at(cell) > 0 ? (line[cell - step] ?? value) : value
      const behind = at(cell) < CELLS - 1 ? (line[cell + step] ?? value) : value
      return pick(value, pick(before, behind))
    })
  const rows = along(values, 1, (cell) => cell % CELLS)
  return along(rows, CELLS, (cell) => Math.floor(cell / CELLS))
}

/** Points that have a covered cell. */
function pointsIn(cells: Uint8Array): Covered {
  const points = new Uint8Array(POINTS * POINTS)
  const each = CELLS / POINTS
  cells.forEach((isCovered, cell) => {
    const row = Math.floor(cell / CELLS / each)
    if (isCovered) points[row * POINTS + Math.floor((cell % CELLS) / each)] = 1
  })
  return points
}

function isSensible(covered: Covered): boolean {
  const share = covered.reduce((sum, one) => sum + one, 0) / covered.length
  return share > 0 && share <= MAX_COVERED
}
