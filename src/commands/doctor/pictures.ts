import { crc32, deflateSync } from 'node:zlib'
import { readModules } from '../../core/node.ts'
import type { Entry } from '../../list/entry.ts'
import { scanFile } from '../../scan/scanner.ts'
import { HashgateError } from '../../util/errors.ts'
import { needlesOf } from '../../scan/scanned.ts'

const SIDE = 256
const SHAPES = 60
const PNG_MAGIC = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Seeds of the two pictures: the known one, which the drill's bank has, and the other one. */
export const KNOWN_SEED = 11
export const OTHER_SEED = 12

/** A grey PNG drawn from a seed. */
export function drillPicture(seed: number): Uint8Array<ArrayBuffer> {
  const luma = new Uint8Array(SIDE * SIDE).fill(128)
  const random = seededRandom(seed)
  for (let i = 0; i < SHAPES; i++) {
    const [left, top] = [random(), random()]
    const [right, bottom] = [left + random() / 3, top + random() / 3]
    fill(luma, { left, top, right, bottom }, Math.floor(random() * 256))
  }
  return pngOf(luma)
}

/** The drill's picture has no hash, which is a bug. */
class NoHashError extends HashgateError {
  readonly code = 'no-hash'
}

/** A file of `bytes` bytes that begins with the other picture and ends with the known one. */
export function longDrillFile(bytes: number): Uint8Array<ArrayBuffer> {
  const known = drillPicture(KNOWN_SEED)
  const file = new Uint8Array(bytes)
  file.set(drillPicture(OTHER_SEED))
  file.set(known, bytes - known.length)
  return file
}

export async function drillEntries(): Promise<Entry[]> {
  const scanned = await scanFile({ modules: readModules() }, drillPicture(KNOWN_SEED))
  const [identity] = needlesOf(scanned)
  if (!identity) throw new NoHashError('the picture of the drill has no hash; report this as a bug')
  return [{ kind: 'pdq', hash: identity.hash, id: 'drill', labels: { source: 'hashgate doctor' } }]
}

interface ShapeBox {
  left: number
  top: number
  right: number
  bottom: number
}

/** Fills a rectangle, given as fractions of the picture. */
function fill(luma: Uint8Array, { left, top, right, bottom }: ShapeBox, level: number): void {
  const at = (part: number) => Math.min(SIDE, Math.round(part * SIDE))
  for (let y = at(top); y < at(bottom); y++)
    luma.fill(level, y * SIDE + at(left), y * SIDE + at(right))
}

function pngOf(luma: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  header[8] = 8 // bits; the other fields are 0: grey, no interlace
  const rows = Buffer.alloc((SIDE + 1) * SIDE) // each row starts with a zero byte: no filter
  for (let y = 0; y < SIDE; y++)
    rows.set(luma.subarray(y * SIDE, (y + 1) * SIDE), y * (SIDE + 1) + 1)
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND')]
  return new Uint8Array(Buffer.concat([PNG_MAGIC, ...chunks]))
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(body, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}

/** Numbers from 0 to 1 (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
