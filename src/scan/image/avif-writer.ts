import { concatenate } from '../../util/bytes.ts'
import type { Track } from './avif-track.ts'

const text = (value: string) => Array.from(new TextEncoder().encode(value))
const u16 = (value: number) => [value >> 8, value & 255]
const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]
/** Version and flags of a full box. */
const PLAIN = [0, 0, 0, 0]

function box(type: string, ...parts: (number[] | Uint8Array)[]): number[] {
  const content = parts.flatMap((part) => Array.from(part))
  return [...u32(content.length + 8), ...text(type), ...content]
}

/** A still AVIF file whose one image is made of samples of a track (AV1 image file format, 2.1). */
export function stillAvif(track: Track, samples: readonly Uint8Array[]): Uint8Array {
  const length = samples.reduce((sum, { length: bytes }) => sum + bytes, 0)
  const headOf = (offset: number) => [
    ...box('ftyp', text('avif'), u32(0), text('avifmif1miaf')),
    ...metaOf(track, offset, length),
    ...u32(length + 8),
    ...text('mdat'),
  ]
  const head = headOf(headOf(0).length)
  return concatenate([Uint8Array.from(head), ...samples])
}

function metaOf({ width, height, configuration }: Track, offset: number, length: number): number[] {
  const handler = box('hdlr', PLAIN, u32(0), text('pict'), u32(0), u32(0), u32(0), [0])
  const location = [...u16(1), ...u16(1), ...u16(0), ...u16(1), ...u32(offset), ...u32(length)]
  const item = box('infe', [2, 0, 0, 0], u16(1), u16(0), text('av01'), [0])
  const size = box('ispe', PLAIN, u32(width), u32(height))
  const depth = box('pixi', PLAIN, [3, 8, 8, 8])
  const properties = box('ipco', size, depth, box('av1C', configuration))
  const associations = box('ipma', PLAIN, u32(1), u16(1), [3, 1, 2, 0x83])
  return box(
    'meta',
    PLAIN,
    handler,
    box('pitm', PLAIN, u16(1)),
    box('iloc', PLAIN, [0x44, 0], location),
    box('iinf', PLAIN, u16(1), item),
    box('iprp', properties, associations),
  )
}
