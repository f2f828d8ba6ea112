// Patches: cells of a plane that touch, are flat, and are nearly of one luma, as in a bar over eyes, a sticker or an emoji.
// A sky has such cells too, but it fades into its surroundings.

import { CELLS } from './cells'

/** Luma by which the pixels of a flat cell differ, at most. */
const FLAT: i32 = 12
/** Luma by which the middles of cells beside each other differ that are of one patch, at most; twice that, as sums are compared. */
const LINK: i32 = 4 * 2
/** Luma by which what is beside a patch differs from it, at least; twice that. */
const MIN_STEP: i32 = 16 * 2
/** Most patches that are returned. There is room for all, if each has at least 64 cells. */
const MAX_PATCHES: u32 = 256

const COUNT: u32 = CELLS * CELLS

/** Least and greatest luma of each cell, together: u16. */
let sums: usize = 0
/** Cells that are of a patch: u8. */
let seen: usize = 0

/** A patch, as the host reads it. */
@unmanaged
class Patch {
  /** Where its cells begin in the list of all. */
  first: u32
  count: u32
  /** Sides of its cells that are beside none of it, and those where luma changes by a step. */
  rim: u32
  sharp: u32
}

/** Finds all patches of at least `fewest` cells. Returns how many they are. */
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
    // The cells of a patch that is not told make room for the next.
    if (patch.count < fewest) continue
    first += patch.count
    told++
  }
  return told
}

function isFlat(least: usize, greatest: usize, cell: u32): bool {
  return <i32>load<u8>(greatest + cell) - <i32>load<u8>(least + cell) <= FLAT
}

/** By how much the lumas of two cells differ, twice. */
function stepOf(a: u32, b: u32): i32 {
  const first = <i32>load<u16>(sums + ((<usize>a) << 1))
  return abs(first - <i32>load<u16>(sums + ((<usize>b) << 1)))
}

/** The patch of a cell: what is found is searched in its turn. */
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
      // The next one may be half covered: that behind it counts.
      patch.sharp += u32(stepOf(cell, neighbour(beside, direction)) >= MIN_STEP)
    }
  }
  patch.count = count
}

/** The cell beside one, to the right, left, below or above; itself, at the plane's end. */
function neighbour(cell: u32, direction: u32): u32 {
  const column = cell % CELLS
  if (direction == 0) return column + 1 < CELLS ? cell + 1 : cell
  if (direction == 1) return column > 0 ? cell - 1 : cell
  if (direction == 2) return cell + CELLS < COUNT ? cell + CELLS : cell
  return cell >= CELLS ? cell - CELLS : cell
}
