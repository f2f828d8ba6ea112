import { findBox, u32At } from '../../src/scan/image/iso-boxes.ts'

/** What an AVIF file of libheif, with one image, is made of. */
export interface AvifParts {
  width: number
  height: number
  /** Content of the `av1C` box. */
  configuration: Uint8Array
  /** Coded data of the image. */
  data: Uint8Array
}

export function avifParts(avif: Uint8Array): AvifParts {
  const properties = findBox(avif, 'meta', 'iprp', 'ipco')!
  const size = findBox(properties, 'ispe')!
  return {
    width: u32At(size, 4),
    height: u32At(size, 8),
    configuration: findBox(properties, 'av1C')!,
    data: findBox(avif, 'mdat')!,
  }
}

const text = (value: string) => Array.from(new TextEncoder().encode(value))
const u16 = (value: number) => [value >> 8, value & 255]
const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]
const zeros = (count: number) => Array.from({ length: count }, () => 0)

export function box(type: string, ...parts: (number[] | Uint8Array)[]): number[] {
  const content = parts.flatMap((part) => Array.from(part))
  return [...u32(content.length + 8), ...text(type), ...content]
}

/** A file with an image and these properties of it, beside its own. */
export function avifWith(parts: AvifParts, properties: number[][]): Uint8Array {
  const brands = ['avif', 'avifmif1miaf'] as const
  return file(brands, (offset) => metaOf(parts, properties, offset), [parts])
}

/**
 * A sequence of images of one size (ISO/IEC 14496-12), whose primary image is the first. `keys`: numbers of samples, from 1,
 * that need none before them. `alpha`: images of as many samples, in a track of its own.
 */
export function avifSequence(
  frames: readonly AvifParts[],
  keys: number[],
  brand = 'avis',
  alpha: readonly AvifParts[] = [],
): Uint8Array {
  const bytes = frames.reduce((sum, { data }) => sum + data.length, 0)
  const head = (offset: number) => [
    ...metaOf(firstOf(frames), [], offset),
    ...box(
      'moov',
      box('mvhd', zeros(100)),
      alpha.length > 0 ? trackOf(alpha, keys, offset + bytes, 1) : [],
      trackOf(frames, keys, offset),
    ),
  ]
  return file([brand, 'avifavismif1miafmsf1'], head, [...frames, ...alpha])
}

function file(
  [brand, others]: readonly [string, string],
  head: (offset: number) => number[],
  frames: readonly AvifParts[],
): Uint8Array {
  const type = box('ftyp', text(brand), zeros(4), text(others))
  const offset = type.length + head(0).length + 8
  const data = frames.flatMap((frame) => Array.from(frame.data))
  return Uint8Array.from([...type, ...head(offset), ...box('mdat', data)])
}

function metaOf({ width, height, configuration, data }: AvifParts, more: number[][], at: number) {
  const own = [
    box('ispe', zeros(4), u32(width), u32(height)),
    box('pixi', zeros(4), [3, 8, 8, 8]),
    box('av1C', configuration),
  ]
  const all = [...own, ...more]
  const indices = all.map((_, i) => (i < 2 ? i + 1 : 0x80 | (i + 1)))
  return box(
    'meta',
    zeros(4),
    box('hdlr', zeros(8), text('pict'), zeros(13)),
    box('pitm', zeros(4), u16(1)),
    box('iloc', zeros(4), [0x44, 0], u16(1), u16(1), u16(0), u16(1), u32(at), u32(data.length)),
    box('iinf', zeros(4), u16(1), box('infe', [2, 0, 0, 0], u16(1), u16(0), text('av01'), [0])),
    box(
      'iprp',
      box('ipco', ...all),
      box('ipma', zeros(4), u32(1), u16(1), [indices.length], indices),
    ),
  )
}

/** `alphaOf`: the number of the track whose alpha it is. */
function trackOf(
  frames: readonly AvifParts[],
  keys: number[],
  offset: number,
  alphaOf?: number,
): number[] {
  const { width, height, configuration } = firstOf(frames)
  const count = frames.length
  const entry = [
    ...[...zeros(6), ...u16(1), ...zeros(16), ...u16(width), ...u16(height)],
    ...[...zeros(50), ...box('av1C', configuration)],
  ]
  const table = box(
    'stbl',
    box('stsd', zeros(4), u32(1), box('av01', entry)),
    box('stts', zeros(4), u32(1), u32(count), u32(1)),
    box('stsc', zeros(4), u32(1), u32(1), u32(count), u32(1)),
    box(
      'stsz',
      zeros(4),
      u32(0),
      u32(count),
      frames.flatMap(({ data }) => u32(data.length)),
    ),
    box('stco', zeros(4), u32(1), u32(offset)),
    box('stss', zeros(4), u32(keys.length), keys.flatMap(u32)),
  )
  const handler = box('hdlr', zeros(8), text(alphaOf === undefined ? 'pict' : 'auxv'), zeros(13))
  const reference = box('dinf', box('dref', zeros(4), u32(1), box('url ', [0, 0, 0, 1])))
  const time = box('mdhd', zeros(12), u32(2), u32(count), zeros(4))
  const header = box(
    'tkhd',
    [0, 0, 0, 1],
    zeros(8),
    u32(alphaOf === undefined ? 1 : alphaOf + 1),
    zeros(60),
    u32(width << 16),
    u32(height << 16),
  )
  return box(
    'trak',
    header,
    alphaOf === undefined ? [] : box('tref', box('auxl', u32(alphaOf))),
    box('mdia', time, handler, box('minf', box('vmhd', zeros(12)), reference, table)),
  )
}

function firstOf(frames: readonly AvifParts[]): AvifParts {
  const [first] = frames
  if (!first) throw new RangeError('no frame')
  return first
}
