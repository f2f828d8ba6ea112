import * as v from 'valibot'
import type * as wrangler from 'wrangler'
import {
  listPage,
  type ObjectsPage,
  PAGE_OBJECTS,
  type QuarantineBucket,
} from '../quarantine/bucket.ts'
import { type QuarantinedObject, readObject } from '../quarantine/objects.ts'
import { type CloudflareApi, CloudflareError } from './remote-store.ts'
import {
  openAccount,
  openLocal,
  readWranglerConfig,
  type StoreOptions,
  WranglerError,
} from './stores.ts'

/** Binding of the bucket in wrangler's configuration. */
const BINDING = 'QUARANTINE'

/** The local bucket, as `wrangler dev` has it. @throws {WranglerError} */
export async function openLocalBucket(options: StoreOptions): Promise<OpenBucket> {
  const proxy = await openLocal<{ QUARANTINE?: R2 }>(options)
  const bucket = proxy.env[BINDING]
  if (!bucket) {
    await proxy.dispose()
    throw missingBinding()
  }
  return {
    list: (cursor) => listPage(bucket, cursor),
    async get({ key }) {
      const object = await bucket.get(key)
      return object ? new Uint8Array(await object.arrayBuffer()) : undefined
    },
    delete: ({ key }) => bucket.delete(key),
    close: () => proxy.dispose(),
  }
}

/** The quarantine's bucket, as the command line opens it. */
export interface OpenBucket {
  list(cursor?: string): Promise<ObjectsPage>
  /** The sealed copy; `undefined` if it is missing. */
  get(object: QuarantinedObject): Promise<Uint8Array | undefined>
  delete(object: QuarantinedObject): Promise<void>
  close(): Promise<void>
}

/** The part of R2's binding used here: its own types are those of the Worker. */
interface R2 extends Pick<QuarantineBucket, 'list'> {
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>
  delete(key: string): Promise<void>
}

/**
 * The bucket at Cloudflare named in wrangler's configuration.
 * @throws {WranglerError | CloudflareError} as `openRemoteStore` does
 */
export async function openRemoteBucket(options: StoreOptions): Promise<OpenBucket> {
  const config = await readWranglerConfig(options)
  const bucket = findBucket(config)
  const { api, account } = await openAccount(config)
  return new RemoteBucket(api, account, bucket)
}

interface NamedBucket {
  name: string
  jurisdiction?: string | undefined
}

function findBucket({ r2_buckets }: wrangler.Unstable_Config): NamedBucket {
  const bucket = r2_buckets.find(({ binding }) => binding === BINDING)
  if (!bucket) throw missingBinding()
  const { bucket_name: name, jurisdiction } = bucket
  if (name) return { name, jurisdiction }
  throw new WranglerError(
    `wrangler's configuration has no bucket_name for the R2 bucket with the binding ${BINDING};` +
      ' `npx wrangler r2 bucket list` lists your buckets',
  )
}

function missingBinding(): WranglerError {
  return new WranglerError(`wrangler's configuration has no R2 bucket with the binding ${BINDING}`)
}

const success = v.literal(true)
const ObjectsSchema = v.object({
  success,
  result: v.array(
    v.object({
      key: v.string(),
      size: v.number(),
      custom_metadata: v.optional(v.record(v.string(), v.string())),
    }),
  ),
  result_info: v.nullish(v.object({ cursor: v.nullish(v.string()) })),
})
const DeletedSchema = v.object({ success })

/** A bucket at Cloudflare, through its API (Cloudflare API, R2: "List Objects", "Get Object", "Delete Object"). */
class RemoteBucket implements OpenBucket {
  readonly #api: CloudflareApi
  readonly #path: string
  readonly #headers: Record<string, string>

  constructor(api: CloudflareApi, account: string, { name, jurisdiction }: NamedBucket) {
    const [accountPart, bucketPart] = [account, name].map(encodeURIComponent)
    this.#api = api
    this.#path = `accounts/${accountPart}/r2/buckets/${bucketPart}/objects`
    this.#headers = jurisdiction === undefined ? {} : { 'cf-r2-jurisdiction': jurisdiction }
  }

  async list(cursor?: string): Promise<ObjectsPage> {
    const query = {
      per_page: String(PAGE_OBJECTS),
      ...(cursor !== undefined && { cursor }),
    }
    const content = { query, headers: this.#headers }
    const page = await this.#api.call(ObjectsSchema, 'GET', this.#path, content)
    const objects = page.result.map(({ key, size, custom_metadata }) =>
      readObject(key, size, custom_metadata),
    )
    return { objects, cursor: page.result_info?.cursor || undefined }
  }

  async get({ key, bytes }: QuarantinedObject): Promise<Uint8Array | undefined> {
    const content = { headers: this.#headers, answerBytes: bytes }
    try {
      return await this.#api.send('GET', `${this.#path}/${key}`, content)
    } catch (error) {
      if (error instanceof CloudflareError && error.failure.status === 404) return undefined
      throw error
    }
  }

  async delete({ key }: QuarantinedObject): Promise<void> {
    const content = { headers: this.#headers }
    await this.#api.call(DeletedSchema, 'DELETE', `${this.#path}/${key}`, content)
  }

  async close(): Promise<void> {}
}
