// Routes that take few formats hold at every door: what comes in parts is judged when it is whole, by the route of the request
// that the origin would get.

import { AwsClient } from 'aws4fetch'
import { describe, expect, it } from 'vitest'
import { zipSync } from 'fflate'
import { startStaging } from '../support/staging-harness.ts'
import { picture } from '../support/sharp-images.ts'

const credentials = { accessKeyId: 'CLIENTKEY', secretAccessKey: 'a-secret-of-the-client' }
const accept = ['jpeg']
const { origin, url, known, unrelated, expectNothingStaged } = await startStaging({
  S3_CLIENT_KEYS: `${credentials.accessKeyId}:${credentials.secretAccessKey}`,
  S3_ORIGIN_KEY: 'ORIGINKEY:another-secret-of-the-origin',
  tus: { path: '/files', originPath: '/stored' },
  policy: { routes: [{ paths: ['/stored', '/photos/*'], accept }] },
})
const signer = new AwsClient({ ...credentials, service: 's3', region: 'us-east-1', retries: 0 })
const OBJECT = new URL('/photos/a.jpg', url)

type Door = (file: Uint8Array, path?: string) => Promise<number>

async function sign(to: URL, init: RequestInit & { method: string }): Promise<Response> {
  return fetch(await signer.sign(to, init))
}

const DOORS: Record<string, Door> = {
  tus: async (file) => {
    const tus = { 'tus-resumable': '1.0.0', 'upload-metadata': 'filetype aW1hZ2UvanBlZw==' }
    const begun = await fetch(new URL('/files', url), {
      method: 'POST',
      headers: { ...tus, 'upload-length': String(file.length) },
    })
    const at = new URL(begun.headers.get('location') ?? '', url)
    const type = { 'content-type': 'application/offset+octet-stream' }
    let status = 0
    for (const [from, to] of [
      [0, 500],
      [500, file.length],
    ] as const) {
      const headers = { ...tus, ...type, 'upload-offset': String(from) }
      const body = new Uint8Array(file.subarray(from, to))
      ;({ status } = await fetch(at, { method: 'PATCH', headers, body }))
    }
    return status
  },
  'tus with the creation': async (file) => {
    const type = { 'content-type': 'application/offset+octet-stream' }
    const headers = { ...type, 'tus-resumable': '1.0.0', 'upload-length': String(file.length) }
    const body = new Uint8Array(file)
    return (await fetch(new URL('/files', url), { method: 'POST', headers, body })).status
  },
  PutObject: async (file) =>
    (await sign(OBJECT, { method: 'PUT', body: new Uint8Array(file) })).status,
  'a presigned URL': async (file) => {
    const signed = await signer.sign(OBJECT, { method: 'PUT', aws: { signQuery: true } })
    return (await fetch(signed.url, { method: 'PUT', body: new Uint8Array(file) })).status
  },
  'parts of S3': async (file) => {
    const headers = { 'content-type': 'image/jpeg' }
    const begun = await sign(new URL('?uploads', OBJECT), { method: 'POST', headers })
    const [, id = ''] = /<UploadId>(\w+)</.exec(await begun.text()) ?? []
    const part = new URL(`?partNumber=1&uploadId=${id}`, OBJECT)
    const etag = (await sign(part, { method: 'PUT', body: new Uint8Array(file) })).headers.get(
      'etag',
    )
    const list = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`
    const body = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`
    return (await sign(new URL(`?uploadId=${id}`, OBJECT), { method: 'POST', body })).status
  },
}

describe.each(Object.entries(DOORS))('a route that takes few formats, by %s', (_, send) => {
  const zip = zipSync({ 'a.txt': Buffer.from('a text') })

  it('takes these', async () => {
    expect(await send(unrelated)).toBeLessThan(300)
    expect(origin.received.at(-1)?.body.equals(unrelated)).toBe(true)
    await expectNothingStaged()
  })

  it.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['another format', () => picture(64, 64, 3, 4).png().toBuffer()],
    ['an archive', () => Buffer.concat([zip, Buffer.alloc(600)])],
    ['an archive behind a picture', () => Buffer.concat([unrelated, zip])],
    ['a text', () => Buffer.from('a text '.repeat(100))],
  ])('refuses %s with 415', async (_name, file) => {
    expect(await send(await file())).toBe(415)
    expect(origin.begun).toBe(0)
    await expectNothingStaged()
  })

  it('blocks what matches, whatever else it is', async () => {
    expect(await send(Buffer.concat([known, zip]))).toBe(451)
    expect(origin.begun).toBe(0)
  })
})
