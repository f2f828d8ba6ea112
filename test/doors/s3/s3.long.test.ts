// The official client, over real sockets that break, before the Worker in workerd.

import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListPartsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
  SignatureV4,
  Upload,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '../../../bench/clients/s3.ts'
import { AwsClient } from 'aws4fetch'
import { describe, expect, it } from 'vitest'
import { BreakingWire } from '../../support/breaking-wire.ts'
import { randomBytes, randomFrom } from '../../support/random.ts'
import { startStaging } from '../../support/staging-harness.ts'
import { digest } from '../../support/uploads.ts'

const MIB = 1024 * 1024
const SECRET = 'a secret/of+the=client'.replaceAll(' ', '-')
const ORIGIN_SECRET = 'another-secret-of-the-origin'
const { origin, url, known, unrelated, staged, expectNothingStaged } = await startStaging({
  S3_CLIENT_KEYS: `CLIENTKEY:${SECRET}, OTHERKEY:another-secret-of-a-client`,
  S3_ORIGIN_KEY: `ORIGINKEY:${ORIGIN_SECRET}`,
  s3: { region: 'eu-central-1' },
  upload: { onParts: 'refuse', maxBodyBytes: 64 * MIB, maxBufferedBytes: 2 * MIB },
})
const credentials = { accessKeyId: 'CLIENTKEY', secretAccessKey: SECRET }

function clientOf(options: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: url.href,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials,
    ...options,
  })
}
const s3 = clientOf()
const object = { Bucket: 'photos', Key: "a b/ü+&'<x>.jpg" }
const PATH = '/photos/a%20b/%C3%BC%2B%26%27%3Cx%3E.jpg'

async function begin(more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...object, ...more }))
  return UploadId ?? ''
}

async function send(
  UploadId: string,
  PartNumber: number,
  Body: Uint8Array,
): Promise<CompletedPart> {
  const part = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }))
  expect(part.ETag).toBe(`"${createHash('md5').update(Body).digest('hex')}"`)
  return { PartNumber, ETag: part.ETag }
}

function complete(UploadId: string, Parts: CompletedPart[]) {
  const command = { ...object, UploadId, MultipartUpload: { Parts } }
  return s3.send(new CompleteMultipartUploadCommand(command))
}

/** SHA-256 as the SDK wants it. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' ? secret : secret && Buffer.from(secret as Uint8Array)
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest())
  }

  reset(): void {}
}

/** What the SDK makes of a refusal. */
async function errorOf(sent: Promise<unknown>): Promise<unknown[]> {
  const error = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } }
  return [name, $metadata?.httpStatusCode]
}

function expectArrivedOnce(file: Uint8Array): void {
  expect(
    origin.received.map(({ isComplete, method, url: path }) => [isComplete, method, path]),
  ).toEqual([[true, 'PUT', PATH]])
  expect(digest(origin.received[0]!.body)).toBe(digest(file))
}

describe('a multipart upload of the AWS SDK', () => {
  it('arrives once, byte for byte, signed for the origin', async () => {
    const file = randomBytes(13 * MIB + 7, 1)
    const UploadId = await begin({
      ContentType: 'image/jpeg',
      CacheControl: 'no-cache',
      Metadata: { by: 'me' },
    })
    const parts = await Promise.all(
      [2, 1, 3].map((number) =>
        send(UploadId, number, file.subarray((number - 1) * 5 * MIB, number * 5 * MIB)),
      ),
    )
    const listed = await s3.send(new ListPartsCommand({ ...object, UploadId }))
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5 * MIB],
      [2, 5 * MIB],
      [3, 3 * MIB + 7],
    ])
    parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
    const completed = await complete(UploadId, parts)
    expect(completed).toMatchObject({ ...object, ETag: expect.stringMatching(/^"[\da-f]{32}-3"$/) })
    expectArrivedOnce(file)
    const { headers } = origin.received[0]!
    expect(headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(file.length),
      'cache-control': 'no-cache',
      'x-amz-meta-by': 'me',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    })
    expect(headers.authorization).toContain('Credential=ORIGINKEY/')
    expect(headers.authorization).toContain('/eu-central-1/s3/aws4_request')
    expect(headers.authorization).toContain('x-amz-meta-by')
    await expectNothingStaged()
    const again = await complete(UploadId, parts)
    expect({ ...again, $metadata: {} }).toEqual({ ...completed, $metadata: {} })
    expectArrivedOnce(file)
    expect(await errorOf(send(UploadId, 1, unrelated))).toEqual(['NoSuchUpload', 404])
  })

  it('is signed as the SDK would sign it', async () => {
    const UploadId = await begin({ Metadata: { by: 'me' } })
    await complete(UploadId, [await send(UploadId, 1, unrelated)])
    const { headers, method, url: path } = origin.received[0]!
    const at = new URL(origin.url)
    const signer = new SignatureV4({
      credentials: { accessKeyId: 'ORIGINKEY', secretAccessKey: ORIGIN_SECRET },
      region: 'eu-central-1',
      service: 's3',
      sha256: Sha256,
      uriEscapePath: false,
      applyChecksum: false,
    })
    const date = String(headers['x-amz-date'])
    const signed = await signer.sign(
      {
        method,
        protocol: at.protocol,
        hostname: at.hostname,
        path: path.replace("'", '%27'),
        headers: {
          host: String(headers.host),
          'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
          'x-amz-date': date,
          'x-amz-meta-by': 'me',
        },
      },
      { signingDate: new Date(date.replace(/(....)(..)(..T..)(..)(..)Z/, '$1-$2-$3:$4:$5Z')) },
    )
    expect(headers.host).toBe(at.host)
    expect(headers.authorization).toBe(signed.headers['authorization'])
  })

  it('arrives from a stream, in chunks with checksums behind them', async () => {
    const file = randomBytes(12 * MIB, 2)
    const Body = Readable.from(
      (function* () {
        for (let at = 0; at < file.length; at += 70_000) yield file.subarray(at, at + 70_000)
      })(),
    )
    await new Upload({ client: s3, params: { ...object, Body }, queueSize: 2 }).done()
    expectArrivedOnce(file)
    origin.clear()
    const UploadId = await begin()
    const part = await s3.send(
      new UploadPartCommand({
        ...object,
        UploadId,
        PartNumber: 1,
        Body: Readable.from([file.subarray(0, 100_000), file.subarray(100_000, MIB)]),
        ContentLength: MIB,
      }),
    )
    await complete(UploadId, [{ PartNumber: 1, ETag: part.ETag }])
    expectArrivedOnce(file.subarray(0, MIB))
    await expectNothingStaged()
  })

  it.each([1, 2, 3])('is sent again where it was broken off: seed %i', async (seed) => {
    const random = randomFrom(seed)
    const file = randomBytes(16 * MIB + seed, seed)
    const breaks = Array.from({ length: 4 }, () => 2000 + Math.floor(random() * 5 * MIB))
    const wire = await BreakingWire.start(url, breaks)
    const client = clientOf({ endpoint: wire.url, maxAttempts: 12 })
    await new Upload({ client, params: { ...object, Body: file }, queueSize: 2 }).done()
    wire.stop()
    expect(wire.broken).toBeGreaterThan(2)
    expectArrivedOnce(file)
    await expectNothingStaged()
  })

  it('is refused when it is whole, if it is known, however it was split', async () => {
    const padded = Buffer.concat([known, randomBytes(6 * MIB - known.length, 1)])
    for (const at of [5 * MIB, 5 * MIB + 1]) {
      const UploadId = await begin({ ContentType: 'image/jpeg' })
      const parts = [
        await send(UploadId, 1, padded.subarray(0, at)),
        await send(UploadId, 2, padded.subarray(at)),
      ]
      const refused = () => complete(UploadId, parts).catch(({ $metadata }) => $metadata.requestId)
      expect(await errorOf(complete(UploadId, parts))).toEqual(['UploadRefused', 451])
      expect(await errorOf(complete(UploadId, parts))).toEqual(['UploadRefused', 451])
      expect(await refused()).toEqual(await refused()) // the same case
    }
    // The picture itself lies over the border of two parts.
    const before = randomBytes(5 * MIB - 1000, 3)
    const split = Buffer.concat([before, known])
    const UploadId = await begin()
    const parts = [
      await send(UploadId, 1, split.subarray(0, 5 * MIB)),
      await send(UploadId, 2, split.subarray(5 * MIB)),
    ]
    expect(await errorOf(complete(UploadId, parts))).toEqual(['UploadRefused', 451])
    expect(origin.connections).toBe(0)
    await expectNothingStaged()
  })

  it('is looked at as a file, if it says that it is a form', async () => {
    const UploadId = await begin({ ContentType: 'multipart/form-data; boundary=x' })
    const form = Buffer.from(
      '\r\n--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
    )
    const part = await send(UploadId, 1, Buffer.concat([known, form]))
    expect(await errorOf(complete(UploadId, [part]))).toEqual(['UploadRefused', 451])
    const other = await begin({ ContentType: 'multipart/form-data; boundary=x' })
    await complete(other, [await send(other, 1, unrelated)])
    expect(origin.received[0]!.headers['content-type']).toBe('multipart/form-data; boundary=x')
  })

  it('is kept when the origin fails, and can be completed again', async () => {
    const UploadId = await begin()
    const part = await send(UploadId, 1, unrelated)
    origin.failNext(503)
    await complete(UploadId, [part]) // the SDK asks again by itself
    expect(origin.received.map(({ isComplete }) => isComplete)).toEqual([true, true])
    expect(digest(origin.received[1]!.body)).toBe(digest(unrelated))
    await expectNothingStaged()
  })

  it('is ended by the client', async () => {
    const UploadId = await begin()
    const part = await send(UploadId, 1, unrelated)
    await s3.send(new AbortMultipartUploadCommand({ ...object, UploadId }))
    expect(await errorOf(send(UploadId, 2, unrelated))).toEqual(['NoSuchUpload', 404])
    expect(await errorOf(complete(UploadId, [part]))).toEqual(['NoSuchUpload', 404])
    await expectNothingStaged()
  })
})

describe('what is sent twice', () => {
  const once = clientOf({ maxAttempts: 1 })
  const thrice = <T>(one: () => Promise<T>) => Promise.all([one(), one(), one()])
  /** What an answer says, without the times it was sent at. */
  const told = (answer: object) => ({ ...answer, $metadata: {} })

  it('is completed once, and all who ask at the same time have the first answer', async () => {
    const file = randomBytes(9 * MIB, 6)
    const UploadId = await begin()
    const Parts = [
      await send(UploadId, 1, file.subarray(0, 5 * MIB)),
      await send(UploadId, 2, file.subarray(5 * MIB)),
    ]
    const command = { ...object, UploadId, MultipartUpload: { Parts } }
    const answers = await thrice(() => once.send(new CompleteMultipartUploadCommand(command)))
    expect(answers.map(told)).toEqual(Array.from({ length: 3 }, () => told(answers[0])))
    expectArrivedOnce(file)
    const later = await once.send(new CompleteMultipartUploadCommand(command))
    expect(told(later)).toEqual(told(answers[0]))
    expectArrivedOnce(file)
  })

  it('is refused once, with one case for all', async () => {
    const UploadId = await begin()
    const Parts = [await send(UploadId, 1, known)]
    const command = { ...object, UploadId, MultipartUpload: { Parts } }
    const cases = await thrice(() =>
      once.send(new CompleteMultipartUploadCommand(command)).then(
        () => 'completed',
        ({ name, $metadata }) => `${name} ${$metadata.httpStatusCode} ${$metadata.requestId}`,
      ),
    )
    expect(new Set(cases).size).toBe(1)
    expect(cases[0]).toMatch(/^UploadRefused 451 ./)
    expect(origin.connections).toBe(0)
  })

  it('can be completed by who asked second, when the origin has failed', async () => {
    const UploadId = await begin()
    const Parts = [await send(UploadId, 1, unrelated)]
    const command = { ...object, UploadId, MultipartUpload: { Parts } }
    origin.failNext(503)
    const failed = () => errorOf(once.send(new CompleteMultipartUploadCommand(command)))
    for (const [, status] of await Promise.all([failed(), failed()])) expect(status).toBe(503)
    origin.clear()
    await once.send(new CompleteMultipartUploadCommand(command))
    expectArrivedOnce(unrelated)
  })

  it('is put twice, with the same answer', async () => {
    const put = (Body: Uint8Array) => once.send(new PutObjectCommand({ ...object, Body }))
    const answers = [...(await thrice(() => put(unrelated))), await put(unrelated)]
    expect(answers.map(told)).toEqual(Array.from({ length: 4 }, () => told(answers[0]!)))
    expect(origin.received.map(({ body }) => digest(body))).toEqual(
      Array.from({ length: 4 }, () => digest(unrelated)),
    )
    origin.clear()
    const refused = await thrice(() => errorOf(put(known)))
    expect(refused).toEqual(Array.from({ length: 3 }, () => ['UploadRefused', 451]))
    expect(origin.begun).toBe(0)
  })
})

describe('an object that is put in one request', () => {
  const put = (Body: Uint8Array | Readable, more: Partial<PutObjectCommandInput> = {}) =>
    s3.send(new PutObjectCommand({ ...object, Body, ...more }))

  it('arrives as it was sent, signed for the origin', async () => {
    const answer = await put(unrelated, { ContentType: 'image/jpeg', Metadata: { by: 'me' } })
    expect(answer.ETag).toBe(`"${createHash('md5').update(unrelated).digest('hex')}"`)
    expectArrivedOnce(unrelated)
    const { headers } = origin.received[0]!
    expect(headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(unrelated.length),
      'x-amz-meta-by': 'me',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    })
    expect(headers.authorization).toContain('Credential=ORIGINKEY/')
    expect(headers.authorization).toContain('x-amz-meta-by')
    expect(origin.received[0]!.url).toBe(PATH)
  })

  it('arrives from a stream, without its chunks, and long ones too', async () => {
    const file = randomBytes(5 * MIB, 2)
    const chunks = [file.subarray(0, 100_000), file.subarray(100_000)]
    await put(Readable.from(chunks), { ContentLength: file.length })
    expectArrivedOnce(file)
    expect(origin.received[0]!.headers).not.toHaveProperty('content-encoding')
  })

  it('is refused if it is known, whatever type it has', async () => {
    expect(await errorOf(put(known))).toEqual(['UploadRefused', 451])
    expect(await errorOf(put(known, { ContentType: 'multipart/form-data; boundary=x' }))).toEqual([
      'UploadRefused',
      451,
    ])
    const stream = Readable.from([known])
    expect(await errorOf(put(stream, { ContentLength: known.length }))).toEqual([
      'UploadRefused',
      451,
    ])
    expect(origin.connections).toBe(0)
    await put(unrelated, { ContentType: 'multipart/form-data; boundary=x' })
    expect(origin.received[0]!.headers['content-type']).toBe('multipart/form-data; boundary=x')
  })

  it('is as its digests say, or does not arrive', async () => {
    const wrong = createHash('md5').update('x').digest('base64')
    expect(await errorOf(put(unrelated, { ContentMD5: wrong }))).toEqual(['BadDigest', 400])
    const long = { ContentMD5: wrong }
    expect(await errorOf(put(randomBytes(5 * MIB, 4), long))).toEqual(['BadDigest', 400])
    await expect.poll(() => origin.received.length).toBe(origin.begun)
    expect(origin.received.filter(({ isComplete }) => isComplete)).toEqual([])
  })

  it('is left to the origin if another signs it, or it is something of an object', async () => {
    const other = clientOf({ credentials: { ...credentials, accessKeyId: 'OFTHEORIGIN' } })
    await other.send(new PutObjectCommand({ ...object, Body: unrelated }))
    expect(origin.received[0]!.headers.authorization).toContain('Credential=OFTHEORIGIN/')
    const wrong = clientOf({
      credentials: { ...credentials, secretAccessKey: 'not-the-secret-0000' },
    })
    const sent = wrong.send(new PutObjectCommand({ ...object, Body: unrelated }))
    expect(await errorOf(sent)).toEqual(['SignatureDoesNotMatch', 403])
  })

  const putTo = (to: string, file: Uint8Array) =>
    fetch(to, { method: 'PUT', body: new Uint8Array(file) })
  const signers: [string, (expires: number, at: Date) => Promise<string>][] = [
    [
      'the SDK',
      async (expires, at) => {
        const signer = new SignatureV4({
          credentials,
          region: 'us-east-1',
          service: 's3',
          sha256: Sha256,
          uriEscapePath: false,
          applyChecksum: false,
        })
        const signed = await signer.presign(
          {
            method: 'PUT',
            protocol: url.protocol,
            hostname: url.hostname,
            port: Number(url.port),
            path: PATH.replace("'", '%27'),
            query: { 'x-id': 'PutObject', 'x-amz-meta-by': 'me' },
            headers: { host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
          },
          { expiresIn: expires, signingDate: at, unhoistableHeaders: new Set() },
        )
        const to = new URL(PATH, url)
        for (const [name, value] of Object.entries(signed.query ?? {}))
          to.searchParams.set(name, String(value))
        return to.href
      },
    ],
    [
      'aws4fetch',
      async (expires, at) => {
        const signer = new AwsClient({ ...credentials, service: 's3', region: 'us-east-1' })
        const to = new URL(PATH, url)
        to.searchParams.set('X-Amz-Expires', String(expires))
        to.searchParams.set('x-amz-meta-by', 'me')
        const datetime = at.toISOString().replace(/[:-]|\.\d{3}/g, '')
        const signed = await signer.sign(to, { method: 'PUT', aws: { signQuery: true, datetime } })
        return signed.url
      },
    ],
  ]

  it.each(signers)('is taken by a URL that %s signed, as long as that holds', async (_, sign) => {
    const to = await sign(600, new Date())
    expect((await putTo(to, unrelated)).status).toBe(200)
    expectArrivedOnce(unrelated)
    const { headers } = origin.received[0]!
    expect(headers).toMatchObject({ 'x-amz-meta-by': 'me' })
    expect(headers.authorization).toContain('Credential=ORIGINKEY/')
    expect((await putTo(to, known)).status).toBe(451)
    const twice = await Promise.all([putTo(to, known), putTo(to, known)])
    expect(twice.map(({ status }) => status)).toEqual([451, 451])
    const changed = to.replace('photos', 'others')
    expect((await putTo(changed, unrelated)).status).toBe(403)
    const late = await sign(600, new Date(Date.now() - 601_000))
    expect((await putTo(late, unrelated)).status).toBe(403)
    expect(origin.received).toHaveLength(1)
  })
})

describe('the parts of an upload', () => {
  it('take the place of those with their numbers', async () => {
    const UploadId = await begin()
    const old = await send(UploadId, 1, randomBytes(1000, 1))
    const part = await send(UploadId, 1, unrelated)
    expect(await staged()).toHaveLength(1)
    expect(await errorOf(complete(UploadId, [old]))).toEqual(['InvalidPart', 400])
    await complete(UploadId, [part])
    expectArrivedOnce(unrelated)
  })

  it('must be named in order, as they are, and not too small', async () => {
    const UploadId = await begin()
    const one = await send(UploadId, 1, randomBytes(5 * MIB - 1, 1))
    const two = await send(UploadId, 2, randomBytes(1000, 2))
    expect(await errorOf(complete(UploadId, [two, one]))).toEqual(['InvalidPartOrder', 400])
    expect(await errorOf(complete(UploadId, [one, one]))).toEqual(['InvalidPartOrder', 400])
    expect(await errorOf(complete(UploadId, [one, two]))).toEqual(['EntityTooSmall', 400])
    const other = { ...one, ETag: two.ETag }
    expect(await errorOf(complete(UploadId, [other]))).toEqual(['InvalidPart', 400])
    const third = { ...two, PartNumber: 3 }
    expect(await errorOf(complete(UploadId, [third]))).toEqual(['InvalidPart', 400])
    expect(await errorOf(complete(UploadId, []))).toEqual(['MalformedXML', 400])
    await complete(UploadId, [two]) // the other is dropped
    expect(origin.received[0]!.body).toHaveLength(1000)
    await expectNothingStaged()
  })

  it('are no more together than the gate takes', async () => {
    const UploadId = await begin()
    const part = randomBytes(33 * MIB, 1)
    await send(UploadId, 1, part)
    expect(await errorOf(send(UploadId, 2, part))).toEqual(['EntityTooLarge', 400])
    expect(await staged()).toHaveLength(1)
    await s3.send(new AbortMultipartUploadCommand({ ...object, UploadId }))
    await expectNothingStaged()
  })

  it('are not copied from elsewhere', async () => {
    const UploadId = await begin()
    const copy = { ...object, UploadId, PartNumber: 1, CopySource: 'photos/known.jpg' }
    expect(await errorOf(s3.send(new UploadPartCopyCommand(copy)))).toEqual(['NotImplemented', 501])
  })

  it('have the digests that they came with, or are refused', async () => {
    const UploadId = await begin()
    const part = (more: object) =>
      s3.send(
        new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: unrelated, ...more }),
      )
    const wrong = createHash('md5').update('x').digest('base64')
    expect(await errorOf(part({ ContentMD5: wrong }))).toEqual(['BadDigest', 400])
    expect(await errorOf(part({ ChecksumCRC32: 'AAAAAA==' }))).toEqual(['BadDigest', 400])
    expect(await staged()).toEqual([])
    const right = createHash('md5').update(unrelated).digest('base64')
    expect(await part({ ContentMD5: right })).toHaveProperty('ETag')
    await s3.send(new AbortMultipartUploadCommand({ ...object, UploadId }))
  })
})

describe('who may upload', () => {
  it.each([
    ['another secret', { ...credentials, secretAccessKey: `${SECRET}x` }, 'SignatureDoesNotMatch'],
    ['an unknown key', { ...credentials, accessKeyId: 'NOBODY' }, 'InvalidAccessKeyId'],
  ])('is rejected with %s', async (_, wrong, code) => {
    const client = clientOf({ credentials: wrong })
    const begun = client.send(new CreateMultipartUploadCommand(object))
    expect(await errorOf(begun)).toEqual([code, 403])
  })

  it('is rejected without a signature', async () => {
    const at = new URL(`${PATH}?uploads`, url)
    expect((await fetch(at, { method: 'POST' })).status).toBe(403)
  })

  it('is a caller who signed just now, for this request, with everything that S3 reads', async () => {
    const at = new URL(`${PATH}?uploads`, url)
    const signer = new AwsClient({ ...credentials, service: 's3', region: 'us-east-1' })
    const sign = (datetime: Date) =>
      signer.sign(at, {
        method: 'POST',
        aws: { datetime: datetime.toISOString().replace(/[:-]|\.\d{3}/g, '') },
      })
    const signed = await sign(new Date())
    const { headers } = signed
    expect((await fetch(at, { method: 'POST', headers })).status).toBe(200)
    expect((await fetch(`${at.href}&x=1`, { method: 'POST', headers })).status).toBe(403)
    const elsewhere = new URL('/photos/other?uploads', url)
    expect((await fetch(elsewhere, { method: 'POST', headers })).status).toBe(403)
    headers.set('x-amz-acl', 'public-read')
    expect((await fetch(at, { method: 'POST', headers })).status).toBe(403)
    const late = await sign(new Date(Date.now() - 16 * 60_000))
    const answer = await fetch(at, { method: 'POST', headers: late.headers })
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining('RequestTimeTooSkewed'),
    ])
  })

  it('is the caller who began it, under the same name', async () => {
    const UploadId = await begin()
    const other = clientOf({
      credentials: { accessKeyId: 'OTHERKEY', secretAccessKey: 'another-secret-of-a-client' },
    })
    const list = { ...object, UploadId }
    expect(await errorOf(other.send(new ListPartsCommand(list)))).toEqual(['NoSuchUpload', 404])
    const wrong = { ...list, Key: 'another' }
    expect(await errorOf(s3.send(new ListPartsCommand(wrong)))).toEqual(['NoSuchUpload', 404])
    const none = { ...list, UploadId: '0'.repeat(64) }
    expect(await errorOf(s3.send(new ListPartsCommand(none)))).toEqual(['NoSuchUpload', 404])
  })
})

describe('a list of parts', () => {
  it.each([
    '',
    'no XML',
    '<CompleteMultipartUpload/>',
    '<CompleteMultipartUpload><Part><PartNumber>x</PartNumber></Part></CompleteMultipartUpload>',
    '<a>'.repeat(100_000),
    `<x>${'y'.repeat(1_100_000)}</x>`,
  ])('that is malformed is refused: %#', async (body) => {
    const at = new URL(`${PATH}?uploadId=${await begin()}`, url)
    const signer = new AwsClient({ ...credentials, service: 's3', region: 'us-east-1' })
    const answer = await fetch(await signer.sign(at, { method: 'POST', body }))
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('MalformedXML'),
    ])
  })
})
