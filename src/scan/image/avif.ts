import { ascii } from '../../util/ascii.ts'
import { readTrack, type Track } from './avif-track.ts'
import { type Image, stillAvif } from './avif-writer.ts'
import { findBox, readBoxes, u32At } from './iso-boxes.ts'
import { readColourBox, readDisplay, readMaster, withPrimary } from './item-properties.ts'
import { type LibraryPicture, type LibraryPlan, thinnedOut } from './library-plan.ts'

/**
 * Pixels that frames of a sequence may take to decode, including those before them: a frame is
 * decoded from its key frame on.
 */
const MAX_SEQUENCE_PIXELS = 2_600_000
/** Maximum frames decoded: each takes an instance of the library. */
const MAX_FRAMES = 12

/**
 * What viewers show of an AVIF file: its primary image, turned and cropped according to its
 * properties, and the frames of its sequence. `undefined` if no image claims a size.
 */
export function planAvif(file: Uint8Array): LibraryPlan | undefined {
  const properties = findBox(file, 'meta', 'iprp', 'ipco')
  const track = readTrack(file)
  const tracks = track ? [track, ...(track.alpha ? [track.alpha] : [])] : []
  const claims = [...(properties ? readSizes(properties) : []), ...tracks]
  const size = claims.toSorted((a, b) => b.width * b.height - a.width * a.height)[0]
  if (!size) return undefined
  const shown = readDisplay(file)
  const pictures: LibraryPicture[] = [{ file: () => file, ...(shown.area && { area: shown.area }) }]
  const master = readMaster(file)
  if (master !== undefined) {
    const { area } = readDisplay(file, master)
    pictures.push({ file: () => withPrimary(file, master), ...(area && { area }) })
  }
  const space = readColourBox(file)
  const common = { ...size, orientation: shown.orientation, pictures, ...(space && { space }) }
  if (!track) return { ...common, isPartial: false }
  // Some programs show the primary image where others show the sequence.
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

/** The file with another major brand: libraries use it to choose between image and sequence. */
function withBrand(file: Uint8Array, brand: string): Uint8Array {
  const copy = file.slice()
  if (ascii(file.subarray(4, 8)) === 'ftyp') copy.set(new TextEncoder().encode(brand), 8)
  return copy
}

/** Numbers of the samples to decode: all, or every n-th, as far as the work limit allows. */
function stopsOf(track: Track): number[] {
  const layers = track.alpha ? [track, track.alpha] : [track]
  const cost = (sample: number) =>
    layers.reduce((sum, layer) => {
      return sum + (sample - syncSampleOf(layer, sample) + 1) * layer.width * layer.height
    }, 0)
  return thinnedOut([...track.samples.keys()], (stops) => {
    const total = stops.reduce((sum, stop) => sum + cost(stop), 0)
    return stops.length <= MAX_FRAMES && total <= MAX_SEQUENCE_PIXELS
  })
}

/** The sample where decoding must begin for another one. */
function syncSampleOf(track: Track, sample: number): number {
  return track.keys.findLast((key) => key <= sample) ?? 0
}

/**
 * A still file of a frame: the library decodes all data of an item and returns the last frame in
 * it.
 */
function frameFile(track: Track, stop: number): Uint8Array {
  return stillAvif(imageOf(track, stop), track.alpha && imageOf(track.alpha, stop))
}

function imageOf(track: Track, stop: number): Image {
  return { track, samples: track.samples.slice(syncSampleOf(track, stop), stop + 1) }
}
