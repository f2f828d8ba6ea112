import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { KvStore } from '../../src/list/kv-store.ts'
import { bundleWorker, workerFrom } from '../../test/support/workerd.ts'

const WORKER = new URL('worker.ts', import.meta.url)

/** Key that seals the lists of measurements. */
export const LIST_KEY = '5b'.repeat(32)

const ENV = {
  HASH_LISTS: { type: 'kv', id: 'hash-lists' },
  LIST_KEY: { type: 'text', value: LIST_KEY },
} as const

/** A Worker's answer, and the milliseconds of the round trip. */
interface Answer {
  answer: unknown
  elapsed: number
}

/** Workers in one workerd, each in its own isolate. */
export interface BenchWorkers {
  /** Asks one of them. */
  ask(worker: number, path: string, body?: unknown): Promise<Answer>
  /** The namespace that all of them read. */
  store(): Promise<KvStore>
  stop(): Promise<void>
}

/** Starts `count` Workers with an empty KV in a folder of its own. */
export async function startWorkers(reader: Uint8Array, count: number): Promise<BenchWorkers> {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-bench-'))
  const manifest = await bundleWorker(WORKER, { 'read.wasm': new Uint8Array(reader) })
  const miniflare = new Miniflare({
    log: new Log(LogLevel.ERROR),
    resourcePersistencePath: folder,
    workers: Array.from({ length: count }, (_, i) => workerFrom(nameOf(i), manifest, ENV)),
  })
  const urls = await Promise.all(
    Array.from({ length: count }, (_, i) => miniflare.unsafeGetDirectURL(nameOf(i))),
  )
  return {
    ask: (worker, path, body) => ask(new URL(path, urls[worker]), body),
    store: async () => {
      const namespace = await miniflare.getKVNamespace('HASH_LISTS', nameOf(0))
      return new KvStore(namespace)
    },
    stop: async () => {
      await miniflare.dispose()
      await rm(folder, { recursive: true })
    },
  }
}

function nameOf(worker: number): string {
  return `bench-${worker}`
}

async function ask(url: URL, body: unknown): Promise<Answer> {
  const start = performance.now()
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body ?? null),
    headers: { connection: 'close' }, // workerd closes connections that stay idle while Node measures
  })
  const text = await response.text()
  const elapsed = performance.now() - start
  if (!response.ok) throw new Error(`the bench Worker said ${response.status}: ${text}`)
  return { answer: JSON.parse(text), elapsed }
}
