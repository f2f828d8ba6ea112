import { HashgateError } from '../../../util/errors.ts'
import { isTable, type Table } from '../../../util/json.ts'
import type { World } from '../exchange.ts'
import { BUCKET_PROTOCOL, type HttpsSettings } from './settings.ts'

/**
 * The world of a source: its bucket's files come from there, and its own server is called with its
 * client certificate.
 * @throws {PlaceNotBoundError}
 */
export function worldOf({ url, auth, signature }: HttpsSettings, env: object, world: World): World {
  const bound = env as Table
  const detached = signature && 'url' in signature ? [signature.url] : []
  const buckets = [url, ...detached].filter((one) => one.startsWith(BUCKET_PROTOCOL))
  const missing = buckets.map((one) => new URL(one).host).find((name) => !isTable(bound[name]))
  if (missing !== undefined) throw new PlaceNotBoundError(missing, 'r2_buckets')
  const certificate = auth?.type === 'mtls' ? bound[auth.binding] : undefined
  if (auth?.type === 'mtls' && !isTable(certificate)) {
    throw new PlaceNotBoundError(auth.binding, 'mtls_certificates')
  }
  const { origin } = new URL(url)
  const fetch = (request: Request) => {
    const asked = new URL(request.url)
    if (asked.protocol === BUCKET_PROTOCOL)
      return readBucketObject(bound[asked.host] as Bucket, request)
    const isOwn = certificate !== undefined && asked.origin === origin
    return isOwn ? (certificate as Certificate).fetch(request) : world.fetch(request)
  }
  return { ...world, fetch }
}

/** The part of an R2 bucket used here. */
interface Bucket {
  get(
    key: string,
    options: { onlyIf?: { etagDoesNotMatch?: string } },
  ): Promise<StoredObject | null>
}

/** An object; it has no body if it is still in the known state. */
interface StoredObject {
  body?: ReadableStream<Uint8Array>
  httpEtag: string
  size: number
}

/** A client certificate, as a binding. */
interface Certificate {
  fetch(request: Request): Promise<Response>
}

/** A bucket or certificate that a source names is not bound. */
export class PlaceNotBoundError extends HashgateError {
  readonly code = 'place-not-bound'

  constructor(name: string, table: string) {
    super(
      `${name} is not bound: add it to ${table} of wrangler.desk.toml; the command line` +
        ' can use it only on this machine (--local)',
    )
  }
}

async function readBucketObject(bucket: Bucket, { url, headers }: Request): Promise<Response> {
  const key = decodeURIComponent(new URL(url).pathname.slice(1))
  const known = headers.get('if-none-match')?.replaceAll('"', '')
  const onlyIf = known !== undefined && { onlyIf: { etagDoesNotMatch: known } }
  const object = await bucket.get(key, { ...onlyIf })
  if (!object) return new Response(null, { status: 404 })
  if (!object.body) return new Response(null, { status: 304 })
  const validators = { etag: object.httpEtag, 'content-length': String(object.size) }
  return new Response(object.body, { headers: validators })
}
