import { asksForWebSocket } from '../body/reader.ts'
import type { CoreModules } from '../core/modules.ts'
import type { GateEvent, Happening } from '../events/schema.ts'
import { stampEvent } from '../events/stamp.ts'
import { Gate, type GateDeps, type GateSettings } from '../gate/gate.ts'
import { AmbiguousPathError, type ChosenRoute, Router } from '../policy/routes.ts'
import type { Texts } from '../policy/texts.ts'
import type { Quarantine } from '../quarantine/quarantine.ts'
import type { Kept } from '../quarantine/record.ts'
import type { ImageConverter, ScanContext } from '../scan/context.ts'
import type { HeicLibrary } from '../scan/image/heic/library.ts'
import { probesOf } from '../scan/settings.ts'
import type { WaitUntil } from '../util/wait-until.ts'
import { Inspection, type InspectionDeps } from './inspection.ts'
import { keepUpload } from './keep.ts'
import type { ForwardedBody, Origin } from './origin.ts'
import { type Outcome, type Passage, unjudged } from './outcome.ts'
import { passUpload } from './pass-upload.ts'
import type { UploadDeps } from './passing.ts'
import { PartError, partBy } from './parts.ts'
import { Semaphore } from '../util/semaphore.ts'
import type { UploadsSettings } from './settings.ts'
import type { Staging } from './staging/staging.ts'
import { watchUpload } from './shadow.ts'
import { Spool } from './spool.ts'
import { verdictEvent } from './verdict-event.ts'

/** Fewest bytes for uploads with which some may wait in the bucket: each may hold at most half. */
const LEAST_HELD_TO_SPOOL = 2 * Spool.bytes
/** Queue penalty in milliseconds for an upload that claims the whole budget. */
const SPREAD_MS = 10_000

/** The uploads of an isolate, judged on their way within the memory that they share. */
export class Uploads {
  readonly gate: Gate
  readonly settings: JudgedSettings
  /** Bytes that requests hold. Whatever else holds some in this isolate acquires them here, too. */
  readonly bytes: Semaphore
  /** Bytes among these that pictures in long uploads hold. */
  readonly pictureBytes: Semaphore
  /** Places for uploads that are decoded while they arrive. */
  readonly decoders: Semaphore
  /** Places for long uploads among them: one fewer, so that long uploads cannot take all. */
  readonly longPlaces: Semaphore
  readonly report: (happening: Happening) => void
  readonly #quarantine: Quarantine | undefined
  readonly #staging: Staging | undefined
  readonly #context: ScanContext
  readonly #router: Router<JudgedSettings>

  constructor(parts: UploadsParts) {
    const { config, modules, convert, heic } = parts
    this.settings = config
    this.report = (happening) => parts.onEvent(stampEvent(happening))
    this.gate = new Gate({ ...parts, settings: config, report: this.report })
    this.#quarantine = parts.quarantine
    if (config.upload.maxHeldBytes >= LEAST_HELD_TO_SPOOL) this.#staging = parts.staging
    this.#context = {
      modules,
      probes: probesOf(config.scan),
      limits: { workMs: config.scan.workSeconds * 1000 },
      ...(convert && { convert }),
      ...(heic && { heic }),
    }
    this.#router = new Router(config)
    const { maxHeldBytes, maxDecoders, maxWaitSeconds } = config.upload
    modules.image.keepAtMost(maxDecoders + 1) // and one for a thumbnail, or something embedded
    const maxWaitMs = maxWaitSeconds * 1000
    this.bytes = new Semaphore({
      what: 'upload memory',
      max: maxHeldBytes,
      maxWaitMs,
      spreadMs: SPREAD_MS,
    })
    this.pictureBytes = new Semaphore({
      what: 'memory for pictures in long uploads',
      max: Math.floor(maxHeldBytes / 2),
      maxWaitMs,
      spreadMs: 0,
    })
    this.decoders = new Semaphore({
      what: 'decoder',
      max: maxDecoders,
      maxWaitMs,
      spreadMs: 0,
    })
    this.longPlaces = new Semaphore({
      what: 'decoder for long uploads',
      max: Math.max(1, maxDecoders - 1),
      maxWaitMs,
      spreadMs: 0,
    })
  }

  /** Longest body of a request, in bytes. */
  maxBodyBytes(request: Pick<Request, 'method' | 'url'>): number {
    return (this.#router.choose(request)?.config ?? this.settings).upload.maxBodyBytes
  }

  /** Texts for uploaders, by kind of harm or by status: as published with the list, or as set. */
  readonly textsFor = (kind: string): Texts | undefined =>
    this.gate.list.texts?.[kind] ?? this.settings.policy.harms[kind]

  /** Passes a request on, after its verdict if its route and method say that it is judged. */
  async pass(request: Request, way: Way): Promise<Passage> {
    const route = this.#router.choose(request)
    const isJudged = isGated(request, route?.isGated, this.settings)
    // A request with a body is also an upload, and is judged as both.
    const isOnlySocket = !isJudged || request.body === null
    if (isOnlySocket && asksForWebSocket(request.headers)) return this.#passSocket(request, way)
    if (isJudged) return this.#judge(request, route, way)
    return { isPassed: true, response: way.origin.forward(request) }
  }

  /**
   * Passes on an upload that is judged even if its route is not, or is in shadow mode. The route's
   * limits and its policy for what cannot be judged still apply.
   */
  passJudged(request: Request, way: Way): Promise<Passage> {
    const route = this.#router.choose(request)
    return this.#judge(request, route && { ...route, isShadow: false }, way)
  }

  /**
   * Judges a body like an upload, with the same limits and memory, and discards it. A quarantined
   * body is kept. Reports nothing: only the caller knows what the verdict is for.
   * @param caller name of the caller, for events
   * @param replaced dependencies that replace those of other uploads
   */
  async judgeBody(
    request: Request,
    { caller, waitUntil }: { caller: string; waitUntil: WaitUntil },
    replaced: Partial<UploadDeps> = {},
  ): Promise<JudgedBody> {
    const caseId = crypto.randomUUID()
    let judged: Omit<JudgedBody, 'caseId'> | undefined
    const passing = passUpload(request, {
      ...this.#depsFor(request, this.settings, waitUntil, caseId),
      caseId,
      forward: discard,
      keep: (verdict, body) => {
        const event = verdictEvent(caseId, request, verdict, { caller })
        return keepUpload(this.#quarantine, request, event, body)
      },
      onOutcome: (outcome, afterLastByteMs, kept) => {
        judged = { outcome, afterLastByteMs, kept }
      },
      ...replaced,
    })
    waitUntil(passing) // so that it finishes and frees what it holds if the client goes away
    await passing
    if (!judged) throw new Error('an upload had no outcome')
    return { caseId, ...judged }
  }

  /**
   * A request for a WebSocket, over which files may be sent uninspected. Where uploads are judged,
   * it is unscannable.
   */
  async #passSocket(request: Request, { origin, waitUntil }: Way): Promise<Passage> {
    const caseId = crypto.randomUUID()
    const route = this.#router.choose({ method: 'POST', url: request.url })
    const isJudged = route?.isGated ?? this.settings.upload.methods.includes('POST')
    if (route && !isJudged) return { isPassed: true, response: origin.forward(request) }
    const outcome = route
      ? await this.#judgeSocket(request, this.#depsFor(request, route.config, waitUntil, caseId))
      : unjudged(new AmbiguousPathError())
    this.report(verdictEvent(caseId, request, outcome, route && { route }))
    if (route?.isShadow || outcome.action === 'allow' || outcome.action === 'flag')
      return { isPassed: true, response: origin.forward(request) }
    return { isPassed: false, caseId, outcome }
  }

  /** The verdict on a request without a body, by its path and by what it asks for. */
  async #judgeSocket({ url, headers }: Request, deps: InspectionDeps): Promise<Outcome> {
    const upgrade = headers.get('upgrade') ?? ''
    try {
      return await new Inspection({ url, headers: new Headers({ upgrade }) }, deps).end()
    } catch (error) {
      return unjudged(error)
    }
  }

  async #judge(
    request: Request,
    route: ChosenRoute<JudgedSettings> | undefined,
    way: Way,
  ): Promise<Passage> {
    const caseId = crypto.randomUUID()
    const refuse = (outcome: Outcome & { action: 'refuse' }): Passage => {
      this.report(verdictEvent(caseId, request, outcome, route && { route }))
      return { isPassed: false, caseId, outcome }
    }
    if (!route) return refuse(unjudged(new AmbiguousPathError()))
    const how =
      this.settings.upload.onParts === 'refuse' && !route.isShadow ? partBy(request) : undefined
    if (how !== undefined) return refuse(unjudged(new PartError(how)))
    const early = Promise.withResolvers<Passage>()
    const deps = this.#passing(request, caseId, route, way, early.resolve)
    if (route.isShadow) {
      const { response, watching } = watchUpload(request, deps)
      way.waitUntil(watching)
      return { isPassed: true, response }
    }
    const passing = passUpload(request, deps)
    way.waitUntil(passing) // so that it finishes and frees what it holds if the client goes away
    return Promise.race([early.promise, passing])
  }

  /** @param onRefused called with the uploader's answer while the body is still being kept */
  #passing(
    request: Request,
    caseId: string,
    route: ChosenRoute<JudgedSettings>,
    { origin, waitUntil }: Way,
    onRefused: (passage: Passage) => void,
  ): UploadDeps {
    return {
      ...this.#depsFor(request, route.config, waitUntil, caseId),
      caseId,
      forward: (body) => origin.forward(request, body),
      lastReadAt: () => origin.lastReadAt?.() ?? 0,
      keep: (outcome, body) => {
        onRefused({ isPassed: false, caseId, outcome }) // as soon as if it were blocked
        const event = verdictEvent(caseId, request, outcome, { route })
        return keepUpload(this.#quarantine, request, event, body)
      },
      onOutcome: (outcome, afterLastByteMs, kept) =>
        this.report(verdictEvent(caseId, request, outcome, { afterLastByteMs, route, kept })),
    }
  }

  #depsFor(request: Request, settings: JudgedSettings, waitUntil: WaitUntil, caseId: string) {
    const address = request.headers.get('cf-connecting-ip') ?? ''
    const { bytes, pictureBytes, decoders, longPlaces } = this
    const { list } = this.gate
    list.prepare(waitUntil)
    return {
      context: this.#context,
      settings,
      bytes,
      pictureBytes,
      decoders,
      longPlaces,
      digestKinds: () => list.digestKinds,
      staging: this.#staging,
      judge: (files: Parameters<Gate['judge']>[0]) =>
        this.gate.judge(files, { address, settings, waitUntil, caseId }),
    }
  }
}

type JudgedSettings = UploadsSettings & GateSettings

export interface UploadsParts extends Pick<
  GateDeps,
  'store' | 'shards' | 'pins' | 'floodCounters' | 'remote'
> {
  config: JudgedSettings
  modules: CoreModules
  convert?: ImageConverter
  heic?: HeicLibrary
  /** Where the bodies of quarantined uploads are kept. */
  quarantine?: Quarantine
  /** Where bodies that are too long to hold wait for their verdict. */
  staging?: Staging
  /** Called with each verdict, and each failure of the list or the origin. Must not throw. */
  onEvent: (event: GateEvent) => void
}

/** Where an upload goes if it is allowed, and what outlives its request. */
export interface Way {
  origin: Origin
  waitUntil: WaitUntil
}

/** The outcome of a body that is not passed on. */
export interface JudgedBody {
  caseId: string
  outcome: Outcome
  afterLastByteMs: number | undefined
  /** What became of the body, if it was to be kept. */
  kept: Kept | undefined
}

/** Discards what would go to an origin. */
async function discard(body: ForwardedBody): Promise<Response> {
  if (body instanceof ReadableStream) await body.pipeTo(new WritableStream())
  return new Response(null)
}

/**
 * Methods of uploads. Any other request with a body is unusual, and gated whatever the settings: an
 * origin may accept it.
 */
const UPLOAD_METHODS = new Set(['POST', 'PUT', 'PATCH'])

function isGated(
  { method, body }: Request,
  byRoute: boolean | undefined,
  { upload }: Pick<JudgedSettings, 'upload'>,
): boolean {
  if (byRoute !== undefined) return byRoute
  return (
    upload.methods.some((one) => one === method) || (body !== null && !UPLOAD_METHODS.has(method))
  )
}
