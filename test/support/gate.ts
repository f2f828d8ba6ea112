import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import type { Hash256 } from '../../src/util/hash.ts'
import { modules } from '../../src/core/workerd.ts'
import { createApp } from '../../src/worker/app.ts'
import { allFeatures } from '../../src/worker/features.ts'
import type { WorkerParts } from '../../src/worker/parts.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import type { Entry } from '../../src/list/entry.ts'
import { toHex } from '../../src/util/bytes.ts'
import { readConfig } from '../../src/config/config.ts'
import { createWatcherCheck } from '../../src/doors/api/authorize.ts'
import { apiOf } from '../../src/doors/api/settings.ts'
import { forgetVersions, keptVersions } from '../../src/list/history.ts'
import { readExistingManifest } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { needlesOf, type Probe } from '../../src/scan/scanned.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { randomEntries } from './entries.ts'
import { environmentOf } from './environment.ts'
import { kvStore } from './stores.ts'
import { recordIn } from './event-recorder.ts'

/** What the origin was sent. */
interface Forwarded {
  request: Request
  body: Uint8Array | undefined
}

/** An app's answer to a request, once everything that goes on behind the answer has ended. */
export async function answerOf<Env>(
  app: {
    fetch: (request: Request, env: Env, context: ExecutionContext) => Response | Promise<Response>
  },
  request: Request,
  env: Env,
): Promise<Response> {
  const context = createExecutionContext()
  const response = await app.fetch(request, env, context)
  await waitOnExecutionContext(context)
  return response
}

/** A gate with the test's bindings, in front of an origin that takes everything. */
export function setUp(vars: object = {}, parts: Partial<WorkerParts> = {}) {
  const forwarded: Forwarded[] = []
  const events: GateEvent[] = []
  const environment: { API_KEYS?: string } = environmentOf(vars)
  const config = readConfig(environment)
  const api = apiOf(config.api, environment.API_KEYS)
  const all: WorkerParts = {
    config,
    ...(api && { api, mayWatch: createWatcherCheck(api) }),
    modules,
    store: kvStore(),
    origin: {
      forward: async (request, body) => {
        const bytes = body && new Uint8Array(await new Response(body).arrayBuffer())
        forwarded.push({ request, body: bytes })
        return new Response('from the origin', { status: 201, headers: { 'x-origin': 'yes' } })
      },
    },
    onEvent: recordIn(events),
    ...parts,
  }
  const gate = createApp(all, allFeatures())
  return {
    gate,
    forwarded,
    events,
    verdicts: () => events.filter((event) => event.event === 'verdict'),
    send: (body: BodyInit | null, init: RequestInit = {}, url = 'https://files.example/a/b?c=d') =>
      answerOf(gate, new Request(url, { method: 'POST', body, ...init }), {}),
  }
}

const hashed = new WeakMap<Uint8Array, Map<Probe, Hash256>>()

/** Hash of an image by a probe. Each image is decoded once. */
export async function hashOf(file: Uint8Array, probe: Probe = 'identity'): Promise<Hash256> {
  const known =
    hashed.get(file) ??
    new Map(
      needlesOf(await scanFile({ modules }, file))
        .toReversed()
        .map((one) => [one.probe, one.hash]),
    )
  hashed.set(file, known)
  return known.get(probe)!
}

/** What was published last, and as which version. */
let last: { banks: string; manifest: string | undefined } | undefined

/** Hashes as the entries known-0, known-1, …, and others. */
export function entriesOf(...hashes: Hash256[]): Entry[] {
  const known = hashes.map((hash, i) => ({
    kind: 'pdq' as const,
    hash,
    id: `known-${i}`,
    labels: { source: 'test' },
  }))
  return [...known, ...randomEntries(500, 1)]
}

/** Publishes the entries of hashes as the bank csam. */
export function publish(...hashes: Hash256[]): Promise<void> {
  return publishBanks({ csam: entriesOf(...hashes) })
}

/**
 * Publishes entries as banks, one after another, unless they are what is published. Earlier versions are forgotten: a publication
 * reads all that are kept, which are a hundred after as many tests.
 */
export async function publishBanks(banks: Record<string, Entry[]>): Promise<void> {
  const store = kvStore()
  const current = async () => (await readExistingManifest(store))?.id
  const wanted = JSON.stringify(banks, (_, value: unknown) =>
    value instanceof Uint8Array ? toHex(value) : value,
  )
  if (last?.banks === wanted && last.manifest === (await current())) return
  await forgetVersions(store, await keptVersions(store))
  for (const [bank, entries] of Object.entries(banks)) await publishBank(store, entries, { bank })
  last = { banks: wanted, manifest: await current() }
}
