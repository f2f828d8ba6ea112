import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { readModules } from '../../src/core/node.ts'
import type { Entry } from '../../src/list/entry.ts'
import { KvStore } from '../../src/list/kv-store.ts'
import { publishBank } from '../../src/list/publish.ts'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { randomEntries } from './entries.ts'
import { environmentOf } from './environment.ts'
import { type Triggers, type WorkerOptions, workerOf } from './workerd.ts'
import { needlesOf } from '../../src/scan/scanned.ts'

const KEY = 'ab'.repeat(32)
const WORKER = new URL('../../src/worker.ts', import.meta.url)
/** The same, with a path that says how much memory WebAssembly takes. */
export const MEASURED_WORKER = new URL('measured-worker.ts', import.meta.url)
/** Bindings for bodies that wait in a bucket. */
export const STAGING_BINDINGS: NonNullable<WorkerOptions['config']['env']> = {
  STAGING: { type: 'r2', name: 'staging' },
  UPLOADS: { type: 'durable-object', worker: 'gate', exportName: 'StagedUpload' },
}

/** The Worker as it is deployed, in workerd, on a port of loopback. */
export interface GateHarness {
  url: URL
  /** Events that the Worker has logged, a line of JSON each. */
  log: string[]
  /** What else it has logged. */
  warnings: string[]
  /** V8's inspector. */
  inspectorUrl: () => Promise<URL>
  close: () => Promise<void>
}

/** Starts the Worker with settings, and a list that has the hashes of some images and `others` more. */
export async function startGate(
  vars: object,
  known: readonly Uint8Array[],
  others = 1000,
): Promise<GateHarness> {
  const modules = readModules()
  const entries = randomEntries(others, 1)
  for (const [i, file] of known.entries()) {
    const needles = needlesOf(await scanFile({ modules }, file))
    for (const { hash } of needles) {
      entries.push({ kind: 'pdq', hash, id: `known-${i}`, labels: {} })
    }
  }
  return startGateWith(vars, entries)
}

/** Starts the Worker, or another, with settings and a list, and more bindings and triggers. */
export async function startGateWith(
  vars: object,
  entries: readonly Entry[],
  bindings: WorkerOptions['config']['env'] = {},
  triggers: Triggers = [],
  worker = WORKER,
): Promise<GateHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-test-'))
  const texts = Object.entries(environmentOf(vars)).map(([name, value]) => [
    name,
    text(typeof value === 'string' ? value : JSON.stringify(value)),
  ])
  const env = {
    HASH_LISTS: { type: 'kv', id: 'hash-lists' } as const,
    LIST_KEY: text(KEY),
    ...(Object.fromEntries(texts) as Record<string, ReturnType<typeof text>>),
    ...bindings,
  }
  const log: string[] = []
  const warnings: string[] = []
  const miniflare = new Miniflare({
    log: new Log(LogLevel.NONE),
    inspectorPort: 0,
    resourcePersistencePath: folder,
    handleStructuredLogs: ({ message }) => (message.startsWith('{') ? log : warnings).push(message),
    workers: [await workerOf('gate', worker, env, triggers)],
  })
  const url = await miniflare.unsafeGetDirectURL('gate')
  const namespace = await miniflare.getKVNamespace('HASH_LISTS', 'gate')
  const store = new SealedStore(new KvStore(namespace), parseListKeys(KEY))
  await publishBank(store, entries, { bank: 'csam' })
  return {
    url,
    log,
    warnings,
    inspectorUrl: () => miniflare.getInspectorURL(),
    close: async () => {
      await miniflare.dispose()
      await rm(folder, { recursive: true })
    },
  }
}

function text(value: string) {
  return { type: 'text', value } as const
}
