// Each way that a file may come in: a known image in it is blocked before the origin hears of it, and what is unrelated arrives
// as it came.

import { deflateSync, gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { beforeAll, describe, expect, it } from 'vitest'
import { modules } from '../../../src/core/workerd.ts'
import { publishBank } from '../../../src/list/publish.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { fixture } from '../../support/fixtures.ts'
import { kvStore } from '../../support/stores.ts'
import { needlesOf } from '../../../src/scan/scanned.ts'
import { setUp } from '../../support/gate.ts'

const KNOWN = fixture('jpeg')
const UNRELATED = fixture('otherJpeg')

beforeAll(async () => {
  const needles = needlesOf(await scanFile({ modules }, KNOWN))
  const entries = needles.map(({ hash }) => ({ kind: 'pdq' as const, hash, id: 'x', labels: {} }))
  await publishBank(kvStore(), entries, { bank: 'csam' })
})

async function send(body: Uint8Array, headers: Record<string, string>, method = 'POST') {
  const { send: sendTo, forwarded, events } = setUp()
  const url = 'https://bucket.example/key?X-Amz-Signature=ab&X-Amz-Date=20260101T000000Z'
  const { status } = await sendTo(new Uint8Array(body), { method, headers }, url)
  return { status, arrived: forwarded.map((one) => one.body), events }
}

function parts(
  boundary: string,
  ...all: [headers: string, content: Uint8Array | string][]
): Buffer {
  const chunks = all.flatMap(([headers, content]) => [
    Buffer.from(`--${boundary}\r\n${headers}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)])
}

const FILE = 'Content-Disposition: form-data; name="f"; filename="x"\r\nContent-Type: text/plain'

const form = (file: Uint8Array) =>
  parts('b', ['Content-Disposition: form-data; name="note"', 'hello'], [FILE, file])
const FORM = { 'content-type': 'multipart/form-data; boundary=b' }

/** A PDF as far as it matters: an image in DCT among texts. */
function pdf(file: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from('%PDF-1.7\n1 0 obj\n<< /Subtype /Image /Filter /DCTDecode >>\nstream\n'),
    file,
    Buffer.from('\nendstream\nendobj\ntrailer\n%%EOF\n'),
  ])
}

function awsChunked(file: Uint8Array): Buffer {
  const signature = `;chunk-signature=${'0'.repeat(64)}`
  const size = file.length.toString(16)
  return Buffer.concat([
    Buffer.from(`${size}${signature}\r\n`),
    file,
    Buffer.from(`\r\n0${signature}\r\n\r\n`),
  ])
}

const base64 = (file: Uint8Array) => Buffer.from(file).toString('base64')
const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const JSON_TYPE = { 'content-type': 'application/json' }
const text = (content: string) => Buffer.from(content)
const zip = (file: Uint8Array) => zipSync({ 'word/media/image1.png': file, 'a.txt': text('text') })

const WAYS: [string, (file: Uint8Array) => Uint8Array, Record<string, string>, method?: string][] =
  [
    ['as it is', (file) => file, { 'content-type': 'image/jpeg' }],
    ['as a PUT to storage', (file) => file, { 'content-type': 'application/json' }, 'PUT'],
    ['as a PATCH without a type', (file) => file, {}, 'PATCH'],
    ['in a form', form, FORM],
    [
      'in a form, as a field',
      (file) => parts('b', ['Content-Disposition: form-data; name="f"', file]),
      FORM,
    ],
    [
      'in a form in a form',
      (file) =>
        parts('b', [
          'Content-Disposition: form-data; name="f"\r\nContent-Type: multipart/mixed; boundary=c',
          parts('c', ['Content-Disposition: file; filename="x"', file]),
        ]),
      FORM,
    ],
    [
      'beside metadata, as multipart/related',
      (file) =>
        parts('b', ['Content-Type: application/json', '{}'], ['Content-Type: image/jpeg', file]),
      { 'content-type': 'multipart/related; boundary=b; type="application/json"' },
    ],
    [
      'as multipart/mixed, in base64',
      (file) => parts('b', ['Content-Transfer-Encoding: base64', base64(file)]),
      { 'content-type': 'multipart/mixed; boundary="b"' },
    ],
    [
      'in JSON, as a data URI',
      (file) => json([{ a: `data:image/jpeg;base64,${base64(file)}` }]),
      JSON_TYPE,
    ],
    ['in JSON, as base64', (file) => json({ photo: base64(file) }), JSON_TYPE],
    [
      'urlencoded',
      (file) => text(`a=1&photo=${encodeURIComponent(base64(file))}`),
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['compressed with gzip', gzipSync, { 'content-encoding': 'gzip' }],
    [
      'in a form that is compressed with deflate',
      (file) => deflateSync(form(file)),
      { ...FORM, 'content-encoding': 'deflate' },
    ],
    ['in chunks of S3', awsChunked, { 'content-encoding': 'aws-chunked' }, 'PUT'],
    ['in a ZIP or a document', zip, { 'content-type': 'application/zip' }],
    ['in a ZIP in a ZIP in a form', (file) => form(zipSync({ a: zip(file) })), FORM],
    ['in a gzip file', gzipSync, { 'content-type': 'application/gzip' }],
    ['in a PDF', pdf, { 'content-type': 'application/pdf' }],
    ['behind another image', (file) => Buffer.concat([UNRELATED, file]), {}],
    ['in a ZIP behind another image', (file) => Buffer.concat([UNRELATED, zip(file)]), {}],
    [
      'somewhere in a file of another kind',
      (file) => Buffer.concat([Buffer.alloc(5000, 7), file]),
      {},
    ],
  ]

describe('an image', () => {
  it.each(WAYS)('is found wherever it comes in: %s', async (_, wrap, headers, method) => {
    const { status, arrived, events } = await send(wrap(KNOWN), headers, method)
    expect([status, arrived]).toEqual([451, []])
    expect(events).toMatchObject([{ event: 'verdict', action: 'block', reason: 'match' }])
  })

  it.each(WAYS)('passes as it came if it is unrelated: %s', async (_, wrap, headers, method) => {
    const body = wrap(UNRELATED)
    const { status, arrived, events } = await send(body, headers, method)
    expect([status, arrived.length]).toEqual([201, 1])
    expect(Buffer.compare(arrived[0]!, body)).toBe(0)
    expect(events).toMatchObject([{ event: 'verdict', action: 'allow' }])
  })

  it('that is encoded in a way that is not read is unscannable', async () => {
    const { status, events } = await send(KNOWN, { 'content-encoding': 'br' })
    expect(status).toBe(451) // what is no br at all is still looked at
    expect(events).toMatchObject([{ reason: 'match' }])
    const other = await send(text('compressed'), { 'content-encoding': 'br' })
    expect(other.events).toMatchObject([
      { action: 'allow', reason: 'unscannable', files: [{ reason: 'unsupported-encoding' }] },
    ])
  })
})
