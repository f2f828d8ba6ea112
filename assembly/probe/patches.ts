// Patches: adjacent flat cells of nearly the same luma, as in a bar over eyes, a sticker or an
// emoji. A sky has such cells too, but it fades into its surroundings.

import { CELLS } from './cells'

/** Maximum difference in luma between the pixels of a flat cell. */
const FLAT: i32 = 12
/**
 * Maximum difference in luma between the middles of adjacent cells of one patch, doubled because
 * sums are compared.
 */
const LINK: i32 = 4 * 2
/** Minimum difference in luma between a patch and what is next to it, doubled as well. */
const MIN_STEP: i32 = 16 * 2
/** Maximum patches returned. There is room for all if each has at least 64 cells. */
const MAX_PATCHES: u32 = 256

const COUNT: u32 = CELLS * CELLS

/** Sum of least and greatest luma of each cell: u16. */
let sums: usize = 0
/** Whether a cell belongs to a patch: u8. */
let seen: usize = 0

/** A patch, as the host reads it. */
@unmanaged
class Patch {
  /** Where its cells begin in the list of all. */
  first: u32
  count: u32
  /** Sides of its cells at its rim, and those of them where luma changes sharply. */
  rim: u32
  sharp: u32
}

/** Finds all patches of at least `fewest` cells. Returns their number. */
export function findPatches(
  least: usize, // 128 x 128 bytes, row-major
  greatest: usize,
  fewest: u32,
  cells: usize, // 16384 of u16: the cells of each patch
  patches: usize, // 256 x Patch
  scratch: usize, // 16384 of u16, and of u8
): u32 {
  sums = scratch
  seen = scratch + COUNT * 2
  memory.fill(seen, 0, COUNT)
  for (let cell: usize = 0; cell < COUNT; cell++) {
    store<u16>(sums + (cell << 1), load<u8>(least + cell) + load<u8>(greatest + cell))
  }
  let told: u32 = 0
  let first: u32 = 0
  for (let start: u32 = 0; start < COUNT && told < MAX_PATCHES; start++) {
    if (load<u8>(seen + start) || !isFlat(least, greatest, start)) continue
    const patch = changetype<Patch>(patches + <usize>told * offsetof<Patch>())
    patch.first = first
    grow(least, greatest, start, cells + ((<usize>first) << 1), patch)
    // The next patch reuses the cells of one that is not reported.
    if (patch.count < fewest) continue
    first += patch.count
    told++
  }
  return told
}

function isFlat(least: usize, greatest: usize, cell: u32): bool {
  return <i32>load<u8>(greatest + cell) - <i32>load<u8>(least + cell) <= FLAT
}

/** Difference between the lumas of two cells, doubled. */
function stepOf(a: u32, b: u32): i32 {
  const first = <i32>load<u16>(sums + ((<usize>a) << 1))
  return abs(first - <i32>load<u16>(sums + ((<usize>b) << 1)))
}

/** The patch of a cell: cells found are searched in turn. */
function grow(least: usize, greatest: usize, start: u32, found: usize, patch: Patch): void {
  store<u16>(found, <u16>start)
  store<u8>(seen + start, 1)
  let count: u32 = 1
  patch.rim = 0
  patch.sharp = 0
  for (let i: u32 = 0; i < count; i++) {
    const cell = <u32>load<u16>(found + ((<usize>i) << 1))
    for (let direction: u32 = 0; direction < 4; direction++) {
      const beside = neighbour(cell, direction)
      if (beside == cell) continue
      if (isFlat(least, greatest, beside) && stepOf(cell, beside) <= LINK) {
        if (load<u8>(seen + beside)) continue
        store<u8>(seen + beside, 1)
        store<u16>(found + ((<usize>count) << 1), <u16>beside)
        count++
        continue
      }
      patch.rim++
      // The adjacent cell may be half covered, so the one after it counts.
      patch.sharp += u32(stepOf(cell, neighbour(beside, direction)) >= MIN_STEP)
    }
  }
  patch.count = count
}

/** The cell to the right, left, below or above; the cell itself at the plane's end. */
function neighbour(cell: u32, direction: u32): u32 {
  const column = cell % CELLS
  if (direction == 0) return column + 1 < CELLS ? cell + 1 : cell
  if (direction == 1) return column > 0 ? cell - 1 : cell
  if (direction == 2) return cell + CELLS < COUNT ? cell + CELLS : cell
  return cell >= CELLS ? cell - CELLS : cell
}
