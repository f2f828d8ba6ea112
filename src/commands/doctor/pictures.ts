import { readModules } from '../../core/node.ts'
import type { Entry } from '../../list/entry.ts'
import { scanFile } from '../../scan/scanner.ts'
import { HashgateError } from '../../util/errors.ts'

const HEADER_BYTES = 54
const BYTES_PER_PIXEL = 3
const SHAPES = 60
const SIDE = 256

/** Seeds of the two pictures: one that the drill's bank has, and one that it has not. */
export const KNOWN_SEED = 11
export const OTHER_SEED = 12

/** The drill's picture has no hash: a bug. */
class NoHashError extends HashgateError {
  readonly code = 'no-hash'
}

/** A picture that is made from a seed, as a BMP file; the same at each size. */
export function drillPicture(seed: number, side = SIDE): Uint8Array<ArrayBuffer> {
  const width = Math.ceil(side / 4) * 4 // rows of BMP are padded to 4 bytes
  const bytes = new Uint8Array(HEADER_BYTES + width * width * BYTES_PER_PIXEL)
  writeHeader(new DataView(bytes.buffer), width)
  const random = randomFrom(seed)
  bytes.fill(128, HEADER_BYTES)
  for (let i = 0; i < SHAPES; i++) {
    const [left, top] = [random(), random()]
    const [right, bottom] = [left + random() / 3, top + random() / 3]
    fill(bytes, width, { left, top, right, bottom }, Math.floor(random() * 256))
  }
  return bytes
}

/** A picture of at least as many bytes. */
export function longDrillPicture(seed: number, leastBytes: number): Uint8Array<ArrayBuffer> {
  return drillPicture(seed, Math.ceil(Math.sqrt(leastBytes / BYTES_PER_PIXEL)))
}

/** The entries of the drill's bank. */
export async function drillEntries(): Promise<Entry[]> {
  const scanned = await scanFile({ modules: readModules() }, drillPicture(KNOWN_SEED))
  const identity = scanned.coverage === 'scanned' ? scanned.needles[0] : undefined
  if (!identity) throw new NoHashError('the picture of the drill has no hash; report this as a bug')
  return [{ kind: 'pdq', hash: identity.hash, id: 'drill', labels: { source: 'hashgate doctor' } }]
}

function writeHeader(view: DataView, width: number): void {
  view.setUint16(0, 0x4d42, true)
  view.setUint32(2, view.byteLength, true)
  view.setUint32(10, HEADER_BYTES, true)
  view.setUint32(14, 40, true)
  view.setInt32(18, width, true)
  view.setInt32(22, width, true)
  view.setUint16(26, 1, true)
  view.setUint16(28, BYTES_PER_PIXEL * 8, true)
}

interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** Fills a rectangle, given in parts of the picture. */
function fill(bytes: Uint8Array, width: number, box: Box, level: number): void {
  const at = (part: number) => Math.min(width, Math.round(part * width))
  for (let y = at(box.top); y < at(box.bottom); y++) {
    const row = HEADER_BYTES + y * width * BYTES_PER_PIXEL
    bytes.fill(level, row + at(box.left) * BYTES_PER_PIXEL, row + at(box.right) * BYTES_PER_PIXEL)
  }
}

/** Numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
