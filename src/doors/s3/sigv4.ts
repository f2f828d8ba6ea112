import { timingSafeEqual } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { BadConfigError } from '../../util/errors.ts'
import { type Origin, withHeaders } from '../../upload/origin.ts'

/** Credentials of S3: secrets by the names of keys. */
export type S3Keys = ReadonlyMap<string, string>

/** Time by which a client's clock may differ, in milliseconds: that of S3. */
const MAX_SKEW_MS = 15 * 60_000

/**
 * Reads keys as `NAME:SECRET`, with commas.
 * @throws {BadConfigError}
 */
export function parseS3Keys(setting: string, text: string): S3Keys {
  const pairs = text.split(',').map((pair) => /^([^\s:/,]{3,128}):(\S{16,})$/.exec(pair.trim()))
  const keys = new Map(pairs.map((match) => [match?.[1] ?? '', match?.[2] ?? '']))
  if (pairs.includes(null) || keys.size < pairs.length) {
    throw new BadConfigError([
      `${setting} must be keys of S3 as NAME:SECRET, with commas, each name once, secrets of 16 characters at least`,
    ])
  }
  return keys
}

export type SignatureProblem =
  | 'AccessDenied'
  | 'InvalidAccessKeyId'
  | 'SignatureDoesNotMatch'
  | 'RequestTimeTooSkewed'

/** Who has signed a request (Signature Version 4, in the header), or what is wrong with the signature. */
export async function signerOf(
  request: Request,
  keys: S3Keys,
): Promise<{ name: string } | { problem: SignatureProblem }> {
  const header = request.headers.get('authorization') ?? ''
  const fields =
    /^AWS4-HMAC-SHA256 +Credential=([^\s,/]+)\/\d{8}\/([\w-]+)\/s3\/aws4_request, *SignedHeaders=([\w;-]+), *Signature=([\da-f]{64})$/.exec(
      header,
    )
  const datetime = request.headers.get('x-amz-date') ?? ''
  const [, name = '', region = '', signed = '', signature = ''] = fields ?? []
  const signedHeaders = new Set(signed.split(';'))
  if (!fields || !/^\d{8}T\d{6}Z$/.test(datetime)) return { problem: 'AccessDenied' }
  const amzHeaders = [...request.headers.keys()].filter((key) => key.startsWith('x-amz-'))
  if (!['host', 'x-amz-content-sha256', ...amzHeaders].every((key) => signedHeaders.has(key)))
    return { problem: 'AccessDenied' }
  const secretAccessKey = keys.get(name)
  if (secretAccessKey === undefined) return { problem: 'InvalidAccessKeyId' }
  if (Math.abs(Date.now() - timeOf(datetime)) > MAX_SKEW_MS)
    return { problem: 'RequestTimeTooSkewed' }
  const expected = await new AwsV4Signer({
    method: request.method,
    url: request.url,
    headers: [...request.headers].filter(([key]) => signedHeaders.has(key)),
    accessKeyId: name,
    secretAccessKey,
    service: 's3',
    region,
    datetime,
    allHeaders: true,
  }).signature()
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature))
    ? { name }
    : { problem: 'SignatureDoesNotMatch' }
}

/** A time such as 20261123T150000Z. */
function timeOf(datetime: string): number {
  return Date.parse(
    datetime.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'),
  )
}

/** An origin that wants requests signed. The body is not: it may be long, and comes over TLS. */
export function signedOrigin(
  origin: Origin,
  keys: S3Keys,
  region: string,
  originUrl: URL | undefined,
): Origin {
  const [[accessKeyId, secretAccessKey] = ['', '']] = keys
  return {
    async forward(request, body) {
      const url = new URL(request.url)
      if (originUrl) url.host = originUrl.host
      const signer = new AwsV4Signer({
        method: request.method,
        url: url.href,
        headers: [...request.headers].filter(([name]) => name.startsWith('x-amz-')),
        accessKeyId,
        secretAccessKey,
        service: 's3',
        region,
      })
      const headers = new Headers(request.headers)
      for (const [name, value] of (await signer.sign()).headers) headers.set(name, value)
      return origin.forward(withHeaders(request, headers, body), body)
    },
  }
}
