import type { Buffer } from 'node:buffer'
import type { Stream } from './objects.ts'
import { type Dict, ValueReader } from './syntax.ts'

/** Maximum entries of a picture's dictionary. */
const MAX_ENTRIES = 64
/** Maximum places that look like a picture in one content stream. */
const MAX_STARTS = 4096
/** A stencil with smaller sides is a glyph of a font. */
const MIN_STENCIL_SIDE = 128

/**
 * Pictures written in a content stream (ISO 32000-1, 8.9.7), except stencils as small as glyphs.
 * Data that contains what looks like its own end is cut off there.
 */
export function* inlinePictures(content: Buffer): Generator<Stream, void> {
  let starts = 0
  for (let at = content.indexOf('BI'); at >= 0; at = content.indexOf('BI', at + 2)) {
    const around = content.toString('latin1', Math.max(0, at - 1), at + 3)
    if (!/^[\0\t\n\f\r >)\]}]?BI[\0\t\n\f\r /%]/.test(around)) continue
    if (++starts > MAX_STARTS) return
    const found = readInlineStream(content, at + 2)
    if (!found) continue
    at = Math.max(at, found.end - 2)
    if (!isGlyph(found.stream.dict)) yield found.stream
  }
}

/** Reads a picture from what follows `BI`. `end`: where its data ends. */
export function readInlineStream(
  content: Buffer,
  at: number,
): { stream: Stream; end: number } | undefined {
  const reader = new ValueReader(content, at)
  const dict = readInlineEntries(reader)
  if (!dict) return undefined
  const start = reader.at + 1
  const end = endOf(content, start)
  return { stream: { dict, data: content.subarray(start, end) }, end }
}

function readInlineEntries(reader: ValueReader): Dict | undefined {
  const dict: Dict = new Map()
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const key = reader.read()
    if (reader.operator === 'ID') return dict
    if (typeof key !== 'string') return undefined
    const value = reader.read()
    if (reader.operator !== '') return undefined
    dict.set(key, value)
  }
  return undefined
}

/** Position of the operator that ends a picture, or of data that looks like it. */
function endOf(content: Buffer, start: number): number {
  for (let at = content.indexOf('EI', start); at >= 0; at = content.indexOf('EI', at + 2)) {
    if (/^[\0\t\n\f\r ]EI([\0\t\n\f\r ]|$)/.test(content.toString('latin1', at - 1, at + 3)))
      return at
  }
  return content.length
}

export function isGlyph(dict: Dict): boolean {
  const side = (name: string, short: string) => Number(dict.get(name) ?? dict.get(short) ?? 0)
  const isStencil = dict.get('ImageMask') === true || dict.get('IM') === true
  const largest = Math.max(side('Width', 'W'), side('Height', 'H'))
  return isStencil && largest < MIN_STENCIL_SIDE
}
