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
    for (let step = 0; step < ACROSS.length; step++) {
      const beside = neighbour(cell, step)
      if (beside < 0) continue
      if (isFlat(cells, beside) && stepOf(cells, cell, beside) <= LINK) {
        if (!seen[beside]) found.push(beside)
        seen[beside] = 1
        continue
      }
      rim++
      // The next one may be half covered: that behind it counts.
      const behind = neighbour(beside, step)
      if (stepOf(cells, cell, behind < 0 ? beside : behind) >= MIN_STEP) sharp++
    }
  }
  const share = found.length / seen.length
  if (share < MIN_PATCH || share > MAX_PATCH || sharp < MIN_RIM * rim) return undefined
  return { cells: found, weight: (sharp / rim) * Math.min(share, LARGE_PATCH) }
}

/** Columns and rows from a cell to those beside it. */
const ACROSS = [1, -1, 0, 0]
const DOWN = [0, 0, 1, -1]

/** The cell beside one, by the number of the step; -1 if there is none. */
function neighbour(cell: number, step: number): number {
  const across = (cell % CELLS) + (ACROSS[step] ?? 0)
  const beside = cell + (ACROSS[step] ?? 0) + (DOWN[step] ?? 0) * CELLS
  return across < 0 || across >= CELLS || beside >= CELLS * CELLS ? -1 : Math.max(beside, -1)
}

function isFlat({ least, greatest }: Cells, cell: number): boolean {
  return (greatest[cell] ?? 0) - (least[cell] ?? 0) <= FLAT
}

function stepOf({ least, greatest }: Cells, a: number, b: number): number {
  const twice = (least[a] ?? 0) + (greatest[a] ?? 0) - (least[b] ?? 0) - (greatest[b] ?? 0)
  return Math.abs(twice) / 2
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
  const both = a.slice()
  for (let cell = b.indexOf(1); cell >= 0; cell = b.indexOf(1, cell + 1)) both[cell] = 1
  return both
}

/** Cells with white and with black in them, or beside them: text with an outline. */
function textIn({ least, greatest }: Cells): Uint8Array {
  const [darkest, brightest] = [nearby(least, Math.min), nearby(greatest, Math.max)]
  return brightest.map((luma, cell) => Number(luma >= WHITE && (darkest[cell] ?? 255) <= BLACK))
}

/** The least, or greatest, of each cell and the eight around it. In loops: a page has many cells. */
function nearby(values: Uint8Array, pick: (a: number, b: number) => number): Uint8Array {
  return pickedAlong(pickedAlong(values, 1, CELLS, pick), CELLS, 1, pick)
}

/** The least, or greatest, of each cell and those before and behind it in its line. */
function pickedAlong(
  values: Uint8Array,
  step: number, // from a cell to the next of its line
  stride: number, // from a line to the next
  pick: (a: number, b: number) => number,
): Uint8Array {
  const picked = new Uint8Array(values.length)
  for (let line = 0; line < CELLS; line++) {
    let cell = line * stride
    let before = values[cell] ?? 0
    let value = before
    for (let i = 0; i < CELLS; i++, cell += step) {
      const behind = i < CELLS - 1 ? (values[cell + step] ?? 0) : value
      picked[cell] = pick(value, pick(before, behind))
      before = value
      value = behind
    }
  }
  return picked
}

/** Points that have a covered cell. */
function pointsIn(cells: Uint8Array): Covered {
  const points = new Uint8Array(POINTS * POINTS)
  const each = CELLS / POINTS
  for (let cell = cells.indexOf(1); cell >= 0; cell = cells.indexOf(1, cell + 1)) {
    const row = Math.floor(cell / CELLS / each)
    points[row * POINTS + Math.floor((cell % CELLS) / each)] = 1
  }
  return points
}

function isSensible(covered: Covered): boolean {
  const share = covered.reduce((sum, one) => sum + one, 0) / covered.length
  return share > 0 && share <= MAX_COVERED
}
