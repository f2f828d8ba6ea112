// Bodies that are too long to be held, where a bucket is bound: they wait in it, between real sockets, until their verdict.

import type { ClientRequest } from 'node:http'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { randomBytes } from '../support/random.ts'
import { startStaging } from '../support/staging-harness.ts'
import { writeTiff } from '../support/tiff-writer.ts'
import { sendUpload, type SendOptions } from '../support/upload-client.ts'
import { digest } from '../support/uploads.ts'
import { newWatcher } from '../support/watcher.ts'

const MIB = 1024 * 1024
const watcher = newWatcher()
const { origin, url, known, unrelated, toldOf, expectNothingStaged } = await startStaging({
  API_KEYS: watcher.API_KEYS,
  upload: { maxBufferedBytes: MIB, maxBodyBytes: 12 * MIB, maxHeldBytes: 8 * MIB },
  policy: { onUnscannable: 'refuse' },
  origin: { timeoutSeconds: 5 },
})

const send = (body: Uint8Array, options: SendOptions = {}, path = '/a.jpg') =>
  sendUpload(new URL(path, url), body, options)

/** Who is answered while still sending may have its connection reset before it has read the answer. */
const answerOrReset = (sent: ReturnType<typeof send>) =>
  sent.then(
    ({ status }) => status,
    () => 'reset',
  )

function behind(image: Uint8Array, bytes: number): Buffer {
  return Buffer.concat([image, randomBytes(bytes - image.length, bytes)])
}

/** An AVIF and a TIFF that are longer than is held, and end only there. */
async function longAvif(image: Buffer): Promise<Buffer> {
  const avif = await sharp(image).avif({ effort: 0, quality: 90 }).toBuffer()
  const free = Buffer.alloc(3 * MIB)
  free.writeUInt32BE(free.length)
  free.write('free', 4)
  return Buffer.concat([avif, free])
}

async function longTiff(image: Buffer): Promise<Buffer> {
  const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true })
  const size = { 256: [info.width], 257: [info.height], 278: [info.height] }
  const tags = {
    ...size,
    258: [8, 8, 8],
    259: [1],
    262: [2],
    277: [3],
    700: randomBytes(3 * MIB, 2),
  }
  return Buffer.from(writeTiff([{ tags, segments: [data] }]))
}

/** Sizes of chunks for a chunked body. */
const chunksOf = (body: Uint8Array) => Array.from({ length: body.length / 50_000 }, () => 50_000)

describe('a body without a length', () => {
  it.each([MIB + 1, 9 * MIB + 3])('arrives with one, byte for byte: %i bytes', async (bytes) => {
    const body = behind(unrelated, bytes)
    expect((await send(body, { chunks: chunksOf(body) })).status).toBe(201)
    const [received, ...others] = origin.received
    expect(others).toEqual([])
    expect(received?.headers['content-length']).toBe(String(bytes))
    expect(digest(received!.body)).toBe(digest(body))
    await expectNothingStaged()
  })

  it('is refused before the origin hears of it, wherever a known picture is', async () => {
    const bodies = [
      behind(known, 3 * MIB),
      Buffer.concat([behind(unrelated, 6 * MIB), known, randomBytes(MIB, 1)]),
      Buffer.concat([behind(unrelated, 5 * MIB), known]),
    ]
    for (const [i, body] of bodies.entries()) {
      const sent = send(body, { chunks: chunksOf(body) }, `/known/${i}`)
      expect([451, 'reset']).toContain(await answerOrReset(sent))
      await expect.poll(() => toldOf(`/known/${i}`)).toMatchObject([{ action: 'block' }])
    }
    expect(origin.begun).toBe(0)
    await expectNothingStaged()
  })

  it('counts the image that it holds while its client is slow', async () => {
    const heldBytes = async () => {
      const health = await fetch(new URL('/healthz', url), { headers: watcher.headers })
      return ((await health.json()) as { uploads: { heldBytes: number } }).uploads.heldBytes
    }
    const part = (await longAvif(unrelated)).subarray(0, 3 * MIB)
    let client: ClientRequest | undefined
    const sent = send(part, {
      chunks: [],
      write: (request) => {
        client = request
        request.write(part)
      },
    })
    const [buffer, image] = [4 * MIB, 2.5 * MIB]
    await expect.poll(heldBytes, { timeout: 60_000 }).toBeGreaterThan(buffer + image)
    client?.destroy()
    await expect(sent).rejects.toThrow('socket hang up')
    await expect.poll(heldBytes, { timeout: 60_000 }).toBe(0)
    await expectNothingStaged()
  })

  it('may not exceed its limit', async () => {
    const body = behind(unrelated, 12 * MIB + 1)
    const sent = send(body, { chunks: chunksOf(body) }, '/longer')
    expect([413, 'reset']).toContain(await answerOrReset(sent))
    await expect.poll(() => toldOf('/longer')).toMatchObject([{ reason: 'too-large' }])
    expect(origin.begun).toBe(0)
    await expectNothingStaged()
  })
})

describe('a picture that is longer than is held', () => {
  it('is decoded to its end before the origin has any of it', async () => {
    const progressive = await sharp(known).jpeg({ progressive: true }).toBuffer()
    const open = Buffer.concat([progressive.subarray(0, -2), new Uint8Array(8 * MIB)])
    expect((await send(open)).status).toBe(451)
    expect(origin.begun).toBe(0)
    await expectNothingStaged()
  })

  it('of a format that is held is looked at again in the bucket, two at once', async () => {
    const forms = [longAvif, longTiff]
    const starts = [new Uint8Array(0), behind(unrelated, 2 * MIB + 5)]
    for (const [i, form] of forms.entries()) {
      const bodies = await Promise.all(
        [known, unrelated].map(async (image) =>
          Buffer.concat([starts[i]!, await form(image), randomBytes(4 * MIB, 4)]),
        ),
      )
      origin.clear()
      const [refused, allowed] = await Promise.all(bodies.map((body) => send(body)))
      expect([refused!.status, allowed!.status]).toEqual([451, 201])
      const [first, ...others] = origin.received.toSorted((a, b) => b.body.length - a.body.length)
      expect(digest(first!.body)).toBe(digest(bodies[1]!))
      for (const { isComplete, body } of others)
        expect([isComplete, body.length <= starts[i]!.length]).toEqual([false, true])
    }
    await expectNothingStaged()
  })

  it('arrives if it is not on the list, and what came before it and comes behind', async () => {
    const raw = { width: 1500, height: 1500, channels: 3 } as const
    const noise = await sharp(randomBytes(1500 * 1500 * 3, 5), { raw })
      .png()
      .toBuffer()
    expect(noise.length).toBeGreaterThan(6 * MIB)
    const body = Buffer.concat([behind(unrelated, 2 * MIB), noise, randomBytes(MIB, 6)])
    expect((await send(body)).status).toBe(201)
    expect(origin.received[0]!.headers['content-length']).toBe(String(body.length))
    expect(digest(origin.received[0]!.body)).toBe(digest(body))
    await expectNothingStaged()
  })

  it('leaves nothing behind if the origin times out', async () => {
    const body = behind(unrelated, 3 * MIB)
    expect((await send(body, { chunks: chunksOf(body) }, '/hangs')).status).toBe(504)
    await expectNothingStaged()
  })
})
