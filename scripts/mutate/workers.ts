// Stands in for the parts of `cloudflare:workers` and `cloudflare:test` that tests import, as far
// as Node can.

/** A KV namespace in memory. */
class MemoryNamespace {
  readonly #values = new Map<string, Uint8Array<ArrayBuffer>>()

  async get(key: string): Promise<ReadableStream<Uint8Array> | null> {
    const value = this.#values.get(key)
    return value ? new Blob([value]).stream() : null // a byte stream, as KV's are
  }

  async put(key: string, value: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#values.set(key, value.slice())
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key)
  }

  async list({ prefix = '' } = {}) {
    const names = [...this.#values.keys()].filter((name) => name.startsWith(prefix)).toSorted()
    return { keys: names.map((name) => ({ name })), list_complete: true }
  }
}

export const env = { HASH_LISTS: new MemoryNamespace() }

export class DurableObject {
  readonly ctx: unknown
  readonly env: unknown

  constructor(...[ctx, bindings]: readonly unknown[]) {
    this.ctx = ctx
    this.env = bindings
  }
}

/** An execution context, and the promises that it was given to wait for. */
export function createExecutionContext() {
  const waited: Promise<unknown>[] = []
  return { waited, waitUntil: (promise: Promise<unknown>) => void waited.push(promise) }
}

export async function waitOnExecutionContext({
  waited,
}: ReturnType<typeof createExecutionContext>): Promise<void> {
  for (const promise of waited) await promise
}

const caches = new Map<string, Map<string, string>>()

/** A cache of texts that never forgets. */
function cacheOf(name: string) {
  const responses = caches.get(name) ?? new Map<string, string>()
  caches.set(name, responses)
  return {
    match: async (url: string) =>
      responses.has(url) ? new Response(responses.get(url)) : undefined,
    put: async (url: string, response: Response) => void responses.set(url, await response.text()),
  }
}

/** What workerd adds to the standard. */
class IdentityTransformStream extends TransformStream {
  constructor(_length?: number) {
    super()
  }
}
class HalfDuplexRequest extends Request {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(input, { duplex: 'half', ...init } as RequestInit)
  }
}
Object.assign(globalThis, {
  IdentityTransformStream,
  FixedLengthStream: IdentityTransformStream,
  Request: HalfDuplexRequest,
  caches: { open: async (name: string) => cacheOf(name) },
})
// Copies each chunk at once: the stream's owner may reuse the buffer immediately.
Object.assign(Response.prototype, {
  async arrayBuffer(this: Response) {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.body ?? []) chunks.push(chunk.slice())
    return new Uint8Array(Buffer.concat(chunks)).buffer
  },
})
Object.assign(ReadableStreamBYOBReader.prototype, {
  async readAtLeast(this: ReadableStreamBYOBReader, min: number, view: Uint8Array<ArrayBuffer>) {
    let [room, length] = [view.buffer, 0]
    for (;;) {
      const { done, value } = await this.read(new Uint8Array(room, length))
      room = value?.buffer ?? room
      length += value?.length ?? 0
      if (done || length >= min)
        return { done: length === 0, value: new Uint8Array(room, 0, length) }
    }
  },
})
