import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatHash } from '../../../src/util/hash.ts'
import { ImageCore } from '../../../src/core/image-core.ts'
import { modules } from '../../../src/core/workerd.ts'
import type { Bindings } from '../../../src/worker/parts.ts'
import { chooseOrigin } from '../../../src/doors/proxy/origin.ts'
import { DIGEST_KINDS, type DigestKind, type Entry } from '../../../src/list/entry.ts'
import { publishBank } from '../../../src/list/publish.ts'
import { FileDigester } from '../../../src/scan/digests.ts'
import { stagingOf } from '../../../src/upload/staging/staging.ts'
import { imagesConverter } from '../../../src/scan/image/images-binding.ts'
import { generateApiKey } from '../../../src/doors/api/keys.ts'
import { newWatcher } from '../../support/watcher.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { flipBits, randomDigests } from '../../support/entries.ts'
import { writeZip } from '../../support/archive-writer.ts'
import { addExif, writeExif } from '../../support/exif-writer.ts'
import { fixture } from '../../support/fixtures.ts'
import { answerOf, hashOf, publish, setUp } from '../../support/gate.ts'
import { randomBytes } from '../../support/random.ts'
import { kvNamespace, kvStore, WatchedStore } from '../../support/stores.ts'
import { STAMP } from '../../support/event-recorder.ts'
import { needlesOf } from '../../../src/scan/scanned.ts'

const bindings = env as unknown as Bindings & { ORIGIN_BUCKET: R2Bucket; IMAGES: ImagesBinding }

function formOf(...files: [content: Uint8Array<ArrayBuffer>, name: string][]): FormData {
  const form = new FormData()
  form.set('note', 'hello')
  for (const [content, name] of files) form.append('files', new File([content], name))
  return form
}

/** Leaves no list. */
async function unpublish(): Promise<void> {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
}

describe('the gate', () => {
  beforeAll(unpublish)
  const known = fixture('jpeg')
  const unrelated = fixture('otherJpeg')

  beforeEach(async () => publish(await hashOf(known)))

  it.each(['POST', 'PUT', 'PATCH'])(
    'refuses a known image by %s before the origin hears of it',
    async (method) => {
      const { send, forwarded, events } = setUp()
      const response = await send(known, { method })
      expect(response.status).toBe(451)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(response.headers.get('link')).toMatch(/^<https?:\/\/[^/]+\/>; rel="blocked-by"$/)
      const body = await response.json<{ caseId: string }>()
      expect(body).toEqual({
        type: 'about:blank',
        title: 'This upload cannot be accepted.',
        status: 451,
        caseId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      })
      expect(forwarded).toEqual([])
      expect(events).toEqual([
        {
          ...STAMP,
          event: 'verdict',
          caseId: body.caseId,
          action: 'block',
          reason: 'match',
          method,
          path: '/a/b',
          listVersion: 1,
          afterLastByteMs: expect.any(Number),
          files: [
            {
              coverage: 'scanned',
              format: 'jpeg',
              width: 640,
              height: 480,
              bytes: known.length,
              quality: expect.any(Number),
              matches: [
                {
                  bank: 'csam',
                  harm: 'csam',
                  action: 'block',
                  entry: 'known-0',
                  source: 'test',
                  distance: 0,
                  threshold: 31,
                  margin: 31,
                  probe: 'identity',
                },
              ],
            },
          ],
        },
      ])
    },
  )

  it('refuses the image recompressed and reduced, and in other formats', async () => {
    const { send, verdicts } = setUp()
    expect((await send(fixture('recompressed'))).status).toBe(451)
    await publish(await hashOf(fixture('png')))
    for (const name of ['png', 'webp', 'avif', 'gif'] as const) {
      const fresh = setUp()
      expect((await fresh.send(fixture(name))).status).toBe(451)
    }
    expect(verdicts()[0]?.files[0]?.matches?.[0]?.distance).toBeGreaterThan(0)
  })

  it('lets other images pass, with their headers and bytes, and gives back the answer', async () => {
    const { send, forwarded, verdicts } = setUp()
    const headers = { 'content-type': 'image/jpeg', 'x-mine': 'yes', cookie: 'a=b' }
    const response = await send(unrelated, { headers })
    expect([response.status, response.headers.get('x-origin')]).toEqual([201, 'yes'])
    expect(await response.text()).toBe('from the origin')
    expect(forwarded[0]?.body).toEqual(unrelated)
    expect(Object.fromEntries(forwarded[0]!.request.headers)).toMatchObject(headers)
    expect(forwarded[0]?.request.url).toBe('https://files.example/a/b?c=d')
    expect(verdicts()).toMatchObject([{ action: 'allow', reason: 'no-match' }])
  })

  it('blocks at distance 31 and allows at 32', async () => {
    const hash = await hashOf(known)
    for (const [bits, status] of [
      [31, 451],
      [32, 201],
    ] as const) {
      await publish(flipBits(hash, bits))
      expect((await setUp().send(known)).status).toBe(status)
    }
  })

  it('looks at content, whatever its type and name say', async () => {
    for (const type of [
      'text/plain',
      'application/json',
      'video/mp4',
      'application/x-www-form-urlencoded',
    ]) {
      expect((await setUp().send(known, { headers: { 'content-type': type } })).status).toBe(451)
    }
    expect((await setUp().send(formOf([known, 'notes.txt']))).status).toBe(451)
  })

  it('refuses an image by how it is displayed', async () => {
    const turned = addExif(known, writeExif(6))
    await publish(await hashOf(turned, 'displayed'))
    const scan = { probes: 'as-is' }
    const { send, verdicts } = setUp({ scan })
    expect((await send(turned)).status).toBe(451)
    expect(verdicts()[0]?.files[0]?.matches?.[0]?.probe).toBe('displayed')
    expect((await setUp({ scan }).send(known)).status).toBe(201)
  })

  it('refuses a picture for its thumbnail', async () => {
    const { send } = setUp()
    expect((await send(addExif(unrelated, writeExif(1, fixture('recompressed'))))).status).toBe(451)
  })

  it('passes other methods on untouched', async () => {
    const { send, forwarded, events } = setUp()
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) {
      expect((await send(null, { method })).status).toBe(201)
    }
    expect(forwarded.map(({ body }) => body)).toEqual([undefined, undefined, undefined, undefined])
    expect(events).toEqual([])
  })

  it('gates the methods that it is told to', async () => {
    const { send } = setUp({ upload: { methods: ['PUT'] } })
    expect((await send(known, { method: 'POST' })).status).toBe(201)
    expect((await send(known, { method: 'PUT' })).status).toBe(451)
  })
})

describe('a known picture that was changed', () => {
  beforeAll(unpublish)
  const changed = ['mirrored', 'bordered', 'cropped'] as const
  const probes = { mirrored: 'mirrors', bordered: 'bars', cropped: 'crops' }

  beforeEach(async () => publish(await hashOf(fixture('jpeg'))))

  it.each(changed)('is refused: %s', async (name) => {
    const { send, forwarded, verdicts } = setUp()
    expect((await send(fixture(name))).status).toBe(451)
    expect(forwarded).toEqual([])
    const [match] = verdicts()[0]!.files[0]!.matches!
    expect(match).toMatchObject({ entry: 'known-0', probe: probes[name] })
    expect(match!.margin).toBe(match!.threshold - match!.distance)
    expect(match!.margin).toBeGreaterThanOrEqual(0)
  })

  it.each(changed)('passes where only plain PDQ is asked for: %s', async (name) => {
    const { send, verdicts } = setUp({ scan: { probes: 'plain' } })
    expect((await send(fixture(name))).status).toBe(201)
    expect(verdicts()).toMatchObject([{ action: 'allow', reason: 'no-match' }])
    expect((await setUp({ scan: { probes: 'plain' } }).send(fixture('jpeg'))).status).toBe(451)
  })

  it('is refused by a family that was added, and passes without the one that sees it', async () => {
    const only = setUp({ scan: { probes: 'plain', addFamilies: ['mirrors'] } })
    expect((await only.send(fixture('mirrored'))).status).toBe(451)
    const without = setUp({ scan: { dropFamilies: ['mirrors'] } })
    expect((await without.send(fixture('mirrored'))).status).toBe(201)
  })

  it('is refused by the wide set alone, where the change is larger', async () => {
    expect((await setUp().send(fixture('turnedBy5Degrees'))).status).toBe(201)
    const { send, verdicts } = setUp({ scan: { probes: 'wide' } })
    expect((await send(fixture('turnedBy5Degrees'))).status).toBe(451)
    expect(verdicts()[0]?.files[0]?.matches?.[0]?.probe).toBe('larger-turns')
    expect((await setUp({ scan: { probes: 'wide' } }).send(fixture('otherJpeg'))).status).toBe(201)
  })

  it('is refused in an archive and in a form, too', async () => {
    expect((await setUp().send(formOf([fixture('bordered'), 'a.jpg']))).status).toBe(451)
    const archive = writeZip([{ name: 'a.jpg', content: fixture('mirrored') }])
    expect((await setUp().send(archive)).status).toBe(451)
    const wide = writeZip([{ name: 'a.jpg', content: fixture('turnedBy5Degrees') }])
    expect((await setUp({ scan: { probes: 'wide' } }).send(wide)).status).toBe(451)
  })
})

describe('a picture whose hash says little', () => {
  beforeEach(unpublish)

  it.each([
    ['stripes', 'pattern'],
    ['faint', 'pattern'],
  ] as const)('is refused if it is listed, and near copies of it: %s', async (name, limited) => {
    const file = fixture(name)
    const hash = await hashOf(file)
    for (const [bits, status] of [
      [0, 451],
      [16, 451],
      [17, 201],
    ] as const) {
      await publish(flipBits(hash, bits))
      const { send, verdicts } = setUp({ scan: { probes: 'wide' } })
      expect((await send(file)).status).toBe(status)
      const [told] = verdicts()[0]!.files
      expect(told).toMatchObject({ quality: expect.any(Number), limited, limitedTo: 16 })
      if (status === 451)
        expect(told!.matches).toMatchObject([{ distance: bits, threshold: 16, limited }])
    }
  })

  it('is flagged if it is blank, and as blank as one that is listed', async () => {
    const file = fixture('blank')
    await publish(await hashOf(file))
    const { send, verdicts } = setUp()
    expect((await send(file)).status).toBe(201)
    expect(verdicts()).toMatchObject([{ action: 'flag', reason: 'match' }])
    const [told] = verdicts()[0]!.files
    expect(told).toMatchObject({ quality: 0, limited: 'blank', limitedTo: 0 })
    expect(told!.matches).toMatchObject([{ action: 'flag', distance: 0, limited: 'blank' }])
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', file))
    const entry = { kind: 'sha256' as const, hash, id: 'blank', labels: {} }
    await publishBank(kvStore(), [entry], { bank: 'digests' })
    expect((await setUp().send(file)).status).toBe(451)
  })
})

describe('multipart bodies', () => {
  beforeAll(unpublish)
  const known = fixture('jpeg')
  const unrelated = fixture('otherJpeg')

  beforeEach(async () => publish(await hashOf(known)))

  it('are refused if any of their files is known', async () => {
    const { send, forwarded, verdicts } = setUp()
    expect((await send(formOf([unrelated, 'a'], [known, 'b'], [unrelated, 'c']))).status).toBe(451)
    expect(forwarded).toEqual([])
    expect(verdicts()[0]?.files.map(({ matches }) => matches?.length)).toEqual([
      undefined,
      1,
      undefined,
    ])
  })

  it('pass as they came', async () => {
    const boundary = '--odd=(boundary)--'
    const encode = (text: string) => new TextEncoder().encode(text)
    const parts = [
      encode(
        `preamble\r\n--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n--x\r\n`,
      ),
      encode(`\r\n--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n`),
      unrelated,
      encode(`\r\n--${boundary}--\r\n`),
    ]
    const body = new Uint8Array(await new Blob(parts).arrayBuffer())
    const { send, forwarded } = setUp()
    const headers = { 'content-type': `multipart/form-data; boundary="${boundary}"` }
    expect((await send(body, { headers })).status).toBe(201)
    expect(forwarded[0]?.body).toEqual(body)
  })

  it('are refused for an image in a field without a filename', async () => {
    const body = await new Response(formOf([known, 'x'])).arrayBuffer()
    const bytes = new Uint8Array(body)
    const text = new TextDecoder('latin1').decode(bytes)
    const cut = text.indexOf('; filename="x"')
    const without = new Uint8Array(
      await new Blob([bytes.slice(0, cut), bytes.slice(cut + 14)]).arrayBuffer(),
    )
    const boundary = text.slice(2, text.indexOf('\r\n'))
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    expect((await setUp().send(without, { headers })).status).toBe(451)
  })

  it('are files if nobody finds parts in them', async () => {
    const types = ['multipart/form-data', 'multipart/form-data; boundary=b']
    for (const type of types) {
      const headers = { 'content-type': type }
      const { send, verdicts } = setUp()
      expect((await send(known, { headers })).status).toBe(451)
      expect((await send('nothing', { headers })).status).toBe(201)
      expect((await send('', { headers })).status).toBe(201)
      expect(verdicts().map(({ reason }) => reason)).toEqual(['match', 'unscannable', 'no-match'])
      const few = setUp({ policy: { routes: [{ accept: ['jpeg'] }] } })
      expect((await few.send('nothing', { headers })).status).toBe(415)
      expect((await few.send(unrelated, { headers })).status).toBe(201)
      const empty = { headers: { 'content-type': types[1]! } }
      expect((await few.send('--b--\r\n', empty)).status).toBe(201)
    }
  })

  it('are refused as malformed if they cannot be parsed', async () => {
    const refused = async (body: string, type: string) => {
      const { send, forwarded, verdicts } = setUp()
      const response = await send(body, { headers: { 'content-type': type } })
      expect(forwarded).toEqual([])
      expect(verdicts()).toMatchObject([{ action: 'refuse', reason: 'malformed' }])
      return response.status
    }
    const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    expect(await refused(part, 'multipart/form-data; boundary=b')).toBe(400)
    expect(await refused(`${part}--b--`, 'multipart/form-data; boundary=')).toBe(400)
    expect(
      await refused(
        '--b\r\nContent-Disposition: form-data; name="a"\n\r\n\r\nx\r\n--b--',
        'multipart/form-data; boundary=b',
      ),
    ).toBe(400)
  })

  it('have files up to their limit', async () => {
    const files = (count: number) =>
      formOf(
        ...Array.from(
          { length: count },
          (_, i) => [unrelated, `${i}`] as [Uint8Array<ArrayBuffer>, string],
        ),
      )
    expect((await setUp({ body: { maxFiles: 3 } }).send(files(3))).status).toBe(201)
    const tooMany = setUp({ body: { maxFiles: 3 } })
    expect((await tooMany.send(files(4))).status).toBe(413)
    expect(tooMany.events).toMatchObject([{ action: 'refuse', reason: 'too-large' }])
  })
})

describe('bodies over the limit', () => {
  beforeEach(unpublish)

  it('are refused, with a length or without', async () => {
    await publish()
    const chunked = (bytes: number) =>
      new ReadableStream({
        type: 'bytes',
        start: (controller) => {
          controller.enqueue(new Uint8Array(bytes))
          controller.close()
        },
      })
    for (const bodyOf of [(bytes: number) => new Uint8Array(bytes), chunked]) {
      const { send, forwarded } = setUp({ upload: { maxBodyBytes: 100_000 } })
      expect((await send(bodyOf(100_000))).status).toBe(201)
      const response = await send(bodyOf(100_001))
      expect(response.status).toBe(413)
      expect(await response.json()).toMatchObject({ title: 'This upload is too large.' })
      expect(forwarded).toHaveLength(1)
    }
  })

  it('without a length are refused with 411 or 413 if they cannot be held', async () => {
    await publish()
    const vars = { upload: { maxBodyBytes: 200_000, maxBufferedBytes: 100_000 } }
    const body = () => new Blob([new Uint8Array(100_001)]).stream()
    expect((await setUp(vars).send(body())).status).toBe(411)
    const tooLarge = setUp({ upload: { ...vars.upload, onUnknownLength: 'too-large' } })
    expect((await tooLarge.send(body())).status).toBe(413)
    expect(tooLarge.forwarded).toEqual([])
  })

  it('are refused without a length if staging would take more memory than allowed', async () => {
    await publish()
    const upload = { maxHeldBytes: 3 * 2 ** 20, maxBufferedBytes: 2 ** 20 }
    const { send } = setUp({ upload }, { staging: stagingOf(env) })
    const body = randomBytes(2 ** 20 + 1, 1)
    const headers = { 'content-length': String(body.length) }
    expect((await send(body, { headers })).status).toBe(201)
    expect((await send(new Blob([body.subarray(2)]).stream())).status).toBe(201)
    expect((await send(new Blob([body]).stream())).status).toBe(411)
  })

  it('wait for others to go when there is no room', async () => {
    await publish()
    const answers: (() => void)[] = []
    const origin = {
      forward: () =>
        new Promise<Response>((resolve) => {
          answers.push(() => resolve(new Response(null, { status: 201 })))
        }),
    }
    const vars = {
      upload: {
        maxBodyBytes: 100_000,
        maxBufferedBytes: 100_000,
        maxHeldBytes: 200_000,
        maxWaitSeconds: 1,
      },
    }
    const { send, verdicts } = setUp(vars, { origin })
    const upload = (bytes: number) =>
      send(new Uint8Array(bytes), { headers: { 'content-length': String(bytes) } })
    const held = [upload(100_000), upload(99_999)]
    while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
    const refused = await upload(2)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30'])
    expect(verdicts().at(-1)).toMatchObject({ action: 'refuse', reason: 'busy' })
    answers.forEach((answer) => answer())
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([201, 201])
    const next = upload(100_000)
    while (answers.length < 3) await new Promise((resolve) => setTimeout(resolve, 1))
    answers[2]?.()
    expect((await next).status).toBe(201)
  })

  it('may be empty', async () => {
    await publish()
    const { send, forwarded, verdicts } = setUp()
    expect((await send(null)).status).toBe(201)
    expect(forwarded[0]?.body).toHaveLength(0)
    expect(verdicts()).toMatchObject([{ action: 'allow', files: [] }])
  })
})

describe('a list that is missing or unreadable', () => {
  beforeEach(unpublish)

  it('refuses uploads with 503, and says why in an event', async () => {
    const { send, forwarded, events } = setUp()
    const response = await send(fixture('jpeg'))
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30'])
    expect(await response.text()).not.toContain('list')
    expect(forwarded).toEqual([])
    expect(events).toMatchObject([
      { event: 'list-error', error: 'list-missing: no hash list has been published here' },
      { event: 'verdict', action: 'refuse', reason: 'failed' },
    ])
  })

  it('lets uploads pass if so configured, and says so', async () => {
    const { send, verdicts } = setUp({ policy: { onFailed: 'allow' } })
    expect((await send(fixture('jpeg'))).status).toBe(201)
    expect(verdicts()).toMatchObject([{ action: 'allow', reason: 'failed', error: /list-missing/ }])
  })

  it('refuses uploads where the details of a candidate cannot be read', async () => {
    const store = new WatchedStore()
    const hash = await hashOf(fixture('jpeg'))
    await publishBank(store.sealed, [{ kind: 'pdq' as const, hash, id: 'x', labels: {} }], {
      bank: 'a',
    })
    store.onRead = (key) => {
      if (key.startsWith('detail/')) throw new Error(`KV GET failed: 500 ${formatHash(hash)}`)
    }
    const { send, verdicts } = setUp({}, { store: store.sealed })
    expect((await send(fixture('jpeg'))).status).toBe(503)
    expect((await send(fixture('otherJpeg'))).status).toBe(201)
    expect(verdicts()[0]).toMatchObject({ action: 'refuse', reason: 'failed', error: 'Error' })
  })
})

describe('faults within', () => {
  beforeEach(unpublish)

  it('wait for a store that is slow', async () => {
    await publish(await hashOf(fixture('jpeg')))
    const inner = kvStore()
    const get = async (key: string) => {
      await scheduler.wait(150)
      return inner.get(key)
    }
    const store = new Proxy(inner, {
      get: (target, name) => (name === 'get' ? get : Reflect.get(target, name)),
    })
    const { send } = setUp({}, { store })
    const answers = await Promise.all([send(fixture('jpeg')), send(fixture('otherJpeg'))])
    expect(answers.map(({ status }) => status)).toEqual([451, 201])
  })

  it('refuse an upload whose decoder breaks, say so, and leave the next alone', async () => {
    await publish()
    const broken = setUp({}, { modules: { ...modules, image: new ImageCore(modules.match) } })
    expect((await broken.send(fixture('jpeg'))).status).toBe(503)
    expect(broken.forwarded).toEqual([])
    expect(broken.verdicts()).toMatchObject([
      { action: 'refuse', reason: 'failed', error: 'TypeError' },
    ])
    expect((await broken.send(new TextEncoder().encode('no image'))).status).toBe(201)
  })
})

describe('files that cannot be scanned', () => {
  beforeAll(unpublish)
  const files = {
    'unknown-format': new TextEncoder().encode('just a text'),
    damaged: Uint8Array.from([0xff, 0xd8, 0xff, ...Array.from({ length: 100 }, () => 1)]),
    truncated: fixture('jpeg').slice(0, 4000),
    'unsupported-format': new TextEncoder().encode(
      '8BPS\0\x01 a Photoshop file, by its first bytes',
    ),
    'over-pixel-budget': fixture('largeAvif'),
  }

  beforeEach(() => publish())

  it.each(Object.entries(files))('pass with an event that says why: %s', async (reason, file) => {
    const { send, verdicts } = setUp()
    expect((await send(file)).status).toBe(201)
    expect(verdicts()).toMatchObject([
      { action: 'allow', reason: 'unscannable', files: [{ coverage: 'unscannable', reason }] },
    ])
  })

  it('are refused if so configured', async () => {
    const { send, forwarded } = setUp({ policy: { onUnscannable: 'refuse' } })
    expect((await send(files.damaged)).status).toBe(422)
    expect((await send(fixture('otherJpeg'))).status).toBe(201)
    expect(forwarded).toHaveLength(1)
  })

  it('are scanned by the Images binding where it is bound', async () => {
    const scanned = await scanFile(
      { modules, convert: imagesConverter(bindings.IMAGES) },
      files['over-pixel-budget'],
    )
    expect(scanned).toMatchObject({
      coverage: 'scanned',
      format: 'avif',
      width: 1600,
      height: 1200,
    })
    const needles = needlesOf(scanned)
    await publish(needles[0]!.hash)
    const { send } = setUp({}, { convert: imagesConverter(bindings.IMAGES) })
    expect((await send(files['over-pixel-budget'])).status).toBe(451)
  })

  it('stay unscannable where the Images binding cannot read them either', async () => {
    const heic = new TextEncoder().encode('\0\0\0\x18ftypheic\0\0\0\0mif1heic and nothing more')
    const scanned = await scanFile({ modules, convert: imagesConverter(bindings.IMAGES) }, heic)
    expect(scanned).toMatchObject({
      coverage: 'unscannable',
      reason: 'unsupported-format',
      format: 'heic',
    })
  })
})

describe('a list of digests', () => {
  beforeEach(unpublish)

  const video = randomBytes(100_000, 5)

  async function publishDigest(kind: DigestKind, file: Uint8Array): Promise<void> {
    const digester = FileDigester.ofAllKinds()
    digester.update(file)
    const hash = digester.digest()[kind]
    const known: Entry = { kind, hash, id: 'known-file', labels: {} }
    await publishBank(kvStore(), [...randomDigests(3000, 1), known], { bank: 'files' })
  }

  it.each(DIGEST_KINDS)(
    'refuses a known file of any kind by %s, alone or in a form',
    async (kind) => {
      await publishDigest(kind, video)
      const { send, forwarded, verdicts } = setUp()
      expect((await send(video)).status).toBe(451)
      expect((await send(formOf([video, 'film.mp4']))).status).toBe(451)
      expect(verdicts()[0]).toMatchObject({
        action: 'block',
        files: [
          {
            coverage: 'unscannable',
            matches: [{ bank: 'files', entry: 'known-file', distance: 0, probe: kind }],
          },
        ],
      })
      expect(forwarded).toEqual([])
      video[99_999] = (video[99_999] ?? 0) ^ 1
      expect((await send(video)).status).toBe(201)
      video[99_999] = (video[99_999] ?? 0) ^ 1
    },
  )

  it('refuses an image that is too small or too plain to have a hash', async () => {
    const png = fixture('png')
    await publishDigest('sha256', png)
    const { send } = setUp()
    expect((await send(png)).status).toBe(451)
  })

  it('lets empty files pass', async () => {
    await publishDigest('md5', video)
    expect((await setUp().send(new Uint8Array(0))).status).toBe(201)
  })
})

describe('/healthz', () => {
  beforeEach(unpublish)

  const watcher = newWatcher()
  async function check(
    vars: object = {},
    path = '/healthz',
    method = 'GET',
    headers: Record<string, string> = {},
  ) {
    const { gate, forwarded } = setUp({ API_KEYS: watcher.API_KEYS, ...vars })
    const request = new Request(`https://files.example${path}`, { method, headers })
    return { response: await answerOf(gate, request, {}), forwarded }
  }

  it('gives only state and age to callers without a health key', async () => {
    await publish(randomBytes(32, 3))
    const other = generateApiKey('other', new Set(['verdict']))
    const keys = { API_KEYS: `${watcher.API_KEYS};${other.line}` }
    for (const authorization of ['', 'Bearer hgk_wrong', `Bearer ${other.key}`]) {
      const headers: Record<string, string> = authorization === '' ? {} : { authorization }
      const { response } = await check(keys, '/healthz', 'GET', headers)
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual({ list: { state: 'current', age: 0 } })
    }
  })

  it('tells how the list stands and how full the isolate is, and no secret, with a key', async () => {
    await publish(randomBytes(32, 3))
    const { response, forwarded } = await check({}, '/healthz', 'GET', watcher.headers)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({
      list: {
        state: 'current',
        version: 1,
        publishedAt: expect.any(String),
        age: 0,
        entries: { pdq: 501, exact: 0 },
        where: 'isolate',
        memoryBytes: expect.any(Number),
      },
      uploads: { heldBytes: 0, waiting: 0, decoders: 0 },
    })
    expect(forwarded).toEqual([])
  })

  it('answers 503 where there is no list to judge by', async () => {
    const { response } = await check()
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ list: { state: 'none' } })
    const full = await check({}, '/healthz', 'GET', watcher.headers)
    expect(full.response.status).toBe(503)
    expect(await full.response.json()).toMatchObject({
      list: { state: 'none', error: 'list-missing' },
    })
  })

  it('has another path, or none, if so configured', async () => {
    await publish(randomBytes(32, 3))
    const moved = { health: { path: '/.well-known/hashgate' } }
    expect((await check(moved, '/.well-known/hashgate')).response.status).toBe(200)
    expect((await check(moved)).forwarded).toHaveLength(1)
    expect((await check({ health: { path: '' } })).forwarded).toHaveLength(1)
    expect((await check({}, '/healthz/x')).forwarded).toHaveLength(1)
    expect((await check({}, '/healthz', 'HEAD')).forwarded).toHaveLength(1)
  })
})

describe('what is told', () => {
  beforeEach(unpublish)

  it('never holds a hash, in events or in answers', async () => {
    const file = addExif(fixture('jpeg'), writeExif(6, fixture('otherJpeg')))
    const hashes = await Promise.all([
      hashOf(file),
      hashOf(file, 'displayed'),
      hashOf(file, 'thumbnail'),
    ])
    await publish(...hashes)
    const { send, events } = setUp()
    const told: string[] = []
    for (const body of [file, fixture('otherJpeg'), formOf([file, 'x']), new Uint8Array(9)]) {
      const response = await send(body)
      told.push(await response.text(), JSON.stringify(Object.fromEntries(response.headers)))
    }
    told.push(JSON.stringify(events))
    expect(events).toHaveLength(4)
    for (const hash of hashes) {
      for (const half of [formatHash(hash).slice(0, 16), formatHash(hash).slice(32, 48)]) {
        expect(told.join().toLowerCase()).not.toContain(half)
      }
    }
  })

  it('does not tell an uploader what was found, or how near it was', async () => {
    const hash = await hashOf(fixture('jpeg'))
    const answers = []
    for (const bits of [0, 31]) {
      await publish(flipBits(hash, bits))
      const response = await setUp().send(fixture('jpeg'))
      const { caseId, ...body } = await response.json<{ caseId: string }>()
      expect(caseId).toHaveLength(36)
      answers.push([response.status, Object.fromEntries(response.headers), body])
    }
    expect(answers[1]).toEqual(answers[0])
  })
})

describe('an origin that is not there', () => {
  beforeEach(unpublish)

  it('is reported in an event, and answered with 502', async () => {
    await publish()
    const origin = { forward: () => Promise.reject(new TypeError('connection refused')) }
    const { send, events } = setUp({}, { origin })
    expect((await send(null, { method: 'GET' })).status).toBe(502)
    expect((await send(fixture('otherJpeg'))).status).toBe(502)
    const told = { ...STAMP, event: 'origin-error', error: 'TypeError', path: '/a/b' }
    expect(events).toEqual([
      { ...told, method: 'GET' },
      expect.objectContaining({ event: 'verdict', action: 'allow' }),
      { ...told, method: 'POST' },
    ])
  })
})

describe('a bucket as the origin', () => {
  beforeEach(unpublish)

  it('stores what is allowed, and nothing that is blocked', async () => {
    await publish(await hashOf(fixture('jpeg')))
    const origin = chooseOrigin({}, { ORIGIN_BUCKET: bindings.ORIGIN_BUCKET })
    const { send } = setUp({}, { origin })
    const headers = { 'content-type': 'image/jpeg' }
    expect((await send(fixture('jpeg'), { method: 'PUT', headers })).status).toBe(451)
    expect((await send(null, { method: 'GET' })).status).toBe(404)
    expect((await send(fixture('otherJpeg'), { method: 'PUT', headers })).status).toBe(201)
    const stored = await send(null, { method: 'GET' })
    expect(stored.headers.get('content-type')).toBe('image/jpeg')
    expect(new Uint8Array(await stored.arrayBuffer())).toEqual(fixture('otherJpeg'))
    expect((await send(null, { method: 'HEAD' })).status).toBe(200)
    expect((await send(null, { method: 'DELETE' })).status).toBe(204)
    expect((await send(null, { method: 'GET' })).status).toBe(404)
  })
})

describe('an entry that matches too much', () => {
  beforeEach(unpublish)

  const known = fixture('jpeg')

  it('goes on blocking, and is reported once', async () => {
    await publish(await hashOf(known))
    const { send, forwarded, events, verdicts } = setUp({ flood: { bound: 2 } })
    for (let i = 0; i < 6; i++) expect((await send(new Uint8Array([...known, i]))).status).toBe(451)
    expect(forwarded).toEqual([])
    expect(verdicts().every(({ action }) => action === 'block')).toBe(true)
    expect(verdicts()[5]?.files[0]?.matches?.[0]).not.toHaveProperty('isFlooded')
    expect(events.filter(({ event }) => event === 'flood')).toMatchObject([
      { bank: 'csam', entry: 'known-0', action: 'report', bound: 2 },
    ])
  })

  it('only flags where its bank says so, and its uploads reach the origin', async () => {
    await publish(await hashOf(known))
    const policy = { banks: { csam: { onFlood: 'flag' } } }
    const { send, forwarded, events, verdicts } = setUp({ flood: { bound: 2 }, policy })
    const variant = (i: number) => new Uint8Array([...known, i]) // the same picture in another file
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push((await send(variant(i))).status)
    expect(statuses).toEqual([451, 451, 201, 201])
    expect(forwarded.map(({ body }) => body)).toEqual([variant(2), variant(3)])
    expect(verdicts().map(({ action, reason }) => `${action} ${reason}`)).toEqual([
      'block match',
      'block match',
      'flag match',
      'flag match',
    ])
    expect(verdicts()[3]?.files[0]?.matches?.[0]).toMatchObject({ isFlooded: true })
    expect(events.filter(({ event }) => event === 'flood')).toMatchObject([
      { entry: 'known-0', action: 'flag' },
    ])
  })
})
