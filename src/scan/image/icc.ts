// ICC profiles (ICC.1:2022), as far as they say how stored grey or RGB is shown.

import { ascii } from '../../util/ascii.ts'
import { codePointSpace } from './code-points.ts'
import { type ColourSpace, matrixSpace, SMOOTH_SIDE, type Transfer } from './colour-space.ts'
import { u16At, u32At } from './iso-boxes.ts'
import { lightOfLab } from './lab.ts'
import { clamp, dot, WHITE, type Xyz } from './light.ts'

const MAX_TAGS = 100
const THREE = [0, 1, 2] as const
const CHANNELS: Partial<Record<string, number>> = { GRAY: 1, 'RGB ': 3 }

/**
 * The colour space of a profile; `undefined` if it is damaged, or one of inks. As in Chromium, the
 * table of exact colours comes before that of pleasing ones, and both before curves. Code points come
 * before all of them; `peak` is their brightest light in nits.
 */
export function readProfile(profile: Uint8Array, peak?: number): ColourSpace | undefined {
  const channels = CHANNELS[ascii(profile.subarray(16, 20))]
  if (!channels || ascii(profile.subarray(36, 40)) !== 'acsp') return undefined
  const tags = readTags(profile)
  const points = tags.get('cicp')
  if (points && channels === 3) return codePointSpace(points[8] ?? 0, points[9] ?? 0, peak)
  const table = tags.get('A2B1') ?? tags.get('A2B0')
  const isLab = ascii(profile.subarray(20, 24)) === 'Lab '
  return (table && readColourTable(table, channels, isLab)) ?? readCurves(tags, channels)
}

/** Tags of a profile by their signatures. */
type Tags = Map<string, Uint8Array>

/** Numbers of a table, from a byte of it on. */
type Numbers = (at: number) => number

function readTags(profile: Uint8Array): Tags {
  const tags: Tags = new Map()
  for (let i = Math.min(u32At(profile, 128), MAX_TAGS) - 1; i >= 0; i--) {
    const at = 132 + 12 * i
    const start = u32At(profile, at + 4)
    const tag = profile.subarray(start, start + u32At(profile, at + 8))
    if (tag.length >= 12) tags.set(ascii(profile.subarray(at, at + 4)), tag)
  }
  return tags
}

function readCurves(tags: Tags, channels: number): ColourSpace | undefined {
  const names = channels === 1 ? ['k'] : ['r', 'g', 'b']
  const curves = present(names.map((name) => readCurve(tags.get(`${name}TRC`) ?? EMPTY)))
  const lights = names.map((name): Xyz => {
    const tag = tags.get(`${name}XYZ`) ?? EMPTY
    return name === 'k' ? WHITE : [fixedAt(tag, 8), fixedAt(tag, 12), fixedAt(tag, 16)]
  })
  return curves && matrixSpace(curves, lights)
}

const EMPTY = new Uint8Array(0)

/** The values, if none is missing. */
function present<T>(values: readonly (T | undefined)[]): T[] | undefined {
  const those = values.filter((value) => value !== undefined)
  return those.length === values.length ? those : undefined
}

function fixedAt(bytes: Uint8Array, at: number): number {
  return (u32At(bytes, at) | 0) / 65536
}

/** A curve: a table, a power, or a formula. */
function readCurve(tag: Uint8Array): Transfer | undefined {
  const type = ascii(tag.subarray(0, 4))
  if (type === 'para') return readParametric(tag)
  if (type !== 'curv') return undefined
  const count = Math.min(u32At(tag, 8), (tag.length - 12) >> 1)
  if (count === 0) return same
  if (count === 1) return (value) => value ** (u16At(tag, 12) / 256)
  return sampled(count, (i) => u16At(tag, 12 + 2 * i) / 65535)
}

const same: Transfer = (value) => value

function sampled(count: number, at: Numbers): Transfer {
  return (value) => {
    const place = clamp(value) * (count - 1)
    const below = Math.min(Math.floor(place), count - 2)
    return at(below) + (at(below + 1) - at(below)) * (place - below)
  }
}

/** A curve given by a formula (10.18). */
function readParametric(tag: Uint8Array): Transfer | undefined {
  const parameter = (i: number) => fixedAt(tag, 12 + 4 * i)
  const [g, a, b, c] = [parameter(0), parameter(1), parameter(2), parameter(3)]
  const [d, e, f] = [parameter(4), parameter(5), parameter(6)]
  const power = (x: number, offset = 0) => Math.max(0, a * x + b) ** g + offset
  switch (u16At(tag, 8)) {
    case 0:
      return (x) => x ** g
    case 1:
      return (x) => (x >= -b / a ? power(x) : 0)
    case 2:
      return (x) => (x >= -b / a ? power(x, c) : c)
    case 3:
      return (x) => (x >= d ? power(x) : c * x)
    case 4:
      return (x) => (x >= d ? power(x, e) : c * x + f)
    default:
      return undefined
  }
}

function readColourTable(
  tag: Uint8Array,
  channels: number,
  isLab: boolean,
): ColourSpace | undefined {
  if (tag[8] !== channels || tag[9] !== THREE.length) return undefined
  const type = ascii(tag.subarray(0, 4))
  if (type === 'mAB ') return readStages(tag, channels, isLab)
  return type === 'mft1' || type === 'mft2' ? readLut(tag, channels, isLab) : undefined
}

/** Curves, a grid, and curves (10.10, 10.11). */
function readLut(tag: Uint8Array, channels: number, isLab: boolean): ColourSpace | undefined {
  const bytes = ascii(tag.subarray(0, 4)) === 'mft2' ? 2 : 1
  const [before, after] = bytes === 2 ? [u16At(tag, 48), u16At(tag, 50)] : [256, 256]
  const numbers = numbersOf(tag, bytes === 2 ? 52 : 48, bytes)
  const sides = Array.from({ length: channels }, () => tag[10] ?? 0)
  const grid = gridOf(numbers.from(before * channels), sides)
  const ends = numbers.from(before * channels + grid.count)
  if (Math.min(before, after, ...sides) < 2 || ends.count < after * THREE.length) return undefined
  const curve = (of: Numbers, count: number, channel: number) =>
    sampled(count, (i) => of(channel * count + i))
  const outputs = THREE.map((i) => curve(ends.at, after, i))
  // With 16 bits, white has a lightness of 0xff00 (table 42).
  const toLight = isLab ? labLight(bytes === 2 ? 65535 / 65280 : 1) : xyzLight
  return {
    shapers: sides.map((_, i) => curve(numbers.at, before, i)),
    sides,
    light: (places) => toLight(outputs.map((output, i) => output(grid.at(places)[i] ?? 0))),
  }
}

/** Curves, a grid, curves, a matrix and curves; all but the last may be missing (10.12). */
function readStages(tag: Uint8Array, channels: number, isLab: boolean): ColourSpace | undefined {
  const [last, matrix, middle, grid, first] = [12, 16, 20, 24, 28].map((at) => {
    const start = u32At(tag, at)
    return start ? tag.subarray(start) : undefined
  })
  const lastCurves = readSeveral(last, THREE.length)
  const middleCurves = readSeveral(middle, THREE.length)
  const firstCurves = readSeveral(first, channels)
  if (!lastCurves || !middleCurves || !firstCurves) return undefined
  const toLight = isLab ? labLight(1) : xyzLight
  const finish = (values: readonly number[]) => {
    const mixed = matrix ? THREE.map((i) => clamp(mixRow(matrix, i, values))) : values
    return toLight(lastCurves.map((curve, i) => clamp(curve(mixed[i] ?? 0))))
  }
  if (!grid) {
    if (channels !== THREE.length) return undefined
    return { shapers: middleCurves, sides: THREE.map(() => SMOOTH_SIDE), light: finish }
  }
  const sides = Array.from({ length: channels }, (_, i) => grid[i] ?? 0)
  const numbers = numbersOf(grid, 20, grid[16] === 1 ? 1 : 2)
  const nodes = gridOf(numbers, sides)
  if (Math.min(...sides) < 2 || nodes.count > numbers.count) return undefined
  return {
    shapers: firstCurves,
    sides,
    light: (places) => finish(nodes.at(places).map((value, i) => (middleCurves[i] ?? same)(value))),
  }
}

/** A row of a matrix of nine numbers, with the number that is added after them. */
function mixRow(matrix: Uint8Array, row: number, values: readonly number[]): number {
  const factors = THREE.map((i) => fixedAt(matrix, 4 * (3 * row + i)))
  return dot(factors, values) + fixedAt(matrix, 4 * (9 + row))
}

/** Curves that follow one another, each begun at a multiple of four bytes. Without bytes, they change nothing. */
function readSeveral(bytes: Uint8Array | undefined, count: number): Transfer[] | undefined {
  let at = 0
  const curves = Array.from({ length: count }, () => {
    if (!bytes) return same
    const tag = bytes.subarray(at)
    const isFormula = ascii(tag.subarray(0, 4)) === 'para'
    const length = isFormula ? 4 * (FORMULA_NUMBERS[u16At(tag, 8)] ?? 0) : 2 * u32At(tag, 8)
    at += 12 + length + (length % 4)
    return readCurve(tag)
  })
  return present(curves)
}

/** Parameters of each formula of a curve. */
const FORMULA_NUMBERS = [1, 3, 4, 5, 7]

/** Numbers of one or two bytes, as shares of the largest. */
interface TagNumbers {
  count: number
  at: Numbers
  from: (first: number) => TagNumbers
}

function numbersOf(tag: Uint8Array, start: number, bytes: 1 | 2): TagNumbers {
  const at = (i: number) =>
    bytes === 2 ? u16At(tag, start + 2 * i) / 65535 : (tag[start + i] ?? 0) / 255
  const count = Math.max(0, Math.floor((tag.length - start) / bytes))
  return { count, at, from: (first) => numbersOf(tag, start + first * bytes, bytes) }
}

/** Nodes of three numbers each, those of the last side next to one another. */
function gridOf(numbers: TagNumbers, sides: readonly number[]) {
  return {
    count: sides.reduce((product, side) => product * side, THREE.length),
    at: (places: readonly number[]) => {
      const node = sides.reduce(
        (before, side, i) => before * side + Math.round((places[i] ?? 0) * (side - 1)),
        0,
      )
      return THREE.map((i) => numbers.at(THREE.length * node + i))
    },
  }
}

/** Light of CIE XYZ that is stored as shares of just under 2 (6.3.4.2). */
function xyzLight(values: readonly number[]): Xyz {
  const [x = 0, y = 0, z = 0] = values.map((value) => (value * 65535) / 32768)
  return [x, y, z]
}

/** Light of CIE Lab, with the share of lightness at white. */
function labLight(scale: number): (values: readonly number[]) => Xyz {
  return ([lightness = 0, a = 0, b = 0]) =>
    lightOfLab(WHITE, lightness * scale * 100, a * scale * 255 - 128, b * scale * 255 - 128)
}
