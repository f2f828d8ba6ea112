import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { Log, LogLevel, Miniflare, type MiniflareOptions } from 'miniflare'
import { KvStore } from '../../src/list/kv-store.ts'

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
const BUILD = new URL('../../build/', import.meta.url)
const CORE_MODULES = ['image', 'match', 'webp', 'avif']

/** Key that lists of measurements are sealed with. */
export const LIST_KEY = '5b'.repeat(32)

/** What a Worker answers, and milliseconds from here to there and back. */
interface Answer {
  answer: unknown
  elapsed: number
}

/** Workers in one workerd, each an isolate of its own. */
export interface BenchWorkers {
  /** Asks one of them. */
  ask(worker: number, path: string, body?: unknown): Promise<Answer>
  /** The namespace that all of them read. */
  store(): Promise<KvStore>
  stop(): Promise<void>
}

/** Starts `count` Workers, with an empty KV in a folder of its own. */
export async function startWorkers(reader: Uint8Array, count: number): Promise<BenchWorkers> {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-bench-'))
  const manifest = await manifestOf(reader)
  const miniflare = new Miniflare({
    log: new Log(LogLevel.ERROR),
    resourcePersistencePath: folder,
    workers: Array.from({ length: count }, (_, i) => workerOf(nameOf(i), manifest)),
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
    headers: { connection: 'close' }, // workerd closes connections that were idle while Node measured
  })
  const text = await response.text()
  const elapsed = performance.now() - start
  if (!response.ok) throw new Error(`the bench Worker said ${response.status}: ${text}`)
  return { answer: JSON.parse(text), elapsed }
}

type WorkerOptions = MiniflareOptions['workers'][number]
type Manifest = NonNullable<WorkerOptions['config']['manifest']>

function workerOf(name: string, manifest: Manifest): WorkerOptions {
  return {
    config: {
      name,
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['nodejs_compat'],
      env: {
        HASH_LISTS: { type: 'kv', id: 'hash-lists' },
        LIST_KEY: { type: 'text', value: LIST_KEY },
      },
      manifest,
    },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
  }
}

/** The bundled Worker, and the WebAssembly that it imports. */
async function manifestOf(reader: Uint8Array): Promise<Manifest> {
  const { outputFiles } = await build({
    entryPoints: [WORKER],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    plugins: [wasmBesideWorker],
  })
  const modules: Manifest['modules'] = {
    'worker.js': { type: 'esm', contents: outputFiles[0]?.text ?? '' },
    'read.wasm': { type: 'wasm', contents: new Uint8Array(reader) },
  }
  for (const name of CORE_MODULES) {
    const contents = new Uint8Array(await readFile(new URL(`${name}.wasm`, BUILD)))
    modules[`${name}.wasm`] = { type: 'wasm', contents }
  }
  return { mainModule: 'worker.js', modules }
}

/** Modules stay apart from the bundle: Workers may not compile code. */
const wasmBesideWorker: Plugin = {
  name: 'wasm beside the Worker',
  setup(bundler) {
    bundler.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({
      path: `./${path.slice(path.lastIndexOf('/') + 1)}`,
      external: true,
    }))
  },
}
