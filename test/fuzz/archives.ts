import {
  base256,
  paxRecord,
  type TarFile,
  writeGzip,
  writeTar,
  writeZip,
  type ZipFile,
  type ZipNumbers,
} from '../support/archive-writer.ts'
import { writeBmp } from '../support/bmp-writer.ts'
import { writeGif } from '../support/gif-writer.ts'
import { below, pick, type Random } from './choose.ts'

export const ARCHIVE_FORMATS = ['zip', 'tar', 'gzip'] as const

export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number]

/** Makes archives, most of them good, with images, texts and archives in them. */
export function generateArchive(format: ArchiveFormat, random: Random, depth = 0): Uint8Array {
  switch (format) {
    case 'zip':
      return generateZip(random, depth)
    case 'tar':
      return generateTar(random, depth)
    case 'gzip':
      return generateGzip(random, depth)
  }
}

function generateContent(random: Random, depth: number): Uint8Array {
  const side = () => 5 + below(20, random)
  switch (below(depth > 2 ? 3 : 4, random)) {
    case 0:
      return new Uint8Array(below(300, random)).fill(below(256, random))
    case 1:
      return writeBmp({ width: side(), height: side(), bits: 8, pixel: (x, y) => (x * y) % 256 })
    case 2:
      return writeGif({
        width: 20,
        height: 20,
        palette: [
          [0, 0, 0],
          [255, 255, 255],
        ],
        frames: [{ x: 0, y: 0, width: 20, height: 20, pixel: (x, y) => (x ^ y) & 1 }],
      })
    default:
      return generateArchive(pick(ARCHIVE_FORMATS, random), random, depth + 1)
  }
}

function generateZip(random: Random, depth: number): Uint8Array {
  const lie = (): { local?: Partial<ZipNumbers> } | { central?: Partial<ZipNumbers> } => {
    if (random() < 0.9) return {}
    const key = pick(['crc', 'compressedBytes', 'bytes', 'method', 'flags', 'offset'], random)
    return {
      [pick(['local', 'central'], random)]: { [key]: below(random() < 0.5 ? 10 : 3000, random) },
    }
  }
  const files = Array.from({ length: below(4, random) }, (_, i): ZipFile => {
    return {
      name: `${i}`,
      content: generateContent(random, depth),
      method: pick([0, 8, 8, 8], random),
      flags: random() < 0.05 ? 1 : 0,
      hasDescriptor: random() < 0.3,
      isZip64: random() < 0.2,
      ...lie(),
      ...(random() < 0.05 && { gap: generateContent(random, 3) }),
      ...(random() < 0.03 && { only: pick(['local', 'central'] as const, random) }),
    }
  })
  const prefix = random() < 0.2 ? generateContent(random, 3) : new Uint8Array(0)
  const start = random() < 0.5 ? prefix.length : 0
  const comment = new Uint8Array(below(2, random) * below(50, random))
  return Buffer.concat([prefix, writeZip(files, { start, comment, isZip64: random() < 0.2 })])
}

function generateTar(random: Random, depth: number): Uint8Array {
  const files = Array.from({ length: below(5, random) }, (_, i): TarFile => {
    if (random() < 0.2) {
      const record = paxRecord(
        pick(['size', 'path', 'GNU.sparse.x'], random),
        `${below(900, random)}`,
      )
      return { name: 'pax', content: record, type: pick(['x', 'g'], random) }
    }
    const content = generateContent(random, depth)
    const type = random() < 0.8 ? '0' : pick(['\0', '5', 'L', 'S', '2', 'V', '7'], random)
    return { name: `${i}`, content, type, ...(random() < 0.2 && { size: base256(content.length) }) }
  })
  return writeTar(files)
}

function generateGzip(random: Random, depth: number): Uint8Array {
  const members = Array.from({ length: 1 + below(2, random) }, () =>
    writeGzip(generateContent(random, depth), {
      ...(random() < 0.3 && { name: 'name' }),
      ...(random() < 0.3 && { extra: new Uint8Array(below(20, random)) }),
      ...(random() < 0.3 && { hasCrc: true as const }),
    }),
  )
  const behind = random() < 0.2 ? generateContent(random, 3) : new Uint8Array(0)
  return Buffer.concat([...members, behind])
}
