// Uploads that are too long to be held whole, between real sockets: they go to the origin while they come, all but their end.

import type { ClientRequest } from 'node:http'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { randomBytes } from '../support/random.ts'
import type { Answer } from '../support/upload-client.ts'
import { digest, startUploads } from '../support/uploads.ts'

const MIB = 1024 * 1024

const { origin, worker, known, unrelated, health, send } = await startUploads({
  upload: {
    maxBufferedBytes: MIB,
    maxBodyBytes: 64 * MIB,
    maxHeldBytes: 3 * MIB,
    maxDecoders: 2,
    maxWaitSeconds: 60,
    clientStallSeconds: 5,
  },
  origin: { timeoutSeconds: 5 },
  policy: { routes: [{ paths: ['/strict'], onUnscannable: 'refuse' }] },
})

/** A form of files, and its headers. */
function form(...files: Uint8Array[]) {
  const parts = files.flatMap((file, i) => [
    Buffer.from(`--frontier\r\nContent-Disposition: form-data; name="f"; filename="${i}"\r\n\r\n`),
    file,
    Buffer.from('\r\n'),
  ])
  return {
    body: Buffer.concat([...parts, Buffer.from('--frontier--\r\n')]),
    headers: { 'content-type': 'multipart/form-data; boundary=frontier' },
  }
}

/** A JPEG of so many bytes: what follows its end is of no matter to a decoder. */
function padded(image: Uint8Array, bytes: number): Uint8Array {
  return Buffer.concat([image, randomBytes(bytes - image.length, bytes)])
}

/** Bytes that the Worker says it holds. */
async function heldNow(): Promise<number> {
  return (await health()).uploads.heldBytes
}

/** What an upload holds at most once it is over. */
async function expectNothingHeld(): Promise<void> {
  const uploads = async () => (await health()).uploads
  await expect.poll(uploads, WAIT).toEqual({ heldBytes: 0, waiting: 0, decoders: 0 })
}

/** What the origin was sent, when it has seen the end of it all. */
async function arrivals() {
  await expect.poll(() => origin.received.length === origin.begun, WAIT).toBe(true)
  return origin.received
}

/** The action of the verdict on what was sent to a path. */
async function actionOf(path: string): Promise<string | undefined> {
  return (await toldOf(path)).action
}

/** The last event about what was sent to a path. An answer may be lost with its connection: this says what it was. */
async function toldOf(path: string): Promise<{ event: string; action?: string; reason?: string }> {
  const told = () =>
    worker.log
      .map((line) => JSON.parse(line) as { event: string; path?: string })
      .findLast((one) => one.path === path)
  await expect.poll(told, WAIT).toBeDefined()
  return told()!
}

/** Who is answered while still sending may have its connection reset before it has read the answer. */
const answerOrReset = (sent: Promise<Answer>) =>
  sent.then(
    ({ status }) => status,
    () => 'reset',
  )

/** For a machine that has much else to do. */
const WAIT = { timeout: 60_000 }

describe('a long upload', () => {
  it.each([MIB + 1, 5_000_000, 40 * MIB])(
    'arrives byte for byte if it is allowed: %i bytes',
    async (bytes) => {
      const body = padded(unrelated, bytes)
      expect((await send(body)).status).toBe(201)
      expect(origin.received).toHaveLength(1)
      const [received] = origin.received
      expect(received?.isComplete).toBe(true)
      expect(received?.headers['content-length']).toBe(String(bytes))
      expect(digest(received!.body)).toBe(digest(body))
      await expectNothingHeld()
    },
  )

  it('reaches the origin as a broken request if it is blocked', async () => {
    const body = Buffer.concat([randomBytes(3 * MIB, 1), padded(known, 3 * MIB)])
    expect([451, 'reset']).toContain(await answerOrReset(send(body, { path: '/blocked' })))
    expect(await actionOf('/blocked')).toBe('block')
    const [arrived, ...others] = await arrivals()
    expect([arrived?.isComplete, others]).toEqual([false, []])
    expect(arrived?.body.length).toBeLessThanOrEqual(3 * MIB)
    await expectNothingHeld()
  })

  it('never sends the origin the end of a known file, wherever it stands in a form', async () => {
    for (const before of [0, 3 * MIB]) {
      for (const after of [0, 3 * MIB]) {
        origin.clear()
        const filler = [randomBytes(before, 1), padded(known, 2 * MIB), randomBytes(after, 2)]
        const { body, headers } = form(...filler)
        const path = `/form/${before}/${after}`
        const answer = await send(body, { headers, path }).catch(() => ({ status: 451 }))
        expect([answer.status, await actionOf(path)]).toEqual([451, 'block'])
        const end = body.indexOf(filler[1]!.subarray(-1000))
        const all = await arrivals()
        if (before > 0) expect(all).toHaveLength(1)
        for (const { isComplete, body: arrived } of all) {
          expect([isComplete, arrived.length < end]).toEqual([false, true])
        }
      }
    }
    await expectNothingHeld()
  })

  it('must say its length', async () => {
    const chunks = Array.from({ length: 40 }, () => 50_000)
    const sent = send(padded(unrelated, 2 * MIB), { chunks, path: '/chunked' })
    expect([411, 'reset']).toContain(await answerOrReset(sent))
    expect(await toldOf('/chunked')).toMatchObject({ action: 'refuse', reason: 'length-required' })
    expect(origin.begun).toBe(0)
    const short = await send(padded(unrelated, MIB), { chunks: chunks.slice(30) })
    expect(short.status).toBe(201)
    expect(origin.received[0]?.headers['content-length']).toBe(String(MIB))
    await expectNothingHeld()
  })

  it('may not exceed its limit', async () => {
    const headers = { 'content-length': String(64 * MIB + 1) }
    const answer = await send(new Uint8Array(0), {
      headers,
      write: (request) => void request.write('x'),
    })
    expect(answer.status).toBe(413)
    expect(origin.begun).toBe(0)
  })
})

/** Pictures that lie on the list, in forms that end in several ways. */
async function knownPictures(): Promise<[string, Buffer][]> {
  const image = sharp(known)
  const progressive = await image.clone().jpeg({ progressive: true }).toBuffer()
  const png = await image.clone().png().toBuffer()
  const gif = await image.clone().gif().toBuffer()
  const webp = await image.clone().webp({ quality: 95 }).toBuffer()
  return [
    ['a JPEG', known],
    ['a JPEG without an end', known.subarray(0, -2)],
    ['a progressive JPEG', progressive],
    ['a progressive JPEG without an end', progressive.subarray(0, -2)],
    ['a PNG', png],
    ['a PNG without an end', png.subarray(0, -12)],
    ['a GIF', gif],
    ['a GIF without an end', gif.subarray(0, -1)],
    ['a WebP', webp],
    ['an AVIF', await image.clone().avif({ effort: 0, quality: 90 }).toBuffer()],
    ['a TIFF', await image.clone().tiff({ compression: 'lzw' }).toBuffer()],
    ['a TIFF that is not compressed', await image.clone().tiff({ compression: 'none' }).toBuffer()],
  ]
}

/** Ways to write a picture in a text, each with a type of it. */
const WRITTEN: Record<string, [type: string, write: (file: Buffer) => string]> = {
  'base64 in JSON': ['application/json', (file) => `"a":"${file.toString('base64')}"`],
  'hex in XML': ['application/xml', (file) => `<a>${file.toString('hex')}</a>`],
  'byte values': ['application/json', (file) => `"a":[${file.join()}]`],
  'percent-encoding': [
    'application/x-www-form-urlencoded',
    (file) => `&a=${[...file].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}&b=`,
  ],
  'base64 in a field of a form': [
    'multipart/form-data; boundary=b',
    (file) => `\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n${file.toString('base64')}`,
  ],
  'base64 of hex': ['text/plain', (file) => Buffer.from(file.toString('hex')).toString('base64')],
}

describe('a picture in a long upload', () => {
  const fillers = { zeros: new Uint8Array(3 * MIB), noise: randomBytes(3 * MIB, 7) }
  const starts = { first: new Uint8Array(0), 'behind others': randomBytes(2 * MIB + 17, 9) }

  it.each(Object.entries(fillers))(
    'never reaches an origin that keeps all, before %s',
    async (name, filler) => {
      const cases: { kind: string; place: string; before: number }[] = []
      for (const [kind, picture] of await knownPictures()) {
        // In noise there are markers, which belong to such a picture as long as it has no end, and break it.
        if (name === 'noise' && kind.startsWith('a progressive JPEG without')) continue
        for (const [place, before] of Object.entries(starts)) {
          const path = `/${name}/${cases.length}`
          cases.push({ kind, place, before: before.length })
          const answer = await send(Buffer.concat([before, picture, filler]), { path })
          const action = await actionOf(path)
          expect([kind, place, answer.status, action]).toEqual([kind, place, 451, 'block'])
        }
      }
      await expectNothingHeld()
      const all = await arrivals()
      expect(all.length).toBeGreaterThan(0) // those behind others
      for (const { url, isComplete, body } of all) {
        const { kind, place, before } = cases[Number(url.split('/').at(-1))]!
        expect([kind, place, isComplete, body.length <= before]).toEqual([kind, place, false, true])
      }
    },
  )

  it.each(Object.entries(WRITTEN))(
    'never reaches an origin that keeps all, written in a text: %s',
    async (name, [type, write]) => {
      const png = await sharp(known).png().toBuffer()
      const [before, written] = [Buffer.from('words '.repeat(400_000)), Buffer.from(write(png))]
      expect(written.length).toBeGreaterThan(256 * 1024)
      for (const front of [before.subarray(0, 0), before]) {
        origin.clear()
        const path = `/text/${encodeURIComponent(name)}/${front.length}`
        const body = Buffer.concat([front, written, before, before])
        const sent = send(body, { path, headers: { 'content-type': type } })
        expect([451, 'reset']).toContain(await answerOrReset(sent))
        expect(await actionOf(path)).toBe('block')
        for (const { isComplete, body: arrived } of await arrivals())
          expect([isComplete, arrived.length <= front.length]).toEqual([false, true])
      }
      await expectNothingHeld()
    },
  )

  it('lets everything flow once it is known not to match', async () => {
    const others = await Promise.all([
      sharp(unrelated).png().toBuffer(),
      sharp(unrelated).gif().toBuffer(),
      sharp(unrelated).webp().toBuffer(),
    ])
    for (const picture of [unrelated, unrelated.subarray(0, -2), ...others]) {
      origin.clear()
      const body = Buffer.concat([randomBytes(MIB, 3), picture, randomBytes(4 * MIB, 4)])
      expect((await send(body)).status).toBe(201)
      expect(digest(origin.received[0]!.body)).toBe(digest(body))
    }
    expect(worker.log.join()).not.toContain('long-picture')
    await expectNothingHeld()
  })

  it('that exceeds what can be held is unscannable, and the policy decides', async () => {
    const noise = sharp(randomBytes(900 * 900 * 3, 5), {
      raw: { width: 900, height: 900, channels: 3 },
    })
    const long = await noise.png().toBuffer()
    expect(long.length).toBeGreaterThan(2 * MIB)
    const body = padded(long, 4 * MIB)
    expect((await send(body)).status).toBe(201)
    expect(digest(origin.received[0]!.body)).toBe(digest(body))
    expect(worker.log.join()).toContain('long-picture')
    origin.clear()
    expect((await send(body, { path: '/strict' })).status).toBe(422)
    expect(origin.begun).toBe(0)
    await expectNothingHeld()
  })

  it('leaves room for others while it is held, however many there are', async () => {
    const head = (await knownPictures())[3]![1].subarray(0, -40)
    const stalled = Array.from({ length: 2 }, () =>
      send(new Uint8Array(0), {
        headers: { 'content-length': String(8 * MIB) },
        write: (request) => void request.write(Buffer.concat([head, new Uint8Array(MIB)])),
      }),
    )
    await expect.poll(heldNow, { timeout: 30_000 }).toBeGreaterThan(900_000)
    expect((await send(padded(unrelated, 900_000))).status).toBe(201)
    const answers = await Promise.all(stalled)
    expect(answers.map(({ status }) => status)).not.toContain(201)
    await expectNothingHeld()
  })
})

describe('a client', () => {
  const begin = (bytes: number, sent: Uint8Array, then: (request: ClientRequest) => void) =>
    send(new Uint8Array(0), {
      headers: { 'content-length': String(bytes) },
      write: (request) => request.write(sent, () => then(request)),
    })

  it.each([100_000, 3 * MIB])('that goes away leaves nothing behind: %i bytes', async (bytes) => {
    for (const share of [0, 0.1, 0.9, 0.999]) {
      const sent = padded(unrelated, bytes).subarray(0, Math.ceil(bytes * share) + 1)
      const gone = begin(bytes, sent, (request) => setTimeout(() => request.destroy(), 20))
      await expect(gone).rejects.toThrow('socket hang up')
    }
    await expectNothingHeld()
    expect((await arrivals()).map(({ isComplete }) => isComplete)).not.toContain(true)
    expect((await send(unrelated)).status).toBe(201)
  })

  it.each([100_000, 3 * MIB])('that stalls is told so after a while: %i bytes', async (bytes) => {
    const sent = padded(unrelated, bytes).subarray(0, bytes / 2)
    expect((await begin(bytes, sent, () => {})).status).toBe(408)
    expect((await arrivals()).map(({ isComplete }) => isComplete)).not.toContain(true)
    await expectNothingHeld()
  })
})

describe('an origin', () => {
  const bodies = { short: 100_000, long: 6 * MIB }

  it.each(Object.entries(bodies))('that resets is a bad gateway: %s', async (_, bytes) => {
    expect((await send(padded(unrelated, bytes), { path: '/resets' })).status).toBe(502)
    await expectNothingHeld()
  })

  it.each(Object.entries(bodies))('that says nothing times out: %s', async (_, bytes) => {
    expect((await send(padded(unrelated, bytes), { path: '/hangs' })).status).toBe(504)
    await expectNothingHeld()
  })

  it('that does not read a long upload times out', async () => {
    const sent = send(padded(unrelated, 30 * MIB), { path: '/does-not-read' })
    expect([504, 'reset']).toContain(await answerOrReset(sent))
    expect(await toldOf('/does-not-read')).toMatchObject({ reason: 'origin-stalled' })
    await expectNothingHeld()
  })

  it('that refuses a long upload early is heard', async () => {
    const sent = send(padded(unrelated, 30 * MIB), { path: '/answers-early' })
    expect([413, 502, 'reset']).toContain(await answerOrReset(sent))
    await expectNothingHeld()
  })

  it('that answers first is heard after the verdict, and never has all of what is blocked', async () => {
    const answer = await send(padded(unrelated, 6 * MIB), { path: '/answers-first' })
    expect([answer.status, answer.body]).toEqual([202, 'I will see'])
    origin.dropConnections()
    origin.clear()
    const { body, headers } = form(randomBytes(4 * MIB, 1), known)
    const blocked = send(body, { path: '/answers-first', headers })
    expect([451, 'reset']).toContain(await answerOrReset(blocked))
    await expectNothingHeld()
    expect(await actionOf('/answers-first')).toBe('block')
    expect([origin.begun, origin.ended]).toEqual([1, 0])
  })
})

describe('more uploads than there is room for', () => {
  it('wait, and all have the right verdict', async () => {
    const files = Array.from({ length: 24 }, (_, i) =>
      padded(i % 3 === 0 ? known : unrelated, i % 2 === 0 ? 900_000 : 3 * MIB),
    )
    const answers = await Promise.all(files.map((file) => send(file)))
    expect(answers.map(({ status }) => status)).toEqual(
      files.map((_, i) => (i % 3 === 0 ? 451 : 201)),
    )
    await expectNothingHeld()
  })

  it('find the room that stalled ones have not used, and theirs when they are gone', async () => {
    const stalled = Array.from({ length: 3 }, () =>
      send(new Uint8Array(0), {
        headers: { 'content-length': '1000000' },
        write: (request) => void request.write(unrelated),
      }),
    )
    const begun = 3 * 64 * 1024 // bytes are claimed as they come
    await expect.poll(heldNow, { timeout: 30_000 }).toBe(begun)
    expect((await send(padded(unrelated, 900_000))).status).toBe(201)
    const answers = await Promise.all(stalled)
    expect(answers.map(({ status }) => status)).toEqual([408, 408, 408])
    await expectNothingHeld()
  })
})
