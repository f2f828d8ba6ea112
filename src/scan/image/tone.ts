// What programs show for the values of a file that does not store sRGB.

import type { Tones } from '../../core/image.ts'
import { concatenate } from '../../util/bytes.ts'
import { atOnce, only } from '../../util/steps.ts'
import { Inflater } from '../archive/inflate.ts'
import type { ScanBudget } from '../budget.ts'
import { NODE_MS } from '../work.ts'
import { type ColourSpace, shownLuma } from './colour-space.ts'
import { clamp, dot } from './light.ts'

/** Bytes of a profile that are inflated. */
const MAX_PROFILE_BYTES = 512 * 1024
/** Nodes of a grid that are computed: those of a table with 33 a side, a common size. */
const MAX_NODES = 33 ** 3
/** Steps of a curve. */
const STEPS = 1024
/** Luma that programs must move some grey by to change a picture's hash. */
const MIN_MOVE = 12
/**
 * Luma that they must move some colour by, beyond what a curve on each channel does. Display P3, in
 * which telephones take photographs, moves a strong green by 41.
 */
const MIN_COLOUR_MOVE = 42
/** Luma of red, green and blue. */
const SHARES = [0.299, 0.587, 0.114]

/**
 * Tones of a space within a budget. If its grid is too fine, they are left out of what is found, and
 * if it is too rough, some of them may be.
 */
export function affordableTones(
  space: ColourSpace | undefined,
  budget: ScanBudget,
  found: { isPartial: boolean },
): Tones | undefined {
  if (!space) return undefined
  const nodes = space.sides.reduce((product, side) => product * side, 1)
  if (nodes > MAX_NODES) {
    found.isPartial = true
    return undefined
  }
  found.isPartial ||= space.isRough === true
  budget.spend(nodes * NODE_MS)
  return tonesOf(space)
}

/** Tones of a space; `undefined` if programs show nearly what is stored. */
export function tonesOf({ shapers, sides, light }: ColourSpace): Tones | undefined {
  const grid = Float32Array.from(nodePlaces(sides), (node) => shownLuma(light(node)))
  const places = shapers.map((shaper, i) => {
    const last = (sides[i] ?? 0) - 1
    return Float32Array.from({ length: STEPS + 1 }, (_, step) => last * clamp(shaper(step / STEPS)))
  })
  const greyAt = (step: number) => places.map((curve) => curve[step] ?? 0)
  const curve = Float32Array.from({ length: STEPS + 1 }, (_, step) =>
    interpolate(grid, sides, greyAt(step)),
  )
  if (sides.length > 1 && !isByChannel(grid, sides, places))
    return { curve, colours: { places, sides, grid } }
  const isMoved = curve.some((luma, step) => Math.abs(luma - (step * 255) / STEPS) > MIN_MOVE)
  return isMoved ? { curve } : undefined
}

/** Places of all nodes, 0 to 1 along each side, those along the last side next to one another. */
function* nodePlaces([side = 0, ...others]: readonly number[]): Generator<number[]> {
  for (let i = 0; i < side; i++) {
    if (others.length === 0) yield [i / (side - 1)]
    else for (const places of nodePlaces(others)) yield [i / (side - 1), ...places]
  }
}

/** Whether the curve of greys shows nearly the same if it is put on each channel. */
function isByChannel(
  grid: Float32Array,
  sides: readonly number[],
  [red = grid, ...others]: readonly Float32Array[],
): boolean {
  const [side = 0] = sides
  if (sides.some((other) => other !== side)) return false
  const limit = (MIN_MOVE / 255) * (side - 1)
  const isNear = (place: number, step: number) => Math.abs(place - (red[step] ?? 0)) <= limit
  if (!others.every((curve) => curve.every(isNear))) return false
  const greyNodes = side * side + side + 1
  return grid.every((luma, node) => {
    const channels = [Math.floor(node / (side * side)), Math.floor(node / side) % side, node % side]
    const byChannel = channels.map((channel) => grid[channel * greyNodes] ?? 0)
    return Math.abs(luma - dot(SHARES, byChannel)) <= MIN_COLOUR_MOVE
  })
}

/** The luma at a place between nodes. */
function interpolate(
  grid: Float32Array,
  [side, ...otherSides]: readonly number[],
  [place = 0, ...others]: readonly number[],
  node = 0,
): number {
  if (side === undefined) return grid[node] ?? 0
  const below = Math.min(Math.floor(place), side - 2)
  const at = (i: number) => interpolate(grid, otherSides, others, node * side + i)
  const low = at(below)
  return low + (at(below + 1) - low) * (place - below)
}

/** The profile in PNG's iCCP chunk: a name, a zero, a method, then a zlib stream. */
export function inflateProfile(chunk: Uint8Array, budget: ScanBudget): Uint8Array | undefined {
  const name = chunk.indexOf(0)
  if (name < 0) return undefined
  const parts: Uint8Array[] = []
  const inflater = new Inflater(budget, (bytes) => only(void parts.push(bytes)))
  for (let at = name + 4; at < chunk.length; at += 1024) {
    if (inflater.isClosed || inflater.outBytes > MAX_PROFILE_BYTES) break
    atOnce(inflater.push(chunk.subarray(at, at + 1024)))
  }
  return concatenate(parts)
}
