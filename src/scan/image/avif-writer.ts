import { concatenate } from '../../util/bytes.ts'
import type { Track } from './avif-track.ts'

const asciiBytes = (value: string) => Array.from(new TextEncoder().encode(value))
const u16 = (value: number) => [value >> 8, value & 255]
const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]
/** Version and flags of a full box. */
const PLAIN = [0, 0, 0, 0]

/**
 * A still AVIF file made of a track's samples and those of its alpha (AV1 image file format, 2.1
 * and 4.1).
 */
export function stillAvif(image: Image, alpha?: Image): Uint8Array {
  const images = alpha ? [image, alpha] : [image]
  const lengths = images.map(({ samples }) => samples.reduce((sum, { length }) => sum + length, 0))
  const headOf = (offset: number) => [
    ...box('ftyp', asciiBytes('avif'), u32(0), asciiBytes('avifmif1miaf')),
    ...metaOf(images, lengths, offset),
    ...u32(lengths.reduce((sum, length) => sum + length, 8)),
    ...asciiBytes('mdat'),
  ]
  const head = headOf(headOf(0).length)
  return concatenate([Uint8Array.from(head), ...images.flatMap(({ samples }) => samples)])
}

function box(type: string, ...parts: (number[] | Uint8Array)[]): number[] {
  const content = parts.flatMap((part) => Array.from(part))
  return [...u32(content.length + 8), ...asciiBytes(type), ...content]
}

/** Samples that make up one image. */
export interface Image {
  track: Track
  samples: readonly Uint8Array[]
}

const ALPHA_TYPE = 'urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0'

/**
 * Items are numbered from 1: the image, then its alpha. Properties are listed per item; the last
 * one marks alpha.
 */
function metaOf(images: readonly Image[], lengths: readonly number[], offset: number): number[] {
  const properties = images.flatMap(({ track: { width, height, configuration } }) => [
    box('ispe', PLAIN, u32(width), u32(height)),
    box('pixi', PLAIN, depthsOf(configuration)),
    box('av1C', configuration),
  ])
  const items = images.map((_, i) => i + 1)
  const [length = 0] = lengths
  const places = items.map((item, i) => [
    ...[...u16(item), ...u16(0), ...u16(1)],
    ...[...u32(offset + (i === 0 ? 0 : length)), ...u32(lengths[i] ?? 0)],
  ])
  const own = items.map((_, i) => [3 * i + 1, 3 * i + 2, 0x83 + 3 * i, ...(i === 1 ? [0x87] : [])])
  const associations = items.map((item, i) => [
    ...u16(item),
    own[i]?.length ?? 0,
    ...(own[i] ?? []),
  ])
  return box(
    'meta',
    PLAIN,
    box('hdlr', PLAIN, u32(0), asciiBytes('pict'), u32(0), u32(0), u32(0), [0]),
    box('pitm', PLAIN, u16(1)),
    box('iloc', PLAIN, [0x44, 0], u16(items.length), ...places),
    box('iinf', PLAIN, u16(items.length), ...items.map(infeOf)),
    images.length > 1 ? box('iref', PLAIN, box('auxl', u16(2), u16(1), u16(1))) : [],
    box(
      'iprp',
      box('ipco', ...properties, box('auxC', PLAIN, asciiBytes(ALPHA_TYPE))),
      box('ipma', PLAIN, u32(items.length), ...associations),
    ),
  )
}

function infeOf(item: number): number[] {
  return box('infe', [2, 0, 0, 0], u16(item), u16(0), asciiBytes('av01'), [0])
}

/** Number of channels, and bits of each (AV1-ISOBMFF, 2.3.3: `av1C`). */
function depthsOf(configuration: Uint8Array): number[] {
  const flags = configuration[2] ?? 0
  const bits = (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12
  return (flags & 0x10) === 0 ? [3, bits, bits, bits] : [1, bits]
}
