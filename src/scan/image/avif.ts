import { ascii } from '../../util/ascii.ts'
import { readTrack, type Track } from './avif-track.ts'
import { type Image, stillAvif } from './avif-writer.ts'
import { findBox, readBoxes, u16At, u32At } from './iso-boxes.ts'
import type { Area, LibraryPicture, LibraryPlan } from './library-plan.ts'

/** Pixels that frames of a sequence may take to decode, those before them included: a frame is decoded from its key frame on. */
const MAX_SEQUENCE_PIXELS = 2_600_000
/** Frames that are decoded: each takes an instance of the library. */
const MAX_FRAMES = 12

/**
 * What viewers show of an AVIF file: its primary image, turned and cropped as its properties say, and the frames of its
 * sequence. `undefined` if no image claims a size.
 */
export function planAvif(file: Uint8Array): LibraryPlan | undefined {
  const properties = findBox(file, 'meta', 'iprp', 'ipco')
  const track = readTrack(file)
  const tracks = track ? [track, ...(track.alpha ? [track.alpha] : [])] : []
  const claims = [...(properties ? readSizes(properties) : []), ...tracks]
  const size = claims.toSorted((a, b) => b.width * b.height - a.width * a.height)[0]
  if (!size) return undefined
  const shown = properties ? readDisplay(file, [...readBoxes(properties)]) : { orientation: 1 }
  const pictures: LibraryPicture[] = [{ file: () => file, ...(shown.area && { area: shown.area }) }]
  const profile = properties && readProfile(properties)
  const common = { ...size, orientation: shown.orientation, pictures, ...(profile && { profile }) }
  if (!track) return { ...common, isPartial: false }
  // What takes the primary image where another takes the sequence.
  if (properties) pictures.push({ file: () => withBrand(file, 'avif') })
  const stops = stopsOf(track)
  for (const stop of stops) pictures.push({ file: () => frameFile(track, stop) })
  const isPartial = stops.length < track.samples.length
  return { ...common, isPartial }
}

/** Sizes that images of the file claim (ISO/IEC 23008-12, 6.5.3: `ispe` properties). */
function* readSizes(properties: Uint8Array): Generator<{ width: number; height: number }> {
  for (const { type, data } of readBoxes(properties)) {
    if (type === 'ispe' && data.length >= 12)
      yield { width: u32At(data, 4), height: u32At(data, 8) }
  }
}

/** The first ICC profile (ISO/IEC 14496-12, 12.1.5: `colr`). */
function readProfile(properties: Uint8Array): Uint8Array | undefined {
  for (const { type, data } of readBoxes(properties)) {
    if (type === 'colr' && /^(prof|rICC)$/.test(ascii(data.subarray(0, 4)))) return data.subarray(4)
  }
  return undefined
}

/** By the quarter turns of `irot`, anticlockwise: the Exif orientation alone, and with each axis of `imir` after it. */
const ORIENTATIONS = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
] as const

/** How the primary image is displayed (ISO/IEC 23008-12, 6.5.10 to 6.5.12). */
function readDisplay(
  file: Uint8Array,
  properties: { type: string; data: Uint8Array }[],
): { orientation: number; area?: Area } {
  const meta = findBox(file, 'meta')?.subarray(4)
  const pitm = meta && findBox(meta, 'pitm')
  const ipma = meta && findBox(meta, 'iprp', 'ipma')
  if (!pitm || !ipma) return { orientation: 1 }
  const primary = pitm[0] === 0 ? u16At(pitm, 4) : u32At(pitm, 4)
  const own = readAssociations(ipma, primary).map((index) => properties[index - 1])
  const dataOf = (type: string) => own.find((property) => property?.type === type)?.data
  const turns = (dataOf('irot')?.[0] ?? 0) & 3
  const mirror = dataOf('imir')
  const orientation = ORIENTATIONS[turns]?.[mirror ? 1 + ((mirror[0] ?? 0) & 1) : 0] ?? 1
  const area = readAperture(dataOf('clap'), dataOf('ispe'))
  return { orientation, ...(area && { area }) }
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

/** The file with another major brand, by which libraries choose between image and sequence. */
function withBrand(file: Uint8Array, brand: string): Uint8Array {
  const copy = file.slice()
  if (ascii(file.subarray(4, 8)) === 'ftyp') copy.set(new TextEncoder().encode(brand), 8)
  return copy
}

/** Numbers of the samples to look at: all, or every so many that are as much work as is allowed. */
function stopsOf(track: Track): number[] {
  const layers = track.alpha ? [track, track.alpha] : [track]
  const cost = (sample: number) =>
    layers.reduce((sum, layer) => {
      return sum + (sample - syncSampleOf(layer, sample) + 1) * layer.width * layer.height
    }, 0)
  for (let step = 1; step <= track.samples.length; step++) {
    const stops = track.samples.map((_, i) => i).filter((i) => i % step === 0)
    const total = stops.reduce((sum, stop) => sum + cost(stop), 0)
    if (stops.length <= MAX_FRAMES && total <= MAX_SEQUENCE_PIXELS) return stops
  }
  return [0]
}

/** The sample from which on another can be decoded. */
function syncSampleOf(track: Track, sample: number): number {
  return track.keys.findLast((key) => key <= sample) ?? 0
}

/** A still file of a frame: the library decodes all data of an item, and gives the last frame in it. */
function frameFile(track: Track, stop: number): Uint8Array {
  return stillAvif(imageOf(track, stop), track.alpha && imageOf(track.alpha, stop))
}

function imageOf(track: Track, stop: number): Image {
  return { track, samples: track.samples.slice(syncSampleOf(track, stop), stop + 1) }
}
