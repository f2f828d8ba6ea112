import { below, pick, type Random } from '../choose.ts'
import { insert, splice, withByte } from './bytes.ts'

const [DHT, RST, SOI, EOI, SOS, DQT, DRI] = [0xc4, 0xd0, 0xd8, 0xd9, 0xda, 0xdb, 0xdd]

/** Changes markers, lengths, tables, frame, scans or coefficients of a JPEG. */
export function changeJpeg(file: Uint8Array, random: Random): Uint8Array {
  switch (below(10, random)) {
    case 0:
      return insert(file, 2, segment(random))
    case 1:
      return insert(file, pick(segmentStarts(file), random), segment(random))
    case 2:
      return changeIn(file, DQT, 5 + below(40, random), pick([1, 5, 64, 255], random))
    case 3:
      return file.slice(0, Math.floor(file.length * (0.55 + random() * 0.45)))
    case 4:
      return insert(file, pick(segmentStarts(file), random), pick(STRAY, random))
    case 5:
      return changeIn(file, DHT, 5 + below(60, random), below(256, random))
    case 6:
      return changeFrame(file, random)
    case 7:
      return changeScan(file, random)
    case 8:
      return swapSegments(file, random)
    default:
      return changeData(file, random)
  }
}

/** Bytes between segments: fill bytes, bytes that are no marker, markers without a segment. */
const STRAY = [
  [0xff, 0xff],
  [0, 7],
  [0xff, 0x01],
  [0xff, RST],
  [0xff, SOI],
]

/** A segment that changes little or nothing, or that is too short. */
function segment(random: Random): number[] {
  const code = pick([0xfe, 0xe0, 0xe1, 0xe2, 0xee, DRI, DQT, 0xdc], random)
  const length = pick([0, 1, 2, 3, 4, 9, 40], random)
  const body = Array.from({ length: Math.max(0, length - 2) }, () => below(256, random))
  return [0xff, code, 0, length, ...body]
}

/** Where the segments before the first scan begin. */
function segmentStarts(file: Uint8Array): number[] {
  const starts: number[] = []
  for (let at = 2; at + 4 < file.length && file[at] === 0xff && file[at + 1] !== SOS;) {
    starts.push(at)
    at += 2 + ((file[at + 2] ?? 0) << 8) + (file[at + 3] ?? 0)
  }
  return starts.length > 0 ? starts : [2]
}

/** Where a marker of a kind is first. */
function markerAt(file: Uint8Array, ...codes: number[]): number {
  for (let at = 2; at + 1 < file.length; at++) {
    if (file[at] === 0xff && codes.includes(file[at + 1] ?? 0)) return at
  }
  return -1
}

function changeIn(file: Uint8Array, code: number, offset: number, value: number): Uint8Array {
  const at = markerAt(file, code)
  return at < 0 ? file : withByte(file, at + offset, value)
}

/** Changes sampling, ids, tables or lines of the frame. */
function changeFrame(file: Uint8Array, random: Random): Uint8Array {
  const at = markerAt(file, 0xc0, 0xc1, 0xc2)
  if (at < 0) return file
  const component = at + 10 + 3 * below(3, random)
  switch (below(5, random)) {
    case 0:
      return withByte(file, component + 1, pick([0x11, 0x12, 0x21, 0x22, 0x41], random))
    case 1:
      return withByte(file, component, pick([0, 1, 2, 3, 0x42, 0x47, 0x52], random))
    case 2:
      return withByte(file, component + 2, below(4, random))
    case 3:
      return withByte(file, at + 6, pick([40, 64, 72, 80, 96], random))
    default:
      return withByte(file, at + 1, pick([0xc0, 0xc1, 0xc2], random))
  }
}

/** Changes which tables and coefficients a scan has, or sets a restart interval. */
function changeScan(file: Uint8Array, random: Random): Uint8Array {
  const at = markerAt(file, SOS)
  if (at < 0) return file
  const count = file[at + 4] ?? 1
  const behind = at + 5 + 2 * count
  switch (below(4, random)) {
    case 0:
      return withByte(file, at + 6 + 2 * below(count, random), pick([0, 1, 0x10, 0x11], random))
    case 1:
      return withByte(file, behind + below(3, random), pick([0, 1, 5, 10, 63], random))
    case 2:
      return insert(file, at, [0xff, DRI, 0, 4, 0, pick([0, 1, 5, 12], random)])
    default:
      return insert(file, at, file.subarray(at, behind + 3)) // a scan without data before it
  }
}

function swapSegments(file: Uint8Array, random: Random): Uint8Array {
  const starts = segmentStarts(file)
  const at = below(starts.length - 1, random)
  const [first, second] = [starts[at], starts[at + 1]]
  if (first === undefined || second === undefined) return file
  const end = second + 2 + ((file[second + 2] ?? 0) << 8) + (file[second + 3] ?? 0)
  const swapped = Buffer.concat([file.subarray(second, end), file.subarray(first, second)])
  return splice(file, first, end - first, swapped)
}

/** Changes coefficients, or puts a marker between them. */
function changeData(file: Uint8Array, random: Random): Uint8Array {
  const from = markerAt(file, SOS)
  if (from < 0) return file
  // Behind the first half: what is changed goes on to the end of the scan.
  const at = from + Math.floor((file.length - from) * (0.5 + random() / 2))
  switch (below(4, random)) {
    case 0:
      return insert(file, at, [0xff, RST + below(8, random)])
    case 1:
      return splice(file, at, 1 + below(8, random), [])
    case 2:
      return insert(file, file.length, [0xff, pick([EOI, SOI, SOS, 0xfe], random), 0, 5, 1, 2, 3])
    default:
      return withByte(file, at, below(256, random))
  }
}
