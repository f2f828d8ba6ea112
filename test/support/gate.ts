import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import type { Hash256 } from '../../src/util/hash.ts'
import { modules } from '../../src/core/workerd.ts'
import { createApp } from '../../src/worker/app.ts'
import { allFeatures } from '../../src/worker/features.ts'
import type { WorkerParts } from '../../src/worker/parts.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import { readConfig } from '../../src/config/config.ts'
import { createWatcherCheck } from '../../src/doors/api/authorize.ts'
import { apiOf } from '../../src/doors/api/settings.ts'
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

/** Hash of an image by a probe. */
export async function hashOf(file: Uint8Array, probe: Probe = 'identity'): Promise<Hash256> {
  const needles = needlesOf(await scanFile({ modules }, file))
  return needles.find((needle) => needle.probe === probe)!.hash
}

/** Publishes hashes as the entries known-0, known-1, …, and others, as the bank csam. */
export async function publish(...hashes: Hash256[]): Promise<void> {
  const known = hashes.map((hash, i) => ({
    kind: 'pdq' as const,
    hash,
    id: `known-${i}`,
    labels: { source: 'test' },
  }))
  await publishBank(kvStore(), [...known, ...randomEntries(500, 1)], { bank: 'csam' })
}
