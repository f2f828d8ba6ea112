import { viewOf } from '../../util/bytes.ts'
import { findBox, readBoxes, u16At, u32At } from './iso-boxes.ts'

/** The pictures of an AVIF sequence: samples of a track coded in AV1. */
export interface Track {
  width: number
  height: number
  /** The `av1C` box's content. */
  configuration: Uint8Array
  samples: Uint8Array[]
  /** Numbers, from 0, of samples that can be decoded by themselves. */
  keys: number[]
  /** Alpha of each sample. */
  alpha?: Track
}

/** Maximum samples examined. */
const MAX_SAMPLES = 10_000
/** Bytes of a visual sample entry before its boxes (ISO/IEC 14496-12, 12.1.3). */
const ENTRY_BYTES = 78

/**
 * The first track with pictures, and the first with alpha: libavif distinguishes them by the
 * reference `auxl`.
 */
export function readTrack(file: Uint8Array): Track | undefined {
  const moov = findBox(file, 'moov')
  let colour: Track | undefined
  let alpha: Track | undefined
  for (const { type, data } of moov ? readBoxes(moov) : []) {
    const table = type === 'trak' && findBox(data, 'mdia', 'minf', 'stbl')
    const track = table ? readSampleTable(file, table) : undefined
    if (!track || track.samples.length === 0) continue
    if (findBox(data, 'tref', 'auxl')) alpha ??= track
    else colour ??= track
  }
  return colour && alpha ? { ...colour, alpha } : colour
}

function readSampleTable(file: Uint8Array, table: Uint8Array): Track | undefined {
  const entry = findBox(findBox(table, 'stsd')?.subarray(8) ?? table, 'av01')
  const configuration = entry && findBox(entry.subarray(ENTRY_BYTES), 'av1C')
  if (!entry || !configuration) return undefined
  const keys = findBox(table, 'stss')
  return {
    width: u16At(entry, 24),
    height: u16At(entry, 26),
    configuration,
    samples: readSamples(file, table),
    keys: keys ? boxTable(keys, 4).map((at) => u32At(keys, at) - 1) : [],
  }
}

/** Offsets of a table's entries, `bytes` each. Their count is at offset 4. */
function boxTable(box: Uint8Array, bytes: number): number[] {
  const count = Math.min(u32At(box, 4), Math.floor((box.length - 8) / bytes), MAX_SAMPLES)
  return Array.from({ length: Math.max(0, count) }, (_, i) => 8 + bytes * i)
}

/**
 * Samples in order: chunks follow each other, and runs of chunks (stsc) say how many samples each
 * has.
 */
function readSamples(file: Uint8Array, table: Uint8Array): Uint8Array[] {
  const sizes = findBox(table, 'stsz')
  const runs = findBox(table, 'stsc')
  if (!sizes || !runs) return []
  const same = u32At(sizes, 4)
  const count = Math.min(u32At(sizes, 8), MAX_SAMPLES)
  const starts = boxTable(runs, 12)
  const samples: Uint8Array[] = []
  chunkOffsets(table).forEach((offset, chunk) => {
    const run = starts.findLast((at) => u32At(runs, at) <= chunk + 1)
    let left = run === undefined ? 0 : u32At(runs, run + 4)
    for (let at = offset; left > 0 && samples.length < count; left--) {
      const size = same || u32At(sizes, 12 + 4 * samples.length)
      samples.push(file.subarray(at, at + size))
      at += size
    }
  })
  return samples
}

function chunkOffsets(table: Uint8Array): number[] {
  const short = findBox(table, 'stco')
  if (short) return boxTable(short, 4).map((at) => u32At(short, at))
  const long = findBox(table, 'co64')
  return long ? boxTable(long, 8).map((at) => Number(viewOf(long).getBigUint64(at))) : []
}
