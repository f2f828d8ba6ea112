import type { Context } from 'hono'
import type { CoreModules } from '../core/modules.ts'
import { describeError } from '../util/errors.ts'
import type { GateEvent, Happening, HappeningOf } from '../events/schema.ts'
import { stampEvent } from '../events/stamp.ts'
import type { ListStore } from '../list/store.ts'
import type { Query } from '../match/match.ts'
import { LiveList } from '../match/live-list.ts'
import type { ShardNamespace } from '../match/sharded-index.ts'
import type { Manifest } from '../list/manifest.ts'
import { adjustBanks, problemOf } from '../policy/banks.ts'
import { AmbiguousPathError, type Route, Router } from '../policy/routes.ts'
import type { Quarantine } from '../quarantine/quarantine.ts'
import type { ImageConverter, ScanContext } from '../scan/context.ts'
import { Budget } from './budget.ts'
import type { Config } from './config.ts'
import { clipPath, type VerdictFacts, verdictEvent } from './events.ts'
import { FloodBreaker, type FloodNamespace } from './flood/breaker.ts'
import { answerHealth } from './health.ts'
import { OriginStalledError } from './hold-back.ts'
import type { Origin } from './origin.ts'
import { PieceError, pieceBy } from './pieces.ts'
import { keepUpload } from './quarantine.ts'
import { isPagePost, refusal } from './respond.ts'
import { watchUpload } from './shadow.ts'
import { passUpload, refusalOf, type UploadOutcome, type UploadTools } from './upload.ts'
import type { JudgedFile, Verdict } from './verdict.ts'

/** What the gate is made of. */
export interface GateParts {
  config: Config
  modules: CoreModules
  store: ListStore
  convert?: ImageConverter
  /** Durable Objects for a list that is too large for an isolate. */
  shards?: ShardNamespace
  /** Durable Objects that count for all isolates what entries match. */
  floodCounters?: FloodNamespace
  /** Where the bodies of quarantined uploads are kept. */
  quarantine?: Quarantine
  /** Told each verdict, and each failure to read the list or to reach the origin. Must not throw. */
  onEvent: (event: GateEvent) => void
}

/** Milliseconds by which an upload that wants all bytes there are is served later than a small one. */
const SPREAD_MS = 10_000

/** Judges requests on their way to an origin: gated ones pass after their verdict, all others as they are. */
export class Gate {
  readonly config: Config
  readonly list: LiveList
  readonly quarantine: Quarantine | undefined
  /** Tells the operator. */
  readonly tell: (happening: Happening) => void
  readonly #context: ScanContext
  readonly #floods: FloodBreaker
  /** Version of the list that was last adjusted. */
  #adjusted: number | undefined
  readonly #router: Router
  readonly #budgets: Pick<UploadTools, 'bytes' | 'decoders'>

  constructor(parts: GateParts) {
    const { config, modules } = parts
    modules.image.keepAtMost(config.maxDecoders + 1) // and one for a thumbnail, or something embedded
    this.config = config
    this.quarantine = parts.quarantine
    this.tell = (happening) => parts.onEvent(stampEvent(happening))
    this.#router = new Router(config)
    this.#context = {
      modules,
      probes: config.probes,
      ...(parts.convert && { convert: parts.convert }),
    }
    this.list = new LiveList({
      modules,
      store: parts.store,
      refreshSeconds: config.listRefreshSeconds,
      maxAgeSeconds: config.listMaxAgeSeconds,
      onStale: config.onStale,
      maxEntries: config.maxListEntries,
      maxTableEntries: config.maxTableEntries,
      adjust: (manifest) => this.#adjust(manifest),
      ...(parts.shards && { shards: parts.shards }),
      onError: (error) => this.tell(listErrorEvent(error, this.list.version)),
    })
    this.#budgets = {
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
    this.#floods = new FloodBreaker({
      limits: { bound: config.floodBound, holdMs: config.floodMs },
      onFlood: this.tell,
      ...(parts.floodCounters && { counters: parts.floodCounters }),
    })
  }

  /** The list as the policy wants it. Tells once for each version if the policy is for banks that are not in it. */
  #adjust(manifest: Manifest): Manifest {
    const { policy } = this.config
    const problem = manifest.version === this.#adjusted ? undefined : problemOf(manifest, policy)
    if (problem) this.tell(listErrorEvent(problem, manifest.version))
    this.#adjusted = manifest.version
    return adjustBanks(manifest, policy)
  }

  /** Bytes that requests hold: what else holds some in this isolate claims them here, too. */
  get bytes(): Budget {
    return this.#budgets.bytes
  }

  /** Longest body of a request, in bytes. */
  maxBodyBytes(request: Pick<Request, 'method' | 'url'>): number {
    return (this.#router.choose(request)?.config ?? this.config).maxBodyBytes
  }

  /** Answers a request: as the origin does, if the request may reach it. */
  async answer(c: Context, origin: Origin): Promise<Response> {
    const { config } = this
    const request = c.req.raw
    const keepAlive = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
    if (isHealthCheck(request, config)) return answerHealth(this.list, this.#budgets, keepAlive)
    const route = this.#router.choose(request)
    if (!isGated(request, route?.isGated, config)) {
      return this.#answerOf(origin.forward(request), request)
    }
    return this.#answerUpload(request, route, { origin, keepAlive, isPage: isPagePost(c) })
  }

  /**
   * Answers an upload that is judged whatever the policy says of its route: there, it is neither left alone nor only watched. What the
   * route says of limits, and of what cannot be judged, holds.
   */
  answerJudged(request: Request, origin: Origin, keepAlive: KeepAlive): Promise<Response> {
    const route = this.#router.choose(request)
    const enforced = route && { ...route, isShadow: false }
    return this.#answerUpload(request, enforced, { origin, keepAlive, isPage: false })
  }

  async #answerUpload(
    request: Request,
    route: Route | undefined,
    { origin, keepAlive, isPage }: Pick<RequestFacts, 'origin' | 'keepAlive'> & { isPage: boolean },
  ): Promise<Response> {
    const { config } = this
    const caseId = crypto.randomUUID()
    if (!route) {
      const error = new AmbiguousPathError()
      const verdict: Verdict = { action: 'refuse', reason: 'malformed', files: [], error }
      this.tell(verdictEvent(caseId, request, verdict))
      return refusal('malformed', { caseId, isPage })
    }
    const how = config.onPieces === 'refuse' && !route.isShadow ? pieceBy(request) : undefined
    if (how !== undefined) {
      const error = new PieceError(how)
      const verdict: Verdict = { action: 'refuse', reason: 'unscannable', files: [], error }
      this.tell(verdictEvent(caseId, request, verdict, { route }))
      return refusal('unscannable', { caseId, isPage })
    }
    const early = Promise.withResolvers<UploadOutcome>()
    const onRefused = (outcome: UploadOutcome) => early.resolve(outcome)
    const tools = this.#toolsFor(request, { caseId, route, origin, keepAlive, onRefused })
    if (route.isShadow) {
      const { response, watching } = watchUpload(request, tools)
      keepAlive(watching)
      return this.#answerOf(response, request)
    }
    const passing = passUpload(request, tools)
    keepAlive(passing) // so that it ends, and gives back what it holds, when the client goes away
    const outcome = await Promise.race([early.promise, passing])
    if ('response' in outcome) return this.#answerOf(outcome.response, request)
    const harm = outcome.harm === undefined ? undefined : config.policy.harms[outcome.harm]
    return refusal(outcome.refusal, { caseId, harm, isPage })
  }

  /** What a request is judged with, whoever asks. */
  judgingOf(request: Request, keepAlive: KeepAlive): Judging {
    const facts: Judging['facts'] = {}
    this.list.prepare(keepAlive)
    const tools = {
      context: this.#context,
      config: this.config,
      ...this.#budgets,
      digestKinds: () => this.list.digestKinds,
      askList: async (queries: readonly Query[]) => {
        const { results, version } = await this.list.match(queries, keepAlive)
        facts.listVersion = version
        return results
      },
      markFlooded: (files: JudgedFile[]) =>
        this.#floods.mark(files, request.headers.get('cf-connecting-ip') ?? ''),
    }
    return { tools, facts }
  }

  #toolsFor(
    request: Request,
    { caseId, route, origin, keepAlive, onRefused }: RequestFacts,
  ): UploadTools {
    const { tools, facts } = this.judgingOf(request, keepAlive)
    return {
      ...tools,
      config: route.config,
      forward: (body) => origin.forward(request, body),
      keep: (verdict, body) => {
        onRefused(refusalOf(verdict)) // as soon as if it were blocked
        const event = verdictEvent(caseId, request, verdict, { ...facts, route })
        return keepUpload(this.quarantine, request, event, body)
      },
      onVerdict: (verdict, afterLastByteMs, kept) =>
        this.tell(
          verdictEvent(caseId, request, verdict, { ...facts, afterLastByteMs, route, kept }),
        ),
    }
  }

  /** The origin's answer; if it has none, what is said instead. */
  async #answerOf(response: Promise<Response>, request: Request): Promise<Response> {
    try {
      return await response
    } catch (error) {
      const { pathname } = new URL(request.url)
      const { method } = request
      const told = { error: describeError(error), method, path: clipPath(pathname) }
      this.tell({ event: 'origin-error', ...told })
      return error instanceof OriginStalledError
        ? new Response('Gateway timeout\n', { status: 504 })
        : new Response('Bad gateway\n', { status: 502 })
    }
  }
}

/** Given what must outlive a request. */
export type KeepAlive = (promise: Promise<unknown>) => void

/** What a request is judged with, and what is known of it when it has been. */
export interface Judging {
  tools: Omit<UploadTools, 'forward' | 'keep' | 'onVerdict'>
  facts: Pick<VerdictFacts, 'listVersion'>
}

/** What belongs to one request. */
interface RequestFacts {
  caseId: string
  route: Route
  origin: Origin
  keepAlive: KeepAlive
  /** Told what the uploader may be told while the body is still being kept. */
  onRefused: (outcome: UploadOutcome) => void
}

/** Methods that uploads have. What else has a body is unusual, and gated whatever the settings: an origin may take it. */
const UPLOAD_METHODS = new Set(['POST', 'PUT', 'PATCH'])

function isGated(
  { method, body }: Request,
  byRoute: boolean | undefined,
  { gatedMethods }: Config,
): boolean {
  if (byRoute !== undefined) return byRoute
  return gatedMethods.has(method) || (body !== null && !UPLOAD_METHODS.has(method))
}

function isHealthCheck({ method, url }: Request, { healthPath }: Config): boolean {
  return healthPath !== '' && method === 'GET' && new URL(url).pathname === healthPath
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
