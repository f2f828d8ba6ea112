// PutObject, also with a presigned URL: judged like any upload, and signed again for the origin.

import { isAwsChunked } from '../../body/aws-chunked.ts'
import { ClientGoneError, type ClientLimits, readChunks } from '../../upload/body-source.ts'
import { type Origin, withHeaders } from '../../upload/origin.ts'
import { typeToJudge } from '../../upload/staging/finish.ts'
import { PartBody } from '../../upload/staging/receive-part.ts'

/** Headers about the client's request rather than its object. */
const OWN_HEADERS =
  /^(authorization|x-amz-(date|content-sha256|decoded-content-length|trailer|sdk-checksum-algorithm|security-token)|amz-sdk-.+|expect)$/

/** Parameters of the signature in a presigned URL. */
const SIGNATURE =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/

/** Whether a request is PutObject: not one that sets tags, or copies another object. */
export function isPutObject({ method, headers }: Request, { searchParams }: URL): boolean {
  if (method !== 'PUT' || headers.has('x-amz-copy-source')) return false
  return [...searchParams.keys()].every((name) => /^x-(amz-.+|id)$/i.test(name))
}

/** A body that is checked on its way, and why it broke off if it did. */
export interface CheckedPut {
  /** The request as it is judged. */
  request: Request
  /** Settled when the whole body was read, or reading stopped. */
  done: Promise<void>
  /** Why the body broke off. */
  failure: () => { error: unknown } | undefined
  /** In hex digits, once the body is complete. */
  md5: () => string
}

/**
 * The request without its signature, and its body without chunks. The body is compared with the
 * digests that came with it.
 */
export function checkedPut(request: Request, length: number, client: ClientLimits): CheckedPut {
  const url = new URL(request.url)
  const headers = headersOfObject(request, url)
  url.search = ''
  headers.set('content-length', String(length))
  headers.set('content-type', typeToJudge(request.headers.get('content-type') ?? undefined))
  let failure: { error: unknown } | undefined
  let md5 = ''
  const { readable, writable } = new FixedLengthStream(length)
  const writer = writable.getWriter()
  writer.closed.catch(() => undefined)
  const send = async () => {
    try {
      const body = new PartBody(request.headers)
      let received = 0
      let last: Uint8Array | undefined
      for await (const chunk of readChunks(request, client)) {
        for (const decoded of body.take(chunk.slice())) {
          received += decoded.length
          if (received > length) throw new ClientGoneError()
          if (last) await writer.write(last)
          last = decoded
        }
      }
      body.end()
      if (received !== length) throw new ClientGoneError()
      md5 = body.check() // before its last bytes are passed on
      if (last) await writer.write(last)
      await writer.close()
    } catch (error) {
      failure = { error }
      await writer.abort(error).catch(() => undefined)
    }
  }
  const done = send()
  const judged = new Request(url, { method: 'PUT', headers, body: length > 0 ? readable : null })
  return { request: judged, done, failure: () => failure, md5: () => md5 }
}

/** Headers of the object, including those that a presigned URL has as parameters. */
function headersOfObject(request: Request, { searchParams }: URL): Headers {
  const headers = new Headers([...request.headers].filter(([name]) => !OWN_HEADERS.test(name)))
  for (const [name, value] of searchParams) {
    const key = name.toLowerCase()
    const isOfObject = key.startsWith('x-amz-') && !SIGNATURE.test(key) && !OWN_HEADERS.test(key)
    if (isOfObject && !key.startsWith('x-amz-checksum-')) headers.set(key, value)
  }
  if (!isAwsChunked(request.headers)) return headers
  const codings = (headers.get('content-encoding') ?? '').split(',').map((one) => one.trim())
  const others = codings.filter((one) => one !== '' && one.toLowerCase() !== 'aws-chunked')
  if (others.length > 0) headers.set('content-encoding', others.join(', '))
  else headers.delete('content-encoding')
  return headers
}

/** An origin that gets the client's own Content-Type. */
export function originWithType(origin: Origin, type: string | null): Origin {
  return {
    forward(request, body) {
      const headers = new Headers(request.headers)
      if (type === null) headers.delete('content-type')
      else headers.set('content-type', type)
      return origin.forward(withHeaders(request, headers, body), body)
    },
  }
}
