import { deflateSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { allFiles } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance, type Hash256 } from '../../../src/util/hash.ts'
import { randomBytes } from '../../support/random.ts'
import { scanChunks } from '../../support/scan-chunks.ts'
import { picture } from '../../support/sharp-images.ts'

const context = { modules: readModules(), digestKinds: [] }
/** Sound, as far as a scanner knows. */
const SOUND = randomBytes(4000, 3)

let jpeg: Buffer
let png: Buffer
let known: Hash256
beforeAll(async () => {
  jpeg = await picture(300, 240).jpeg({ quality: 90 }).toBuffer()
  png = await picture(300, 240).png().toBuffer()
  const scanned = await scanFile(context, png)
  if (scanned.coverage === 'scanned') known = scanned.needles[0]!.hash
})

async function nearest(file: Uint8Array, limits = {}): Promise<number> {
  const all = allFiles(await scanFile({ ...context, limits }, file))
  const needles = all.flatMap((one) => (one.coverage === 'scanned' ? one.needles : []))
  return Math.min(256, ...needles.map(({ hash }) => distance(hash, known)))
}

/** Puts a zero after each 0xff that players might take for the beginning of sound. */
const unsynchronised = (bytes: Uint8Array) =>
  Buffer.from(
    [...bytes].flatMap((byte, i) => {
      const next = bytes[i + 1] ?? 0xff
      return byte === 0xff && (next >= 0xe0 || next === 0) ? [byte, 0] : [byte]
    }),
  )

const word = (value: number) => [24, 16, 8, 0].map((shift) => (value >> shift) & 255)
const syncsafe = (value: number) => [21, 14, 7, 0].map((shift) => (value >> shift) & 127)
const body = (art: Buffer) => Buffer.from(`\0image/any\0\x03x\0${art.toString('latin1')}`, 'latin1')

function frame(version: number, form: number, data: Uint8Array, before: number[] = []): Buffer {
  const length = data.length + before.length
  const size = version === 4 ? syncsafe(length) : word(length)
  return Buffer.from([...Buffer.from('APIC'), ...size, 0, form, ...before, ...data])
}

function id3(version: number, flags: number, data: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from([...Buffer.from('ID3'), version, 0, flags, ...syncsafe(data.length)]),
    data,
    SOUND,
  ])
}

const FORMS: Record<string, (art: Buffer) => Buffer> = {
  'version 2.3': (art) => id3(3, 0, frame(3, 0, body(art))),
  'version 2.2, unsynchronised': (art) => {
    const data = Buffer.from(`\0PNG\x03x\0${art.toString('latin1')}`, 'latin1')
    const size = word(data.length).slice(1)
    return id3(2, 0x80, unsynchronised(Buffer.from([...Buffer.from('PIC'), ...size, ...data])))
  },
  'version 2.3, unsynchronised': (art) => id3(3, 0x80, unsynchronised(frame(3, 0, body(art)))),
  'version 2.3, unsynchronised and compressed': (art) =>
    id3(3, 0x80, unsynchronised(frame(3, 0x80, deflateSync(body(art)), word(body(art).length)))),
  'version 2.4, all unsynchronised': (art) =>
    id3(4, 0x80, frame(4, 3, unsynchronised(body(art)), syncsafe(body(art).length))),
  'version 2.4, a frame unsynchronised': (art) => id3(4, 0, frame(4, 2, unsynchronised(body(art)))),
  'version 2.4, compressed, after an extended header': (art) => {
    const compressed = frame(4, 9, deflateSync(body(art)), syncsafe(body(art).length))
    return id3(4, 0x40, Buffer.concat([Buffer.from([0, 0, 0, 6, 1, 0]), compressed]))
  },
  'version 2.3, compressed': (art) =>
    id3(3, 0, frame(3, 0x80, deflateSync(body(art)), word(body(art).length))),
}

describe('cover art in ID3', () => {
  it.each(Object.keys(FORMS))('is hashed: %s', async (name) => {
    for (const art of [jpeg, png]) expect(await nearest(FORMS[name]!(art))).toBeLessThanOrEqual(10)
  })

  it('is found in whatever chunks the file comes', async () => {
    const file = FORMS['version 2.4, a frame unsynchronised']!(jpeg)
    for (const size of [1, 7, 4096]) {
      const all = allFiles(await scanChunks(file, size))
      expect(all.some((one) => one.coverage === 'scanned' && one.format === 'jpeg')).toBe(true)
    }
  })

  it('is over the limit if the tag cannot be held', async () => {
    const file = FORMS['version 2.3, unsynchronised']!(jpeg)
    const over = { ...context, limits: { heldBytes: 1000 } }
    const reasons = allFiles(await scanFile(over, file)).map((one) =>
      one.coverage === 'unscannable' ? one.reason : '',
    )
    expect(reasons).toContain('over-limit')
  })

  it('never throws, whatever the tag says', async () => {
    for (const size of [0, 5, 10, 11, 300]) {
      for (const version of [2, 3, 4]) {
        const file = id3(version, 0xc0, randomBytes(size, size + 1)).subarray(0, size + 20)
        expect(await scanFile(context, file)).toMatchObject({ reason: 'unknown-format' })
      }
    }
  })
})

/** Pages of Ogg with up to 255 segments of 255 bytes. Positions of headers are 0. */
function ogg(serial: number, packet: Uint8Array, position = 0n): Buffer {
  const pages: Buffer[] = []
  for (let at = 0; at < packet.length; at += 255 * 255) {
    const data = packet.subarray(at, at + 255 * 255)
    const lengths = Array.from({ length: Math.ceil(data.length / 255) }, (_, i) =>
      Math.min(255, data.length - i * 255),
    )
    const header = Buffer.alloc(27)
    header.write('OggS')
    header.writeBigInt64LE(at + 255 * 255 < packet.length ? -1n : position, 6)
    header.writeUInt32LE(serial, 14)
    header[26] = lengths.length
    pages.push(Buffer.concat([header, Buffer.from(lengths), data]))
  }
  return Buffer.concat(pages)
}

function comments(key: string, value: string): Buffer {
  const text = Buffer.from(`${key}=${value}`)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([Buffer.from('\x03vorbis\0\0\0\0\x01\0\0\0', 'latin1'), length, text])
}

const block = (art: Buffer) =>
  Buffer.concat([
    Buffer.from([0, 0, 0, 3, 0, 0, 0, 9, ...Buffer.from('image/any'), 0, 0, 0, 0]),
    Buffer.from([0, 0, 1, 44, 0, 0, 0, 240, 0, 0, 0, 24, 0, 0, 0, 0, ...word(art.length)]),
    art,
  ])

describe('cover art in Ogg', () => {
  it.each(['METADATA_BLOCK_PICTURE', 'COVERART'])(
    'is hashed, though it is in several pages: %s',
    async (key) => {
      for (const art of [jpeg, png]) {
        const coded = (key === 'COVERART' ? art : block(art)).toString('base64')
        const packet = comments(key, coded.padEnd(70_000, 'A'))
        const file = Buffer.concat([
          ogg(7, Buffer.from('\x01vorbis')),
          ogg(7, packet),
          ogg(7, SOUND, 99n),
        ])
        expect(await nearest(file)).toBeLessThanOrEqual(10)
        const all = allFiles(await scanChunks(file, 777))
        expect(all.some((one) => one.coverage === 'scanned' && one.width === 300)).toBe(true)
      }
    },
  )

  it('is hashed in the pages of one of several streams', async () => {
    const packet = comments('METADATA_BLOCK_PICTURE', block(png).toString('base64'))
    const half = Math.ceil(packet.length / 2 / (255 * 255)) * 255 * 255
    const parts = [packet.subarray(0, half), packet.subarray(half)]
    const file = Buffer.concat([
      ogg(1, parts[0]!, -1n),
      ogg(2, Buffer.from('\x80theora')),
      ogg(1, parts[1]!),
    ])
    expect(await nearest(file)).toBeLessThanOrEqual(10)
  })
})
