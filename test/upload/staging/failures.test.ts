// What clients and operators are told when the bucket fails that parts wait in.

import { env } from 'cloudflare:workers'
import { AwsClient } from 'aws4fetch'
import { beforeAll, describe, expect, it } from 'vitest'
import type { StagedUpload } from '../../../src/upload/staging/staged-upload.ts'
import { fixture } from '../../support/fixtures.ts'
import { publish, setUp } from '../../support/gate.ts'

const { STAGING: bucket, UPLOADS: uploads } = env as unknown as {
  STAGING: R2Bucket
  UPLOADS: DurableObjectNamespace<StagedUpload>
}
const picture = fixture('jpeg')
const HOST = 'https://files.example'
const SECRET = 'a-secret-of-the-client'

/** The bucket, of which some methods fail while they are named. */
function failing(methods: Set<string>): R2Bucket {
  return new Proxy(bucket, {
    get(target, name: keyof R2Bucket) {
      if (methods.has(name))
        return () => Promise.reject(new Error('we encountered an internal error'))
      return (target[name] as (...args: unknown[]) => unknown).bind(target)
    },
  })
}

function setUpStaging() {
  const broken = new Set<string>()
  const s3 = { clientKeys: new Map([['CLIENTKEY', SECRET]]), originKey: undefined }
  const staging = { bucket: failing(broken), uploads }
  const vars = { tus: { path: '/tus', corsOrigins: ['*'] } }
  return { broken, ...setUp(vars, { staging, s3 }) }
}

type Tested = ReturnType<typeof setUpStaging>

beforeAll(() => publish())

const staging = (event: object) => 'event' in event && event.event === 'staging-error'

describe('tus, when the bucket fails', () => {
  const version = { 'tus-resumable': '1.0.0' }

  async function begin({ send }: Tested): Promise<string> {
    const headers = { ...version, 'upload-length': String(picture.length) }
    const made = await send(null, { headers }, `${HOST}/tus`)
    expect(made.status).toBe(201)
    return `${HOST}${made.headers.get('location')}`
  }

  const patch = ({ send }: Tested, url: string, from = 0) =>
    send(
      picture.slice(from),
      {
        method: 'PATCH',
        headers: {
          ...version,
          'upload-offset': String(from),
          'content-type': 'application/offset+octet-stream',
        },
      },
      url,
    )

  it.each(['put', 'get'])('by %s, asks the client to try again, and tells it', async (method) => {
    const tested = setUpStaging()
    const url = await begin(tested)
    tested.broken.add(method)
    const answer = await patch(tested, url)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('30')
    expect(answer.headers.get('tus-resumable')).toBe('1.0.0')
    const told = tested.events.filter(staging)
    expect(told).toMatchObject([{ method: 'PATCH', path: new URL(url).pathname, error: 'Error' }])
    expect(tested.forwarded).toHaveLength(0)
    tested.broken.clear()
    const head = await tested.send(null, { method: 'HEAD', headers: version }, url)
    const offset = Number(head.headers.get('upload-offset'))
    expect((await patch(tested, url, offset)).status).toBe(204)
    expect(tested.forwarded[0]?.body).toEqual(new Uint8Array(picture))
  })

  it('lets pages of all origins in, if the setting is a star', async () => {
    const { send } = setUpStaging()
    const headers = { origin: 'https://any.example', 'access-control-request-method': 'PATCH' }
    const answer = await send(null, { method: 'OPTIONS', headers }, `${HOST}/tus`)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  })
})

describe('a body without a length, when the bucket fails', () => {
  it.each(['put', 'get'])('by %s, goes nowhere', async (method) => {
    const broken = new Set<string>()
    const vars = { upload: { maxBufferedBytes: 1000 } }
    const tested = setUp(vars, { staging: { bucket: failing(broken), uploads } })
    const send = () => {
      const body = new Response(picture).body!.pipeThrough(new IdentityTransformStream())
      return tested.send(body, {}, HOST)
    }
    expect((await send()).status).toBe(201)
    expect(tested.forwarded.splice(0)[0]?.body).toEqual(new Uint8Array(picture))
    broken.add(method)
    expect((await send()).status).toBe(method === 'put' ? 503 : 502)
    expect(tested.forwarded).toEqual([])
    expect((await bucket.list()).objects).toEqual([])
  })
})

describe('S3, when the bucket fails', () => {
  const client = new AwsClient({
    accessKeyId: 'CLIENTKEY',
    secretAccessKey: SECRET,
    service: 's3',
    region: 'auto',
  })

  async function send({ send: sendTo }: Tested, method: string, query: string, body?: BodyInit) {
    const url = `${HOST}/photos/a.jpg?${query}`
    const signed = await client.sign(url, {
      method,
      ...(body !== undefined && { body }),
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
      aws: { allHeaders: true },
    })
    const headers = new Headers(signed.headers)
    if (body instanceof Uint8Array) headers.set('content-length', String(body.length))
    const answer = await sendTo(body ?? null, { method, headers }, url)
    return { status: answer.status, etag: answer.headers.get('etag'), text: await answer.text() }
  }

  it.each(['put', 'get'])('by %s, asks the client to try again, and tells it', async (method) => {
    const tested = setUpStaging()
    const begun = await send(tested, 'POST', 'uploads=')
    const [, id = ''] = /<UploadId>(.*)<\/UploadId>/.exec(begun.text) ?? []
    const sendPart = () => send(tested, 'PUT', `partNumber=1&uploadId=${id}`, picture)
    const parts = (etag: string | null) =>
      `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
    const complete = (etag: string | null) => send(tested, 'POST', `uploadId=${id}`, parts(etag))
    const part = method === 'get' ? await sendPart() : undefined
    tested.broken.add(method)
    const answer = part ? await complete(part.etag) : await sendPart()
    expect(answer).toMatchObject({ status: 503 })
    expect(answer.text).toContain('<Code>ServiceUnavailable</Code>')
    expect(tested.events.filter(staging)).toMatchObject([{ path: '/photos/a.jpg', error: 'Error' }])
    expect(tested.forwarded).toHaveLength(0)
    tested.broken.clear()
    const { etag } = part ?? (await sendPart())
    expect((await complete(etag)).status).toBe(200)
    expect(tested.forwarded[0]?.body).toEqual(new Uint8Array(picture))
  })
})
