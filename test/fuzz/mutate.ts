import { deflateSync, inflateSync } from 'node:zlib'
import { joinPng } from '../support/png-writer.ts'
import { below, pick, type Random } from './choose.ts'
import { mutateBytes } from './mutate-bytes.ts'
import type { FuzzedFormat } from './seeds.ts'
import { changeTiff } from './tiff.ts'

/** Changes a file a few times: bytes anywhere, or the parts that its format is made of. */
export function mutate(
  file: Uint8Array,
  other: Uint8Array,
  format: FuzzedFormat,
  random: Random,
): Uint8Array {
  let mutated = file
  const times = 1 + below(4, random)
  for (let i = 0; i < times; i++) {
    mutated =
      random() < 0.5
        ? mutateBytes(mutated, other, random)
        : mutateParts(mutated, other, format, random)
  }
  return mutated
}

/** Removes, repeats, swaps or borrows parts; or changes the pixels inside a PNG's compressed data. */
export function mutateParts(
  file: Uint8Array,
  other: Uint8Array,
  format: FuzzedFormat,
  random: Random,
): Uint8Array {
  if (format === 'png' && random() < 0.4) return mutatePngRows(file, random)
  if (format === 'tiff' && random() < 0.7) return changeTiff(file, random)
  const parts = split(file, format)
  const at = 1 + below(Math.max(1, parts.length - 1), random)
  const part = parts[at] ?? new Uint8Array(0)
  switch (below(5, random)) {
    case 0:
      parts.splice(at, 1)
      break
    case 1:
      parts.splice(at, 0, ...Array.from({ length: 1 + below(20, random) }, () => part))
      break
    case 2:
      parts.splice(below(parts.length, random), 0, part)
      break
    case 3:
      parts.splice(at, 0, pick(split(other, format), random))
      break
    default:
      parts[at] = mutateBytes(part, part, random)
  }
  return concat(...parts)
}

const SPLITTERS: Record<FuzzedFormat, (file: Uint8Array) => number[]> = {
  jpeg: (file) =>
    positions(
      file,
      (byte, next) => byte === 0xff && next >= 0xc0 && !(next >= 0xd0 && next < 0xd8),
    ),
  png: (file) => chunkStarts(file, 8, 12, false),
  gif: (file) => positions(file, (byte, next) => byte === 0x2c || (byte === 0x21 && next >= 0xf9)),
  bmp: (file) => [14, 18, 54, 54 + 1024].filter((at) => at < file.length),
  webp: (file) => chunkStarts(file, 12, 8, true),
  zip: (file) => positions(file, (byte, next) => byte === 0x50 && next === 0x4b),
  tar: (file) => Array.from({ length: Math.floor(file.length / 512) }, (_, i) => 512 * (i + 1)),
  gzip: (file) => positions(file, (byte, next) => byte === 0x1f && next === 0x8b),
  tiff: (file) => positions(file, (byte, next) => byte >= 1 && byte <= 2 && next < 64),
  avif: (file) => positions(file, (byte, next) => byte >= 0x61 && byte <= 0x7a && next >= 0x61),
}

function split(file: Uint8Array, format: FuzzedFormat): Uint8Array[] {
  const starts = [0, ...SPLITTERS[format](file)]
  return starts.map((start, i) => file.subarray(start, starts[i + 1] ?? file.length))
}

function positions(file: Uint8Array, isStart: (byte: number, next: number) => boolean): number[] {
  const found: number[] = []
  for (let i = 1; i + 1 < file.length; i++) {
    if (isStart(file[i] ?? 0, file[i + 1] ?? 0)) found.push(i)
  }
  return found
}

/** Starts of chunks with a length: before the type in PNG, behind it in RIFF. */
function chunkStarts(file: Uint8Array, first: number, extra: number, isRiff: boolean): number[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const starts: number[] = []
  for (let at = first; at + 8 <= file.length && starts.length < 200;) {
    starts.push(at)
    const length = isRiff ? view.getUint32(at + 4, true) : view.getUint32(at)
    at += extra + length + (isRiff ? length % 2 : 0)
  }
  return starts
}

/** Changes bytes of the rows before they are compressed, or how they are compressed. */
function mutatePngRows(file: Uint8Array, random: Random): Uint8Array {
  const starts = chunkStarts(file, 8, 12, false)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const chunks = starts.map((at): [string, Uint8Array] => {
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8))
    return [type, file.subarray(at + 8, at + 8 + view.getUint32(at))]
  })
  const data = concat(...chunks.filter(([type]) => type === 'IDAT').map(([, bytes]) => bytes))
  let rows: Uint8Array
  try {
    rows = inflateSync(data)
  } catch {
    return file
  }
  const changed = deflateSync(mutateBytes(rows, rows, random), { level: below(10, random) })
  const before = chunks.filter(([type]) => type !== 'IDAT' && type !== 'IEND')
  const cut = below(changed.length + 1, random)
  const parts = [changed.subarray(0, cut), changed.subarray(cut)]
  return joinPng([...before, ...parts.map((part): [string, Uint8Array] => ['IDAT', part])])
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
