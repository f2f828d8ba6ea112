import { writeLab } from '../image/lab.ts'
import { gather, openStream } from './filters.ts'
import type { PdfObjects } from './objects.ts'
import type { ScanBudget } from '../budget.ts'
import type { Steps } from '../../util/steps.ts'
import { type Dict, Ref, type Value } from './syntax.ts'

/** Maximum nesting of colour spaces. */
const MAX_NESTING = 4
const MAX_SIDE = 65_535
/** Bytes of an indexed space's colours: 256 of four inks each. */
const MAX_TABLE_BYTES = 1024

/** Reads a picture from its dictionary. */
export function* readPicture(
  objects: PdfObjects,
  dict: Dict,
  budget: ScanBudget,
): Steps<Picture | 'damaged' | 'unsupported-variant'> {
  const of = (name: string, short: string) => objects.resolve(dict.get(name) ?? dict.get(short))
  const [width, height] = [sideOf(of('Width', 'W')), sideOf(of('Height', 'H'))]
  if (width === undefined || height === undefined) return 'damaged'
  const isMask = of('ImageMask', 'IM') === true
  const space = isMask
    ? GREY
    : yield* readSpace(objects, dict.get('ColorSpace') ?? dict.get('CS'), budget)
  if (!space) return 'unsupported-variant'
  const bits = isMask ? 1 : (of('BitsPerComponent', 'BPC') ?? 8)
  if (typeof bits !== 'number' || ![1, 2, 4, 8, 16].includes(bits)) return 'damaged'
  const given = of('Decode', 'D')
  const values = Array.isArray(given) ? given.map((value) => objects.resolve(value)) : []
  const [soft, mask] = [dict.get('SMask'), dict.get('Mask')]
  return {
    width,
    height,
    bits,
    space,
    decode: Array.from({ length: space.samples }, (_, i) => decodeRange(space, bits, values, i)),
    alpha:
      soft instanceof Ref
        ? { ref: soft, isContrary: false }
        : mask instanceof Ref && !Array.isArray(objects.resolve(mask))
          ? { ref: mask, isContrary: true }
          : undefined,
    hasKey: Array.isArray(objects.resolve(mask)),
  }
}

/** Colours of a picture's samples. A tint of 0 is no ink. */
interface Space {
  kind: 'grey' | 'rgb' | 'inks' | 'lab' | 'tint' | 'indexed'
  samples: number
  /** Ranges of the samples of Lab. */
  ranges?: [number, number][]
  /** Luma of each index. */
  lumas?: Uint8Array
}

/** A raster of a PDF, as its dictionary describes it. */
export interface Picture {
  width: number
  height: number
  bits: number
  space: Space
  /**
   * Ranges that samples are mapped to: lightness and its colours for Lab, indices for palettes,
   * otherwise shares of 1.
   */
  decode: [number, number][]
  /** A picture of the same page whose samples are alpha or its inverse. */
  alpha: { ref: Ref; isContrary: boolean } | undefined
  /** Whether some of its colours are shown as transparent. */
  hasKey: boolean
}

function sideOf(value: Value): number | undefined {
  const isSide = typeof value === 'number' && value >= 1 && value <= MAX_SIDE
  return isSide ? Math.trunc(value) : undefined
}

function decodeRange(
  { kind, ranges }: Space,
  bits: number,
  values: readonly Value[],
  sample: number,
): [number, number] {
  const most = kind === 'indexed' ? 2 ** Math.min(bits, 8) - 1 : 1
  const [from, to] = [values[2 * sample], values[2 * sample + 1]]
  const isGiven = typeof from === 'number' && typeof to === 'number'
  return isGiven ? [from, to] : (ranges?.[sample] ?? [0, most])
}

const GREY: Space = { kind: 'grey', samples: 1 }
const NAMED: Record<string, Space> = {
  DeviceGray: GREY,
  G: GREY,
  CalGray: GREY,
  DeviceRGB: { kind: 'rgb', samples: 3 },
  RGB: { kind: 'rgb', samples: 3 },
  CalRGB: { kind: 'rgb', samples: 3 },
  DeviceCMYK: { kind: 'inks', samples: 4 },
  CMYK: { kind: 'inks', samples: 4 },
  Separation: { kind: 'tint', samples: 1 },
}
const BY_SAMPLES: Record<number, Space | undefined> = {
  1: GREY,
  3: NAMED.DeviceRGB,
  4: NAMED.DeviceCMYK,
}

/** A colour space (ISO 32000-1, 8.6). Profiles are not applied. */
function* readSpace(
  objects: PdfObjects,
  value: Value,
  budget: ScanBudget,
  nesting = 0,
): Steps<Space | undefined> {
  const found = objects.resolve(value)
  if (typeof found === 'string') return NAMED[found]
  if (!Array.isArray(found) || nesting > MAX_NESTING) return undefined
  const name = objects.resolve(found[0])
  if (name === 'ICCBased') {
    const profile = objects.resolve(found[1])
    const samples = profile instanceof Map ? objects.resolve(profile.get('N')) : undefined
    return BY_SAMPLES[Number(samples)]
  }
  if (name === 'DeviceN') {
    const names = objects.resolve(found[1])
    return Array.isArray(names) && names.length === 1 ? NAMED.Separation : undefined
  }
  if (name === 'Lab') return labOf(objects, objects.resolve(found[1]))
  if (name !== 'Indexed' && name !== 'I') return typeof name === 'string' ? NAMED[name] : undefined
  const base = yield* readSpace(objects, found[1], budget, nesting + 1)
  const table = yield* readTable(objects, found[3], budget)
  return base && table && { kind: 'indexed', samples: 1, lumas: lumasOf(base, table) }
}

function labOf(objects: PdfObjects, dict: Value): Space {
  const given = dict instanceof Map ? objects.resolve(dict.get('Range')) : undefined
  const bounds = Array.isArray(given) ? given.map((value) => objects.resolve(value)) : []
  const bound = (i: number) => {
    const value = bounds[i]
    return typeof value === 'number' ? value : i % 2 === 0 ? -100 : 100
  }
  const ranges: Space['ranges'] = [
    [0, 100],
    [bound(0), bound(1)],
    [bound(2), bound(3)],
  ]
  return { kind: 'lab', samples: 3, ranges }
}

function* readTable(
  objects: PdfObjects,
  value: Value,
  budget: ScanBudget,
): Steps<Uint8Array | undefined> {
  const found = objects.resolve(value)
  if (found instanceof Uint8Array) return found.subarray(0, MAX_TABLE_BYTES)
  const stream = value instanceof Ref ? objects.streamOf(value) : undefined
  const opened = stream && (yield* openStream(objects, stream, budget))
  if (!opened || typeof opened === 'string' || 'file' in opened) return undefined
  const first = yield* gather(opened.chunks, 64 * 1024, budget)
  return first === 'over-limit' ? undefined : first.subarray(0, MAX_TABLE_BYTES)
}

function lumasOf({ kind, samples, ranges }: Space, table: Uint8Array): Uint8Array {
  const colour = new Uint8Array(3)
  return Uint8Array.from({ length: Math.floor(table.length / samples) }, (_, i) => {
    const at = (sample: number) => table[i * samples + sample] ?? 0
    if (kind === 'tint') return 255 - at(0)
    if (samples === 1) return at(0)
    if (ranges) {
      const [lightness = 0, a = 0, b = 0] = ranges.map(
        ([from, to], c) => from + (at(c) / 255) * (to - from),
      )
      writeLab(lightness, a, b, colour, 0)
    }
    const white = kind === 'inks' ? (255 - at(3)) / 255 : 1
    const light = (sample: number) => {
      if (ranges) return colour[sample] ?? 0
      return kind === 'inks' ? (255 - at(sample)) * white : at(sample)
    }
    return Math.round(0.299 * light(0) + 0.587 * light(1) + 0.114 * light(2))
  })
}
