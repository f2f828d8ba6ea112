import { readdir, readFile } from 'node:fs/promises'
import { Log, LogLevel, Miniflare } from 'miniflare'
import type { WorkerOptions } from './workerd.ts'

/** What wrangler has built into a folder, in workerd, on a port of loopback; ends when it is disposed of. */
export async function startBuilt(
  folder: string,
  name: string,
  env: NonNullable<WorkerOptions['config']['env']>,
  log: string[] = [],
): Promise<Miniflare> {
  const modules: Record<string, { type: 'esm' | 'wasm'; contents: Uint8Array<ArrayBuffer> }> = {}
  for (const file of await readdir(folder)) {
    const contents = new Uint8Array(await readFile(`${folder}/${file}`))
    if (file.endsWith('.js')) modules[file] = { type: 'esm', contents }
    if (file.endsWith('.wasm')) modules[file] = { type: 'wasm', contents }
  }
  return new Miniflare({
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }) => {
      if (message.startsWith('{')) log.push(message) // an event, and no warning
    },
    workers: [
      {
        config: {
          name,
          compatibilityDate: '2026-10-20',
          compatibilityFlags: ['nodejs_compat'],
          manifest: { mainModule: 'index.js', modules },
          env,
        },
        dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
      },
    ],
  })
}
