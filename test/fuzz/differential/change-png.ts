import { deflateSync } from 'node:zlib'
import { ascii } from '../../support/jpeg-writer.ts'
import { joinPng } from '../../support/png-writer.ts'
import { below, pick, type Random } from '../choose.ts'
import { insert, viewOf, withByte } from './bytes.ts'

type Chunk = [type: string, data: Uint8Array]

/** Changes chunks of a PNG, whose check sums stay right; seldom one of its bytes. */
export function changePng(file: Uint8Array, random: Random): Uint8Array {
  const chunks = chunksOf(file)
  const [header] = chunks
  if (!header || random() < 0.1) return changeByte(file, random)
  const at = 1 + below(chunks.length, random)
  switch (below(6, random)) {
    case 0:
      chunks[0] = ['IHDR', withByte(header[1], 8 + below(5, random), pick(HEADER_VALUES, random))]
      break
    case 1:
    case 2:
      chunks.splice(at, 0, pick(EXTRA_CHUNKS, random)(random))
      break
    case 3:
      splitData(chunks, random)
      break
    case 4: {
      const [moved] = chunks.splice(Math.min(at, chunks.length - 1), 1)
      if (moved) chunks.splice(1 + below(chunks.length, random), 0, moved)
      break
    }
    default: {
      const found = chunks.find(([type]) => type === 'PLTE' || type === 'tRNS' || type === 'IDAT')
      if (found) found[1] = found[1].subarray(0, Math.ceil(found[1].length * (0.6 + random() / 2)))
    }
  }
  return joinPng(chunks)
}

const HEADER_VALUES = [0, 1, 2, 3, 4, 6, 8, 16]

const bytes = (count: number, random: Random) =>
  Uint8Array.from({ length: count }, () => below(256, random))

/** Chunks that a file may have besides, or that say something else. */
const EXTRA_CHUNKS: readonly ((random: Random) => Chunk)[] = [
  (random) => ['gAMA', Uint8Array.of(0, 0, below(256, random), below(256, random))],
  () => ['sRGB', Uint8Array.of(0)],
  (random) => ['cHRM', bytes(32, random)],
  (random) => ['tRNS', bytes(pick([1, 2, 6, 40], random), random)],
  (random) => ['bKGD', bytes(pick([1, 2, 6], random), random)],
  (random) => ['sBIT', Uint8Array.of(...Array<number>(pick([1, 3, 4], random)).fill(5))],
  (random) => ['pHYs', bytes(9, random)],
  (random) => ['tEXt', bytes(20, random)],
  (random) => ['hIST', bytes(16, random)],
  (random) => ['PLTE', bytes(3 * (1 + below(60, random)), random)],
  (random) => ['iCCP', Uint8Array.from([...ascii('x'), 0, 0, ...deflateSync(bytes(90, random))])],
  (random) => ['acTL', Uint8Array.of(0, 0, 0, below(3, random), 0, 0, 0, 0)],
  (random) => ['IDAT', bytes(below(9, random), random)],
  (random) => ['qqqq', bytes(8, random)],
  (random) => ['IEND', bytes(0, random)],
]

function chunksOf(file: Uint8Array): Chunk[] {
  const view = viewOf(file)
  const chunks: Chunk[] = []
  for (let at = 8; at + 12 <= file.length;) {
    const length = view.getUint32(at)
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8))
    if (type === 'IEND' || at + 12 + length > file.length) break
    chunks.push([type, file.slice(at + 8, at + 8 + length)])
    at += 12 + length
  }
  return chunks
}

/** Cuts the data in two, with perhaps something between. */
function splitData(chunks: Chunk[], random: Random): void {
  const at = chunks.findIndex(([type]) => type === 'IDAT')
  const data = chunks[at]?.[1]
  if (!data) return
  const cut = below(data.length + 1, random)
  const between: Chunk[] = random() < 0.3 ? [pick(EXTRA_CHUNKS, random)(random)] : []
  chunks.splice(at, 1, ['IDAT', data.slice(0, cut)], ...between, ['IDAT', data.slice(cut)])
}

function changeByte(file: Uint8Array, random: Random): Uint8Array {
  if (random() < 0.5) return insert(file, file.length, bytes(30, random))
  return withByte(file, below(file.length, random), below(256, random))
}
