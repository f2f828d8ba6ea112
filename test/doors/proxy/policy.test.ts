import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { beforeEach, describe, expect, it } from 'vitest'
import { writeTar } from '../../support/archive-writer.ts'
import { writeBmp } from '../../support/bmp-writer.ts'
import { flipBits, randomEntries } from '../../support/entries.ts'
import { fixture } from '../../support/fixtures.ts'
import { hashOf, publish, setUp } from '../../support/gate.ts'
import { randomBytes } from '../../support/random.ts'
import { kvStore } from '../../support/stores.ts'
import { readExistingManifest } from '../../../src/list/manifest.ts'
import { publishNotes } from '../../../src/list/notes.ts'
import { publishBank } from '../../../src/list/publish.ts'

const known = fixture('jpeg')
const unrelated = fixture('otherJpeg')

const gateWith = (policy: object, settings: object = {}) =>
  setUp({ scan: { probes: 'plain' }, ...settings, policy })

beforeEach(async () => {
  await publish(await hashOf(known))
  const { exempt = [], texts = {} } = (await readExistingManifest(kvStore())) ?? {}
  if (exempt.length > 0 || Object.keys(texts).length > 0)
    await publishNotes(kvStore(), () => ({ exempt: [], texts: {} }))
})

describe('an exemption', () => {
  it('lets a match pass, by the policy or the list, and stands in the event', async () => {
    const other = { kind: 'pdq' as const, hash: await hashOf(unrelated), id: 'x', labels: {} }
    await publishBank(kvStore(), [other, ...randomEntries(9, 3)], { bank: 'other' })
    await publishNotes(kvStore(), () => ({ exempt: ['csam/known-0'] }))
    const { send, verdicts } = gateWith({ exempt: ['other/x'] })
    expect((await send(known)).status).toBe(201)
    expect((await send(unrelated)).status).toBe(201)
    expect(verdicts()).toHaveLength(2)
    for (const { action, files } of verdicts()) {
      expect(action).toBe('allow')
      expect(files[0]?.matches).toMatchObject([{ isExempt: true }])
    }
    await publishNotes(kvStore(), () => ({ exempt: [] }))
    expect((await gateWith({}).send(known)).status).toBe(451)
    await publishBank(kvStore(), randomEntries(9, 3), { bank: 'other' })
  })
})

describe('the policy of a bank', () => {
  it('flags, blocks or quarantines', async () => {
    for (const [action, status] of [
      ['flag', 201],
      ['block', 451],
      ['quarantine', 451],
    ] as const) {
      const { send, forwarded, verdicts } = gateWith({ banks: { csam: { action, harm: 'abuse' } } })
      expect((await send(known)).status).toBe(status)
      expect(forwarded).toHaveLength(action === 'flag' ? 1 : 0)
      expect(verdicts()).toMatchObject([{ action, reason: 'match' }])
      expect(verdicts()[0]!.files[0]!.matches).toMatchObject([{ action, harm: 'abuse' }])
    }
  })

  it('has a threshold, and a review band above it', async () => {
    const hash = await hashOf(known)
    const policy = { banks: { csam: { threshold: 20, review: { threshold: 40 } } } }
    for (const [bits, action, threshold] of [
      [20, 'block', 20],
      [21, 'flag', 40],
      [40, 'flag', 40],
      [41, 'allow', undefined],
    ] as const) {
      await publish(flipBits(hash, bits))
      const { send, verdicts } = gateWith(policy)
      await send(known)
      expect(verdicts()[0]?.action, `${bits} bits`).toBe(action)
      expect(verdicts()[0]?.files[0]?.matches?.[0]?.threshold).toBe(threshold)
    }
  })

  it('may ask for more quality, under which pictures must be nearer', async () => {
    const soft = fixture('soft')
    await publish(flipBits(await hashOf(soft), 20))
    const send = (minQuality: number) => gateWith({ banks: { csam: { minQuality } } }).send(soft)
    expect((await send(90)).status).toBe(451)
    expect((await send(100)).status).toBe(201)
    await publish(await hashOf(soft))
    expect((await send(100)).status).toBe(451)
  })

  it('may be off', async () => {
    const off = gateWith({ banks: { csam: { enabled: false } } })
    expect((await off.send(known)).status).toBe(201)
    expect(off.verdicts()).toMatchObject([{ reason: 'no-match' }])
  })

  it('is reported as being for no bank, once for each version of the list', async () => {
    const policy = { banks: { csma: { action: 'flag' } }, exempt: ['spma/1', 'csam/known-0'] }
    const { send, events } = gateWith(policy)
    await send(unrelated)
    await send(unrelated)
    const told = events.filter(({ event }) => event === 'list-error')
    expect(told).toMatchObject([
      { error: 'unknown-bank: the policy names banks that are not in the list: csma, spma' },
    ])
  })

  it('of the most serious match counts', async () => {
    const entry = { kind: 'pdq' as const, hash: await hashOf(known), id: 'x', labels: {} }
    await publishBank(kvStore(), [entry, ...randomEntries(9, 3)], { bank: 'spam' })
    const policy = { banks: { spam: { action: 'flag' }, csam: { action: 'block' } } }
    const { send, verdicts } = gateWith(policy)
    expect((await send(known)).status).toBe(451)
    expect(verdicts()[0]!.files[0]!.matches!.map(({ action }) => action)).toEqual(['block', 'flag'])
    const flags = gateWith({ banks: { spam: { action: 'flag' }, csam: { enabled: false } } })
    expect((await flags.send(known)).status).toBe(201)
    await publishBank(kvStore(), [], { bank: 'spam' })
  })

  it('exempts entries, which stand in events all the same', async () => {
    const { send, verdicts } = gateWith({ exempt: ['csam/known-0'] })
    expect((await send(known)).status).toBe(201)
    expect(verdicts()).toMatchObject([{ action: 'allow', reason: 'no-match' }])
    expect(verdicts()[0]!.files[0]!.matches).toMatchObject([{ entry: 'known-0', isExempt: true }])
  })
})

describe('the policy of a route', () => {
  const send = (policy: object, path: string, body: BodyInit = known, init: RequestInit = {}) => {
    const gate = gateWith(policy)
    return gate.send(body, init, `https://files.example${path}`).then((response) => ({
      ...gate,
      status: response.status,
    }))
  }

  it('gates it, or does not', async () => {
    const policy = { routes: [{ paths: ['/ungated/*'], gated: false }] }
    expect((await send(policy, '/ungated/a')).status).toBe(201)
    expect((await send(policy, '/ungated/a')).verdicts()).toEqual([])
    expect((await send(policy, '/gated/a')).status).toBe(451)
  })

  it('refuses a path that an origin may take for that of another route', async () => {
    const policy = { routes: [{ paths: ['/ungated/*'], gated: false }] }
    const sent = await send(policy, '/ungated/..%2fgated/a')
    expect([sent.status, sent.forwarded]).toEqual([400, []])
    expect(sent.verdicts()).toMatchObject([
      { action: 'refuse', reason: 'malformed', error: expect.stringContaining('ambiguous-path') },
    ])
  })

  it('has its own limits, answers to what cannot be judged, and label', async () => {
    const routes = [
      { paths: ['/small'], maxBodyBytes: 100, label: 'private' },
      { paths: ['/strict'], onUnscannable: 'refuse', label: 'public' },
    ]
    expect((await send({ routes }, '/small')).status).toBe(413)
    const damaged = known.slice(0, 300)
    const strict = await send({ routes }, '/strict', damaged)
    expect(strict.status).toBe(422)
    expect(strict.verdicts()).toMatchObject([{ label: 'public' }])
    const other = await send({ routes }, '/other', damaged)
    expect(other.status).toBe(201)
    expect(other.verdicts()[0]).not.toHaveProperty('label')
  })

  it('has no look at the fields of forms that it names', async () => {
    const form = (field: string) => {
      const data = new FormData()
      data.append('title', 'a')
      data.append(field, new File([known], 'a.jpg', { type: 'image/jpeg' }))
      return data
    }
    const policy = { routes: [{ skipFields: ['skipped'] }] }
    expect((await send(policy, '/', form('photo'))).status).toBe(451)
    expect((await send(policy, '/', form('skipped'))).status).toBe(201)
    expect((await send(policy, '/', form('Skipped'))).status).toBe(451)
    expect((await send({}, '/', form('skipped'))).status).toBe(451)
    // A file that is the whole body has no field.
    expect((await send(policy, '/')).status).toBe(451)
  })
})

describe('a route that takes few formats', () => {
  const policy = { routes: [{ accept: ['jpeg'] }] }
  const zip = zipSync({ 'a.txt': Buffer.from('a text') })
  const tar = writeTar([{ name: 'a.txt', content: Buffer.from('a text') }])
  const jp2 = Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1')
  const bitmap = writeBmp({ width: 8, height: 8, bits: 24, pixel: (x, y) => x * y * 999 })
  const withComment = (jpeg: Uint8Array, comment: Uint8Array) =>
    Buffer.concat([
      jpeg.subarray(0, 2),
      Buffer.from([0xff, 0xfe, 0, comment.length + 2]),
      comment,
      jpeg.subarray(2),
    ])
  const form = (...entries: [string, string | File][]) => {
    const data = new FormData()
    for (const [name, value] of entries) data.append(name, value)
    return data
  }
  const file = (bytes: Uint8Array<ArrayBuffer>, name = 'a.jpg') =>
    new File([bytes], name, { type: 'image/jpeg' })
  const json = (bytes: Uint8Array) =>
    JSON.stringify({ a: `data:image/jpeg;base64,${Buffer.from(bytes).toString('base64')}` })

  it.each<[string, BodyInit, Record<string, string>]>([
    ['a picture', unrelated, {}],
    [
      'a form with fields and an empty file',
      form(['a', 'b'], ['f', file(unrelated)], ['g', file(new Uint8Array(0))]),
      {},
    ],
    ['JSON with a picture in it', json(unrelated), { 'content-type': 'application/json' }],
    ['nothing', new Uint8Array(0), {}],
    ['a preview behind a picture', Buffer.concat([unrelated, unrelated]), {}],
    ['an urlencoded form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('takes %s', async (_, body, headers) => {
    expect((await gateWith(policy).send(body, { headers })).status).toBe(201)
  })

  it.each<[string, BodyInit, Record<string, string>]>([
    ['another format', zip, { 'content-type': 'image/jpeg' }],
    ['a text', 'a text', {}],
    ['another format in a part', form(['f', file(zip)]), {}],
    ['an archive behind a picture', Buffer.concat([unrelated, zip]), {}],
    ['PDF behind a picture', Buffer.concat([unrelated, Buffer.from('%PDF-1.4\n%%EOF')]), {}],
    ['gzip behind a picture', Buffer.concat([unrelated, gzipSync('a text')]), {}],
    ['gzip in a comment of a picture', withComment(unrelated, gzipSync('a text')), {}],
    ['JPEG 2000 behind a picture', Buffer.concat([unrelated, jp2]), {}],
    ['a bitmap behind a picture', Buffer.concat([unrelated, bitmap]), {}],
    ['TAR behind a picture', Buffer.concat([unrelated, tar]), {}],
    ['gzip behind a picture in a text', json(Buffer.concat([unrelated, gzipSync('a')])), {}],
    ['HTML that is told to be JSON', '<p>a text', { 'content-type': 'application/json' }],
    [
      'bytes that are told to be a form',
      new Uint8Array(100),
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['another format in a text', json(zip), { 'content-type': 'application/json' }],
    ['what cannot be looked into', unrelated, { 'content-encoding': 'br' }],
  ])('refuses %s', async (_, body, headers) => {
    const gate = gateWith(policy)
    expect((await gate.send(body, { headers })).status).toBe(415)
    expect(gate.forwarded).toEqual([])
    expect(gate.verdicts()).toMatchObject([{ action: 'refuse', reason: 'unaccepted-format' }])
  })

  it('blocks what matches, and only tells in shadow mode', async () => {
    expect((await gateWith(policy).send(Buffer.concat([known, zip]))).status).toBe(451)
    const shadow = gateWith({ ...policy, mode: 'shadow' })
    expect((await shadow.send(zip)).status).toBe(201)
    expect(shadow.verdicts()).toMatchObject([{ reason: 'unaccepted-format', isShadow: true }])
  })

  it('takes pictures without others inside, except previews', async () => {
    const gif = Buffer.from('R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=', 'base64')
    const { send } = gateWith({ routes: [{ accept: ['jpeg', 'gif'] }] })
    expect((await send(gif)).status).toBe(201)
    expect((await send(Buffer.concat([unrelated, gif]))).status).toBe(415)
    expect((await send(Buffer.concat([gif, unrelated]))).status).toBe(201)
  })

  it('has formats that there are', () => {
    expect(() => gateWith({ routes: [{ accept: ['jpg'] }] })).toThrow('jpeg')
  })
})

describe('shadow mode', () => {
  const shadow = { mode: 'shadow' }

  it('passes everything on as it came, and tells what would have happened', async () => {
    const { send, forwarded, verdicts } = gateWith(shadow)
    const response = await send(known, { headers: { 'content-type': 'image/jpeg', 'x-a': 'b' } })
    expect([response.status, await response.text()]).toEqual([201, 'from the origin'])
    expect(forwarded[0]?.body).toEqual(known)
    expect(forwarded[0]?.request.headers.get('x-a')).toBe('b')
    expect(verdicts()).toMatchObject([{ action: 'block', reason: 'match', isShadow: true }])
  })

  it('does so for every way that an upload may fail', async () => {
    for (const [body, headers, vars, reason] of [
      [known.slice(0, 300), {}, { policy: { ...shadow, onUnscannable: 'refuse' } }, 'unscannable'],
      [known, {}, { upload: { maxBodyBytes: 100, maxBufferedBytes: 100 } }, 'too-large'],
      [known, { 'content-type': 'multipart/form-data; boundary=' }, {}, 'malformed'],
      [unrelated, {}, {}, 'no-match'],
      [unrelated, {}, { upload: { maxBufferedBytes: 1000 } }, 'length-required'],
      [randomBytes(3_000_000, 1), {}, {}, 'unscannable'],
    ] as const) {
      const { send, forwarded, verdicts } = gateWith(shadow, vars)
      expect((await send(body, { headers })).status).toBe(201)
      expect(forwarded.map((one) => one.body)).toEqual([body])
      expect(verdicts()).toMatchObject([{ reason, isShadow: true }])
    }
  })

  it('does so without a list, and when no place is left', async () => {
    const broken = { get: () => Promise.reject(new Error('no store')) }
    const store = Object.assign(kvStore(), broken)
    const failing = setUp({ policy: shadow }, { store })
    expect((await failing.send(known)).status).toBe(201)
    expect(failing.verdicts()).toMatchObject([{ reason: 'failed', isShadow: true }])
    const busy = gateWith(shadow, { upload: { maxDecoders: 1 } })
    const responses = await Promise.all([busy.send(known), busy.send(known), busy.send(known)])
    expect(responses.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(busy.verdicts().map(({ reason }) => reason)).toContain('match')
    expect(busy.verdicts()).toHaveLength(3)
  })

  it('holds no place for a client that is slower than the gate allows, and passes it on', async () => {
    const { send, forwarded, verdicts } = gateWith(shadow, {
      upload: { maxDecoders: 1, clientStallSeconds: 3 },
    })
    const { readable, writable } = new FixedLengthStream(known.length)
    const slow = send(readable)
    const writer = writable.getWriter()
    await writer.write(known.subarray(0, 100))
    const reasonOfNext = async () => {
      await send(unrelated)
      return verdicts().at(-1)?.reason
    }
    expect(await reasonOfNext()).toBe('busy')
    await expect.poll(reasonOfNext, { timeout: 60_000 }).toBe('no-match')
    await writer.write(known.subarray(100))
    await writer.close()
    expect((await slow).status).toBe(201)
    expect(forwarded.at(-1)?.body).toEqual(known)
    expect(verdicts().at(-1)).toMatchObject({ reason: 'client-stalled', isShadow: true })
  })

  it('is one route, if so configured', async () => {
    const policy = { routes: [{ paths: ['/new/*'], mode: 'shadow' }] }
    const { send, verdicts } = gateWith(policy)
    expect((await send(known, {}, 'https://files.example/new/a')).status).toBe(201)
    expect((await send(known, {}, 'https://files.example/old/a')).status).toBe(451)
    expect(verdicts().map(({ isShadow }) => isShadow)).toEqual([true, undefined])
  })
})

describe('what a blocked uploader reads', () => {
  const harms = {
    csam: {
      type: 'https://example.org/problems/known-material',
      title: 'Not <accepted>',
      text: 'This is known material.',
      appealUrl: 'https://example.org/appeal?case={caseId}',
    },
  }

  it('is what the operator says of the harm, and nothing else', async () => {
    const response = await gateWith({ harms }).send(known)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const { caseId, appeal, ...rest } = await response.json<Record<string, string>>()
    expect(rest).toEqual({
      type: 'https://example.org/problems/known-material',
      title: 'Not <accepted>',
      detail: 'This is known material.',
      status: 451,
    })
    expect(appeal).toBe(`https://example.org/appeal?case=${caseId}`)
  })

  it('is replaced by what is published with the list, from its next version on', async () => {
    const { send } = gateWith({ harms })
    expect(await (await send(known)).json()).toMatchObject({ title: 'Not <accepted>' })
    await publishNotes(kvStore(), () => ({ texts: { csam: { title: 'No.' } } }))
    const later = await gateWith({ harms }).send(known)
    expect(await later.json()).toEqual({
      type: 'about:blank',
      title: 'No.',
      status: 451,
      caseId: expect.any(String) as string,
    })
  })

  it('is not told for other refusals', async () => {
    const damaged = known.slice(0, 300)
    const response = await gateWith({ harms, onUnscannable: 'refuse' }).send(damaged)
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'This upload cannot be processed.',
      status: 422,
      caseId: expect.any(String) as string,
    })
  })

  describe('in the language of the uploader', () => {
    const csam = {
      title: 'Not accepted.',
      text: 'Known material.',
      appealUrl: 'https://example.org/appeal?case={caseId}',
      languages: {
        de: { title: 'Nicht angenommen.', text: 'Fall {caseId}.', appealLabel: 'Widerspruch' },
        'pt-BR': { title: 'N\u00e3o aceito.', appealUrl: 'https://example.org/recurso/{caseId}' },
      },
    }
    const spoken = async (language: string | undefined, accept = 'application/json') => {
      const form = new FormData()
      form.append('file', new File([known], 'a.jpg'))
      const headers = { accept, ...(language !== undefined && { 'accept-language': language }) }
      return gateWith({}).send(form, { headers })
    }

    beforeEach(() => publishNotes(kvStore(), () => ({ texts: { csam } })))

    it.each([
      [undefined, 'en', 'Not accepted.'],
      ['de', 'de', 'Nicht angenommen.'],
      ['de-AT, en;q=0.5', 'de', 'Nicht angenommen.'],
      ['en;q=0.5, DE;q=0.9', 'de', 'Nicht angenommen.'],
      ['de;q=0.5, en-GB', 'en', 'Not accepted.'],
      ['pt-br', 'pt-BR', 'N\u00e3o aceito.'],
      ['pt', 'en', 'Not accepted.'],
      ['de;q=0, fr', 'en', 'Not accepted.'],
      ['fr, de;q=0.1', 'de', 'Nicht angenommen.'],
      ['*', 'en', 'Not accepted.'],
      [';;,,q=,"', 'en', 'Not accepted.'],
      ['constructor, __proto__', 'en', 'Not accepted.'],
    ])('answers %s in %s', async (asked, language, title) => {
      const response = await spoken(asked)
      expect(response.headers.get('content-language')).toBe(language)
      expect(response.headers.get('vary')).toBe('accept, accept-language')
      expect(await response.json()).toMatchObject({ title, status: 451 })
    })

    it('has one language only, and the appeal of all where it has none of its own', async () => {
      const german = await (await spoken('de')).json<Record<string, string>>()
      expect(german['detail']).toBe(`Fall ${german['caseId']}.`)
      expect(german['appeal']).toBe(`https://example.org/appeal?case=${german['caseId']}`)
      const brazilian = await (await spoken('pt-BR')).json<Record<string, string>>()
      expect(brazilian).not.toHaveProperty('detail')
      expect(brazilian['appeal']).toBe(`https://example.org/recurso/${brazilian['caseId']}`)
    })

    it('is on the page, too', async () => {
      const german = await (await spoken('de', 'text/html')).text()
      expect(german).toContain('<html lang="de" dir="auto">')
      expect(german).toContain('>Widerspruch</a>')
      expect(german).not.toMatch(/Appeal|Case/)
      const english = await (await spoken('en', 'text/html')).text()
      expect(english).toContain('>Appeal this decision</a>')
    })

    it('uses the texts of the status if no kind of harm has texts', async () => {
      const texts = {
        422: { title: 'Damaged.', languages: { de: { title: 'Besch\u00e4digt.' } } },
        451: { title: 'No.' },
      }
      await publishNotes(kvStore(), () => ({ texts }))
      const headers = { 'accept-language': 'de' }
      const strict = gateWith({ onUnscannable: 'refuse' })
      const damaged = await strict.send(known.slice(0, 300), { headers })
      expect(await damaged.json()).toMatchObject({ title: 'Besch\u00e4digt.', status: 422 })
      expect(damaged.headers.get('content-language')).toBe('de')
      expect(damaged.headers.has('link')).toBe(false)
      expect(await (await strict.send(known, { headers })).json()).toMatchObject({ title: 'No.' })
    })
  })

  it('is a page for a browser that posts a form', async () => {
    const form = () => {
      const data = new FormData()
      data.append('file', new File([known], 'a.jpg'))
      return data
    }
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
    const page = await gateWith({ harms }).send(form(), { headers: { accept } })
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const text = await page.text()
    expect(text).toContain('<h1>Not &lt;accepted&gt;</h1>')
    expect(text).toContain('href="https://example.org/appeal?case=')
    for (const headers of [{ accept: 'application/json' }, { accept: '*/*' }, {}]) {
      const response = await gateWith({ harms }).send(form(), { headers })
      expect(response.headers.get('content-type')).toBe('application/problem+json')
    }
    const raw = await gateWith({ harms }).send(known, { headers: { accept } })
    expect(raw.headers.get('content-type')).toBe('application/problem+json')
  })
})
