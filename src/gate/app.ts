import { Hono } from 'hono'
import type { CoreModules } from '../core/modules.ts'
import { describeError } from '../errors.ts'
import type { GateEvent, Happening, HappeningOf } from '../events/schema.ts'
import { stampEvent } from '../events/stamp.ts'
import type { ListStore } from '../list/store.ts'
import { LiveList } from '../match/live-list.ts'
import type { ShardNamespace } from '../match/sharded-index.ts'
import type { ImageConverter, ScanContext } from '../scan/context.ts'
import { Budget } from './budget.ts'
import type { Config } from './config.ts'
import { clipPath, verdictEvent } from './events.ts'
import { FloodBreaker, type FloodNamespace } from './flood/breaker.ts'
import { answerHealth } from './health.ts'
import { OriginStalledError } from './hold-back.ts'
import type { Origin } from './origin.ts'
import { refusal } from './respond.ts'
import { passUpload } from './upload.ts'

/** What the gate is made of. */
export interface GateParts {
  config: Config
  modules: CoreModules
  store: ListStore
  origin: Origin
  convert?: ImageConverter
  /** Durable Objects for a list that is too large for an isolate. */
  shards?: ShardNamespace
  /** Durable Objects that count for all isolates what entries match. */
  floodCounters?: FloodNamespace
  /** Told each verdict, and each failure to read the list or to reach the origin. Must not throw. */
  onEvent: (event: GateEvent) => void
}

/** The gate: gated requests pass after their verdict, all others as they are. */
export function createGate(parts: GateParts): Hono {
  const { config, modules } = parts
  const onEvent = (happening: Happening) => parts.onEvent(stampEvent(happening))
  const context: ScanContext = {
    modules,
    probes: config.probes,
    ...(parts.convert && { convert: parts.convert }),
  }
  const list = new LiveList({
    modules,
    store: parts.store,
    refreshSeconds: config.listRefreshSeconds,
    maxAgeSeconds: config.listMaxAgeSeconds,
    onStale: config.onStale,
    maxEntries: config.maxListEntries,
    maxTableEntries: config.maxTableEntries,
    ...(parts.shards && { shards: parts.shards }),
    onError: (error) => onEvent(listErrorEvent(error, list.version)),
  })

  const shared = {
    bytes: new Budget({
      what: 'bytes for uploads',
      max: config.maxHeldBytes,
      maxWaitMs: config.maxWaitMs,
      spreadMs: SPREAD_MS,
    }),
    decoders: new Budget({
      what: 'places for uploads that are decoded while they come',
      max: config.maxDecoders,
      maxWaitMs: config.maxWaitMs,
      spreadMs: 0,
    }),
  }

  const floods = new FloodBreaker({
    limits: { bound: config.floodBound, holdMs: config.floodMs },
    onFlood: onEvent,
    ...(parts.floodCounters && { counters: parts.floodCounters }),
  })

  const app = new Hono()
  app.all('*', async (c) => {
    const request = c.req.raw
    const keepAlive = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
    if (isHealthCheck(request, config)) return answerHealth(list, shared, keepAlive)
    if (!isGated(request, config)) return answerOf(parts.origin.forward(request), onEvent, request)

    const caseId = crypto.randomUUID()
    let listVersion: number | undefined
    const passing = passUpload(request, {
      context,
      config,
      ...shared,
      askList: async (queries) => {
        const { results, version } = await list.match(queries, keepAlive)
        listVersion = version
        return results
      },
      markFlooded: (files) => floods.mark(files, request.headers.get('cf-connecting-ip') ?? ''),
      forward: (body) => parts.origin.forward(request, body),
      onVerdict: (verdict, afterLastByteMs) =>
        onEvent(verdictEvent(caseId, request, verdict, { listVersion, afterLastByteMs })),
    })
    keepAlive(passing) // so that it ends, and gives back what it holds, when the client goes away
    const outcome = await passing
    if ('refusal' in outcome) return refusal(outcome.refusal, caseId)
    return answerOf(outcome.response, onEvent, request)
  })
  return app
}

/** Milliseconds by which an upload that wants all bytes there are is served later than a small one. */
const SPREAD_MS = 10_000

/** Methods that uploads have. What else has a body is unusual, and gated whatever the settings: an origin may take it. */
const UPLOAD_METHODS = new Set(['POST', 'PUT', 'PATCH'])

function isGated({ method, body }: Request, { gatedMethods }: Config): boolean {
  return gatedMethods.has(method) || (body !== null && !UPLOAD_METHODS.has(method))
}

function isHealthCheck({ method, url }: Request, { healthPath }: Config): boolean {
  return healthPath !== '' && method === 'GET' && new URL(url).pathname === healthPath
}

/** The origin's answer; if it has none, what is said instead. */
async function answerOf(
  response: Promise<Response>,
  onEvent: (happening: Happening) => void,
  request: Request,
): Promise<Response> {
  try {
    return await response
  } catch (error) {
    const { pathname } = new URL(request.url)
    const { method } = request
    onEvent({
      event: 'origin-error',
      error: describeError(error),
      method,
      path: clipPath(pathname),
    })
    return error instanceof OriginStalledError
      ? new Response('Gateway timeout\n', { status: 504 })
      : new Response('Bad gateway\n', { status: 502 })
  }
}

function listErrorEvent(
  error: unknown,
  listVersion: number | undefined,
): HappeningOf<'list-error'> {
  return {
    event: 'list-error',
    error: describeError(error),
    ...(listVersion !== undefined && { listVersion }),
  }
}
