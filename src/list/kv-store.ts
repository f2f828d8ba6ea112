import { within } from '../util/within.ts'
import { StoreTimeoutError } from './errors.ts'
import { type Bytes, MANIFEST_KEY, PIN_RESET_KEY, putOneByOne, type ValueStore } from './store.ts'

/** Seconds for which a colo may answer from its cache. KV takes no less than 30. */
const LEAST_CACHE_SECONDS = 30
/** Everything else is named by its content and never changes. */
const CONTENT_CACHE_SECONDS = 86_400

/** Milliseconds that KV may take for a value of at most a few MiB. */
const MAX_GET_MS = 10_000

/** Initial size of a buffer, in bytes: it is doubled until the value fits. Details of 1,024 entries take about 100 KiB. */
const BUFFER_BYTES = 64 * 1024
/** Initial size for large values, in bytes: a part of a segment, sealed. */
const LARGE_BUFFER_BYTES = 1.125 * 1024 * 1024
/** Values that are large, and read one after another when a list is loaded. */
const LARGE = /^(segment|tail)\//

/** A store in Workers KV. */
export class KvStore implements ValueStore {
  readonly #namespace: KvNamespace
  /** Buffers that large values were read into, for the next ones: weak, so that none outlives a load, or a request that ended. */
  readonly #buffers: WeakRef<ArrayBuffer>[] = []

  constructor(namespace: KvNamespace) {
    this.#namespace = namespace
  }

  /** @throws {StoreTimeoutError} there is no answer within 10 seconds */
  get(key: string): Promise<Bytes | undefined> {
    return this.withValue(key, async (value) => value.slice())
  }

  /**
   * Gives a value to `use`, in a buffer that is used again afterwards: touching new memory takes longer than reading.
   * @throws {StoreTimeoutError} there is no answer within 10 seconds
   */
  async withValue<T>(key: string, use: (value: Bytes) => Promise<T>): Promise<T | undefined> {
    const value = await within(this.#read(key), MAX_GET_MS, () => {
      return new StoreTimeoutError(key, MAX_GET_MS)
    })
    if (!value) return undefined
    const used = await use(value)
    if (LARGE.test(key)) this.#buffers.push(new WeakRef(value.buffer))
    return used
  }

  async #read(key: string): Promise<Bytes | undefined> {
    const isChanged = key === MANIFEST_KEY || key === PIN_RESET_KEY
    const cacheTtl = isChanged ? LEAST_CACHE_SECONDS : CONTENT_CACHE_SECONDS
    let stream = await this.#namespace.get(key, { type: 'stream', cacheTtl })
    // A missing value is cached, too, and may exist by now.
    if (!stream && cacheTtl > LEAST_CACHE_SECONDS) {
      stream = await this.#namespace.get(key, { type: 'stream', cacheTtl: LEAST_CACHE_SECONDS })
    }
    return stream ? readAll(stream, this.#bufferFor(key)) : undefined
  }

  #bufferFor(key: string): ArrayBuffer {
    if (!LARGE.test(key)) return new ArrayBuffer(BUFFER_BYTES)
    while (this.#buffers.length > 0) {
      const buffer = this.#buffers.pop()?.deref()
      if (buffer) return buffer
    }
    return new ArrayBuffer(LARGE_BUFFER_BYTES)
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.#namespace.put(key, value)
  }

  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void> {
    return putOneByOne(this, values, onWritten)
  }

  async list(prefix: string): Promise<string[]> {
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = await this.#namespace.list({ prefix, ...(cursor !== undefined && { cursor }) })
      names.push(...page.keys.map(({ name }) => name))
      cursor = page.list_complete ? undefined : page.cursor
    } while (cursor !== undefined)
    return names
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#namespace.delete(key)
  }
}

/** The part of a KV namespace's interface that hashgate uses. */
export interface KvNamespace {
  get(key: string, options: { type: 'stream'; cacheTtl: number }): Promise<ByteStream | null>
  put(key: string, value: Bytes): Promise<void>
  delete(key: string): Promise<void>
  list(options: { prefix: string; cursor?: string | null }): Promise<KvKeys>
}

export interface ByteStream {
  getReader(options: { mode: 'byob' }): {
    read(
      view: Uint8Array<ArrayBuffer>,
      options: { min: number },
    ): Promise<{ done: boolean; value?: Uint8Array<ArrayBuffer> | undefined }>
  }
}

type KvKeys =
  | { keys: { name: string }[]; list_complete: true }
  | { keys: { name: string }[]; list_complete: false; cursor: string }

/** Reads a stream to its end, into a buffer, or a larger one if it does not fit. */
async function readAll(stream: ByteStream, buffer: ArrayBuffer): Promise<Bytes> {
  const reader = stream.getReader({ mode: 'byob' })
  let room = buffer
  let length = 0
  for (;;) {
    if (length === room.byteLength) room = enlarged(room)
    const left = new Uint8Array(room, length)
    const { done, value } = await reader.read(left, { min: left.length })
    if (value) {
      length += value.length
      room = value.buffer
    }
    if (done) return new Uint8Array(room, 0, length)
  }
}

function enlarged(buffer: ArrayBuffer): ArrayBuffer {
  const larger = new Uint8Array(buffer.byteLength * 2)
  larger.set(new Uint8Array(buffer))
  return larger.buffer
}
