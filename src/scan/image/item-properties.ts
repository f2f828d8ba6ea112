import { ascii } from '../../util/ascii.ts'
import { viewOf } from '../../util/bytes.ts'
import { codePointSpace } from './code-points.ts'
import type { ColourSpace } from './colour-space.ts'
import { readProfile } from './icc.ts'
import { type Box, findBox, readBoxes, u16At, u32At } from './iso-boxes.ts'
import type { Area } from './library-plan.ts'

/**
 * The colours of an image, by default the primary one (ISO/IEC 14496-12, 12.1.5: `colr`). A profile
 * comes before code points.
 */
export function readColourBox(file: Uint8Array, item?: number): ColourSpace | undefined {
  const properties = readProperties(file, item)
  const peak = readPeak(properties)
  const named = properties
    .filter(({ type }) => type === 'colr')
    .map(({ data }) => ({
      kind: ascii(data.subarray(0, 4)),
      data: data.subarray(4),
    }))
  const profile = named.find(({ kind }) => kind === 'prof' || kind === 'rICC')
  const points = named.find(({ kind, data }) => kind === 'nclx' && data.length >= 4)?.data
  const space = profile && readProfile(profile.data, peak)
  return space ?? (points && codePointSpace(u16At(points, 0), u16At(points, 2), peak))
}

/** The brightest light of an image in nits (`clli`). Chromium ignores that of the display (`mdcv`). */
function readPeak(properties: readonly Box[]): number | undefined {
  const content = properties.find(({ type }) => type === 'clli')?.data
  return (content && u16At(content, 0)) || undefined
}

/** Properties of an image, in order. */
function readProperties(file: Uint8Array, item = primaryItem(file)) {
  const meta = findBox(file, 'meta')?.subarray(4)
  const ipco = meta && findBox(meta, 'iprp', 'ipco')
  const ipma = meta && findBox(meta, 'iprp', 'ipma')
  if (item === undefined || !ipco || !ipma) return []
  const properties = [...readBoxes(ipco)]
  const own = readAssociations(ipma, item).map((index) => properties[index - 1])
  return own.filter((property) => property !== undefined)
}

/**
 * Exif orientations by the quarter turns of `irot`, anticlockwise: alone, and followed by each axis
 * of `imir`.
 */
const ORIENTATIONS = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
] as const

/** How an image is displayed. */
export interface Display {
  /** Exif orientation. */
  orientation: number
  /** The part that is displayed. */
  area?: Area
}

/** How an image, by default the primary one, is displayed (ISO/IEC 23008-12, 6.5.10 to 6.5.12). */
export function readDisplay(file: Uint8Array, item?: number): Display {
  const own = readProperties(file, item)
  const dataOf = (type: string) => own.find((property) => property.type === type)?.data
  const turns = (dataOf('irot')?.[0] ?? 0) & 3
  const mirror = dataOf('imir')
  const orientation = ORIENTATIONS[turns]?.[mirror ? 1 + ((mirror[0] ?? 0) & 1) : 0] ?? 1
  const area = readAperture(dataOf('clap'), dataOf('ispe'))
  return { orientation, ...(area && { area }) }
}

function primaryItem(file: Uint8Array): number | undefined {
  const pitm = findBox(file, 'meta', 'pitm')
  return pitm && (pitm[0] === 0 ? u16At(pitm, 4) : u32At(pitm, 4))
}

/**
 * The image whose alpha or depth the primary one is (ISO/IEC 23008-12, 6.4.4: `auxl`). libheif
 * shows it instead of the primary one.
 */
export function readMaster(file: Uint8Array): number | undefined {
  const [iref, primary] = [findBox(file, 'meta', 'iref'), primaryItem(file)]
  if (!iref || primary === undefined) return undefined
  const isLong = iref[0] !== 0
  const idAt = isLong ? u32At : u16At
  const bytes = isLong ? 4 : 2
  for (const { type, data } of readBoxes(iref.subarray(4)))
    if (type === 'auxl' && idAt(data, 0) === primary) return idAt(data, bytes + 2)
  return undefined
}

/** The file with another primary image. */
export function withPrimary(file: Uint8Array, item: number): Uint8Array {
  const copy = file.slice()
  const pitm = findBox(copy, 'meta', 'pitm') ?? new Uint8Array(0)
  if (pitm[0] === 0 && pitm.length >= 6) viewOf(pitm).setUint16(4, item)
  else if (pitm.length >= 8) viewOf(pitm).setUint32(4, item)
  return copy
}

/** Indices of an item's properties, from 1 (ISO/IEC 23008-12, 9.3: ipma). */
function readAssociations(ipma: Uint8Array, item: number): number[] {
  const isLong = ipma[0] !== 0
  const isWide = ((ipma[3] ?? 0) & 1) !== 0
  let at = 8
  for (let count = Math.min(u32At(ipma, 4), 1024); count > 0; count--) {
    const id = isLong ? u32At(ipma, at) : u16At(ipma, at)
    at += isLong ? 4 : 2
    const length = ipma[at++] ?? 0
    const bytes = isWide ? 2 : 1
    const indices = Array.from({ length }, (_, i) =>
      isWide ? u16At(ipma, at + 2 * i) & 0x7fff : (ipma[at + i] ?? 0) & 0x7f,
    )
    if (id === item) return indices
    at += length * bytes
  }
  return []
}

/** The clean aperture: width, height and the offset of its centre from the image's, as fractions. */
function readAperture(
  clap: Uint8Array | undefined,
  ispe: Uint8Array | undefined,
): Area | undefined {
  if (!clap || !ispe) return undefined
  const fraction = (at: number) => (u32At(clap, at) | 0) / (u32At(clap, at + 4) | 0)
  const [width, height, right, down] = [fraction(0), fraction(8), fraction(16), fraction(24)]
  const x = Math.round((u32At(ispe, 4) - width) / 2 + right)
  const y = Math.round((u32At(ispe, 8) - height) / 2 + down)
  const area = { x, y, width: Math.floor(width), height: Math.floor(height) }
  const isWithin =
    x >= 0 &&
    y >= 0 &&
    area.width > 0 &&
    area.height > 0 &&
    x + width <= u32At(ispe, 4) &&
    y + height <= u32At(ispe, 8)
  return isWithin ? area : undefined
}
