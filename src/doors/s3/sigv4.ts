import { timingSafeEqual } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { BadConfigError } from '../../util/errors.ts'
import { type Origin, withHeaders } from '../../upload/origin.ts'

/** Most that a client's clock may be off, in milliseconds: S3's limit. */
const MAX_SKEW_MS = 15 * 60_000
/** Longest validity of a presigned URL, in seconds: S3's limit. */
const MAX_EXPIRES = 604_800
const TIME = /^\d{8}T\d{6}Z$/

/** The signer of a request (Signature Version 4, in the header or in the URL), or what is wrong with the signature. */
export async function signerOf(
  request: Request,
  keys: S3Keys,
): Promise<{ name: string } | { problem: SignatureProblem }> {
  const claim = claimOf(request)
  if (!claim) return { problem: 'AccessDenied' }
  const { name, region, datetime, signedHeaders, signature, expires } = claim
  const amzHeaders = [...request.headers.keys()].filter((key) => key.startsWith('x-amz-'))
  const needed = expires === undefined ? ['host', 'x-amz-content-sha256'] : ['host']
  if (![...needed, ...amzHeaders].every((key) => signedHeaders.has(key)))
    return { problem: 'AccessDenied' }
  const secretAccessKey = keys.get(name)
  if (secretAccessKey === undefined) return { problem: 'InvalidAccessKeyId' }
  const age = Date.now() - signedAt(datetime)
  if (expires !== undefined && age > expires * 1000) return { problem: 'AccessDenied' }
  if (age < -MAX_SKEW_MS || (expires === undefined && age > MAX_SKEW_MS))
    return { problem: 'RequestTimeTooSkewed' }
  const url = new URL(request.url)
  url.searchParams.delete('X-Amz-Signature')
  const expected = await new AwsV4Signer({
    method: request.method,
    url: expires === undefined ? request.url : url.href,
    headers: [...request.headers].filter(([key]) => signedHeaders.has(key)),
    accessKeyId: name,
    secretAccessKey,
    service: 's3',
    region,
    datetime,
    allHeaders: true,
    signQuery: expires !== undefined,
  }).signature()
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature))
    ? { name }
    : { problem: 'SignatureDoesNotMatch' }
}

/** S3 credentials: secrets by the names of keys. */
export type S3Keys = ReadonlyMap<string, string>

/** Reads keys as `NAME:SECRET`, separated by commas. @throws {BadConfigError} */
export function parseS3Keys(setting: string, text: string): S3Keys {
  const pairs = text.split(',').map((pair) => /^([^\s:/,]{3,128}):(\S{16,})$/.exec(pair.trim()))
  const keys = new Map(pairs.map((match) => [match?.[1] ?? '', match?.[2] ?? '']))
  if (pairs.includes(null) || keys.size < pairs.length) {
    throw new BadConfigError([
      `${setting} must be S3 keys, such as NAME:SECRET, separated by commas; each name once, each secret at least 16 characters`,
    ])
  }
  return keys
}

export type SignatureProblem =
  | 'AccessDenied'
  | 'InvalidAccessKeyId'
  | 'SignatureDoesNotMatch'
  | 'RequestTimeTooSkewed'

/** What a request says about its signature. */
interface Claim {
  name: string
  region: string
  datetime: string
  signedHeaders: ReadonlySet<string>
  signature: string
  /** Seconds for which it is valid; absent for a signature in a header. */
  expires?: number
}

/** The key that a request says it was signed with; `undefined` if it names none. */
export function claimedKeyOf(request: Request): string | undefined {
  return claimOf(request)?.name
}

function claimOf(request: Request): Claim | undefined {
  const { searchParams } = new URL(request.url)
  return searchParams.has('X-Amz-Algorithm') ? claimInUrl(searchParams) : claimInHeader(request)
}

function claimInHeader({ headers }: Request): Claim | undefined {
  const fields =
    /^AWS4-HMAC-SHA256 +Credential=([^\s,/]+)\/\d{8}\/([\w-]+)\/s3\/aws4_request, *SignedHeaders=([\w;-]+), *Signature=([\da-f]{64})$/.exec(
      headers.get('authorization') ?? '',
    )
  const datetime = headers.get('x-amz-date') ?? ''
  const [, name = '', region = '', signed = '', signature = ''] = fields ?? []
  if (!fields || !TIME.test(datetime)) return undefined
  return { name, region, datetime, signedHeaders: new Set(signed.split(';')), signature }
}

/** A presigned URL. The signature does not cover the body: S3 accepts no digest of it there. */
function claimInUrl(params: URLSearchParams): Claim | undefined {
  const of = (name: string) => params.get(`X-Amz-${name}`) ?? ''
  const credential = /^([^\s,/]+)\/\d{8}\/([\w-]+)\/s3\/aws4_request$/.exec(of('Credential'))
  const [, name = '', region = ''] = credential ?? []
  const [datetime, signature, expires] = [of('Date'), of('Signature'), Number(of('Expires'))]
  const isWhole =
    credential &&
    of('Algorithm') === 'AWS4-HMAC-SHA256' &&
    TIME.test(datetime) &&
    /^[\da-f]{64}$/.test(signature) &&
    /^(UNSIGNED-PAYLOAD)?$/.test(of('Content-Sha256')) &&
    Number.isInteger(expires) &&
    expires >= 1 &&
    expires <= MAX_EXPIRES
  if (!isWhole) return undefined
  const signedHeaders = new Set(of('SignedHeaders').split(';'))
  return { name, region, datetime, signedHeaders, signature, expires }
}

/** Milliseconds since the epoch of a time such as 20261123T150000Z. */
function signedAt(datetime: string): number {
  return Date.parse(
    datetime.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'),
  )
}

/**
 * An origin that gets signed requests. The signature does not cover the body, which may be long,
 * and comes over TLS.
 */
export function signedOrigin(origin: Origin, keys: S3Keys, region: string): Origin {
  const [[accessKeyId, secretAccessKey] = ['', '']] = keys
  return {
    async forward(request, body) {
      const url = new URL(request.url)
      url.host = origin.hostFor?.(request) ?? url.host
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
