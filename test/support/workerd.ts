import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { MiniflareOptions } from 'miniflare'

export type WorkerOptions = MiniflareOptions['workers'][number]
/** What else starts a Worker, as queues do. */
export type Triggers = NonNullable<WorkerOptions['config']['triggers']>
type Manifest = NonNullable<WorkerOptions['config']['manifest']>

const BUILD = new URL('../../build/', import.meta.url)
const CORE_MODULES = ['image', 'search', 'match', 'webp', 'avif']

/** A Worker of this repository for workerd, on a socket of its own: nothing lies between it and who asks, or its origin. */
export async function workerOf(
  name: string,
  entry: URL,
  env: WorkerOptions['config']['env'],
  triggers?: Triggers,
): Promise<WorkerOptions> {
  return workerFrom(name, await bundleWorker(entry), env, triggers)
}

/** The same of what was bundled before. */
export function workerFrom(
  name: string,
  manifest: Manifest,
  env: WorkerOptions['config']['env'],
  triggers?: Triggers,
): WorkerOptions {
  return {
    config: {
      name,
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['nodejs_compat'],
      ...(env && { env }),
      ...(triggers && { triggers }),
      manifest,
      exports: ownClasses(name, env),
    },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
  }
}

/** The Durable Objects that a Worker binds and has itself. */
function ownClasses(
  name: string,
  env: WorkerOptions['config']['env'] = {},
): NonNullable<WorkerOptions['config']['exports']> {
  const own = Object.values(env).flatMap((binding) =>
    binding.type === 'durable-object' && binding.worker === name ? [binding.exportName] : [],
  )
  return Object.fromEntries(
    own.map((exportName) => [exportName, { type: 'durable-object', storage: 'sqlite' }]),
  )
}

/** A bundled Worker, and the WebAssembly that it imports, with more modules by name. */
export async function bundleWorker(
  entry: URL,
  more: Record<string, Uint8Array<ArrayBuffer>> = {},
): Promise<Manifest> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    alias: { fs: 'node:fs', path: 'node:path', stream: 'node:stream' },
    plugins: [wasmBesideWorker],
  })
  const modules: Manifest['modules'] = {
    'worker.js': { type: 'esm', contents: outputFiles[0]?.text ?? '' },
  }
  for (const [name, contents] of Object.entries(more)) modules[name] = { type: 'wasm', contents }
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
