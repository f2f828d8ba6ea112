import { Hono } from 'hono'
import type { CoreModules } from '../core/modules.ts'
import type { ListStore } from '../list/store.ts'
import { LiveList } from '../match/live-list.ts'
import type { ShardNamespace } from '../match/sharded-index.ts'
import type { ImageConverter, ScanContext } from '../scan/context.ts'
import type { Config } from './config.ts'
import { type VerdictEvent, verdictEvent } from './events.ts'
import { answerHealth } from './health.ts'
import { BusyError, HeldBody, HeldBudget } from './held-bytes.ts'
import { BodyTooLargeError, takeIn } from './intake.ts'
import { MalformedBodyError } from './multipart.ts'
import type { Origin } from './origin.ts'
import { refusal } from './respond.ts'
import { type AskList, describeError, judge, type RefuseVerdict, type Verdict } from './verdict.ts'

/** What the gate is made of. */
export interface GateParts {
  config: Config
  modules: CoreModules
  store: ListStore
  origin: Origin
  convert?: ImageConverter
  /** Durable Objects for a list that is too large for an isolate. */
  shards?: ShardNamespace
  /** Told each verdict, and each failure to read the list or to reach the origin. */
  onEvent: (event: GateEvent) => void
}

export type GateEvent = VerdictEvent | ListErrorEvent | OriginErrorEvent

/** The list could not be read, or not for too long; what was read before stays in use. */
export interface ListErrorEvent {
  event: 'list-error'
  error: string
  listVersion?: number
}

/** The origin could not be reached. */
export interface OriginErrorEvent {
  event: 'origin-error'
  error: string
  method: string
  path: string
}

/** The gate: gated requests pass after their verdict, all others as they are. */
export function createGate(parts: GateParts): Hono {
  const { config, modules, onEvent } = parts
  const context: ScanContext = { modules, ...(parts.convert && { convert: parts.convert }) }
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

  const budget = new HeldBudget(config.maxHeldBytes)

  const app = new Hono()
  app.all('*', async (c) => {
    const request = c.req.raw
    const keepAlive = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
    if (isHealthCheck(request, config)) return answerHealth(list, keepAlive)
    if (!isGated(request, config)) return forward(parts, request)

    const caseId = crypto.randomUUID()
    const held = new HeldBody(budget)
    try {
      let listVersion: number | undefined
      const askList: AskList = async (queries) => {
        const { results, version } = await list.match(queries, keepAlive)
        listVersion = version
        return results
      }
      const verdict = await judgeUpload(request, held, context, config, askList)
      onEvent(verdictEvent(caseId, request, verdict, listVersion))
      switch (verdict.action) {
        case 'allow':
          return await forward(parts, request, held.whole())
        case 'block':
        case 'refuse':
          return refusal(verdict.reason, caseId)
      }
    } finally {
      held.release()
    }
  })
  return app
}

/** Methods that uploads have. What else has a body is unusual, and gated whatever the settings: an origin may take it. */
const UPLOAD_METHODS = new Set(['POST', 'PUT', 'PATCH'])

function isGated({ method, body }: Request, { gatedMethods }: Config): boolean {
  return gatedMethods.has(method) || (body !== null && !UPLOAD_METHODS.has(method))
}

function isHealthCheck({ method, url }: Request, { healthPath }: Config): boolean {
  return healthPath !== '' && method === 'GET' && new URL(url).pathname === healthPath
}

async function forward(
  { origin, onEvent }: GateParts,
  request: Request,
  body?: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  try {
    return await origin.forward(request, body)
  } catch (error) {
    const { pathname } = new URL(request.url)
    const { method } = request
    onEvent({ event: 'origin-error', error: describeError(error), method, path: pathname })
    return new Response('Bad gateway\n', { status: 502 })
  }
}

async function judgeUpload(
  request: Request,
  held: HeldBody,
  context: ScanContext,
  config: Config,
  askList: AskList,
): Promise<Verdict> {
  try {
    return await judge(await takeIn(request, held, context, config), askList, config)
  } catch (error) {
    // Whatever it is, a client that went away or a fault in here: nothing is passed on that was not read to its end.
    return { action: 'refuse', reason: reasonOf(error), files: [], error }
  }
}

function reasonOf(error: unknown): RefuseVerdict['reason'] {
  if (error instanceof BodyTooLargeError) return 'too-large'
  if (error instanceof MalformedBodyError) return 'malformed'
  return error instanceof BusyError ? 'busy' : 'failed'
}

function listErrorEvent(error: unknown, listVersion: number | undefined): ListErrorEvent {
  return {
    event: 'list-error',
    error: describeError(error),
    ...(listVersion !== undefined && { listVersion }),
  }
}
