// `import { gate } from 'hashgate'`: the gate as a middleware, for a Worker that has routes of its own.

import type { Context, Env, MiddlewareHandler } from 'hono'
import { modules } from './core/workerd.ts'
import { BadConfigError, HashgateError } from './util/errors.ts'
import { checkNeeds, readLibrarySettings } from './config/config.ts'
import type { Config, LibrarySettings as GateSettings } from './config/schema.ts'
import type { GateEvent, Happening, VerdictEvent } from './events/schema.ts'
import { stampEvent } from './events/stamp.ts'
import { type NamedSink, reportTo } from './events/report.ts'
import type { FloodNamespace } from './gate/flood/breaker.ts'
import { answerTo } from './doors/answer.ts'
import { answerThrough } from './doors/proxy/proxy.ts'
import { readerOf } from './doors/reader.ts'
import { type Origin, withBody } from './upload/origin.ts'
import { unjudged } from './upload/outcome.ts'
import { Uploads } from './upload/uploads.ts'
import { verdictEvent } from './upload/verdict-event.ts'
import { unknownName } from './util/settings.ts'
import { type KvNamespace, KvStore } from './list/kv-store.ts'
import { parseListKeys, SealedStore } from './list/sealing.ts'
import type { Quarantine } from './quarantine/quarantine.ts'
import type { QuarantineSettings } from './quarantine/settings.ts'
import type { PinNamespace } from './match/pin.ts'
import type { RemoteParts } from './match/remote/bindings.ts'
import type { RemoteBanks } from './match/remote/remote-banks.ts'
import { REMOTE_SECRETS } from './match/remote/settings.ts'
import type { ShardNamespace } from './match/sharded-index.ts'
import type { HeicFeature } from './scan/image/heic/library.ts'
import { type ImagesApi, imagesConverter } from './scan/image/images-binding.ts'

export type {
  FloodNamespace,
  GateSettings,
  HeicFeature,
  ImagesApi,
  KvNamespace,
  PinNamespace,
  ShardNamespace,
}
export { BadListKeyError } from './list/errors.ts'
export { BadConfigError, HashgateError } from './util/errors.ts'
export type { FileEvent, GateEvent, MatchEvent, VerdictEvent } from './events/schema.ts'

/**
 * Judges requests before your handlers see them, and answers those that it refuses. Your handlers
 * get the body unchanged.
 *
 * Options are checked immediately. What depends on the environment is checked by the first request
 * of each isolate. If it is invalid, every request is refused with 503, and reported.
 *
 * A body longer than `upload.maxBufferedBytes` reaches your handlers while it is still arriving,
 * but its end is held back until the verdict. If it is refused, the stream breaks off, and you must
 * discard what you made of it. If you cannot ensure that, refuse such bodies with
 * `upload.maxBodyBytes`.
 * @param options where the list and its key are, and what you want
 * @returns a Hono middleware; put it before everything that reads bodies
 * @throws {BadConfigError} an option is unknown, or a setting is invalid
 * @throws {BodyUsedError} by a request: something read its body before the gate
 * @example
 * ```ts
 * import { gate, type KvNamespace } from 'hashgate'
 * import { Hono } from 'hono'
 *
 * interface Env {
 *   Bindings: { HASH_LISTS: KvNamespace; LIST_KEY: string }
 * }
 *
 * const app = new Hono<Env>()
 * app.use('/files/*', gate<Env>({ hashLists: (env) => env.HASH_LISTS, listKey: (env) => env.LIST_KEY }))
 * app.put('/files/:name', async (c) => c.text(`${(await c.req.arrayBuffer()).byteLength} bytes`))
 *
 * export default app
 * ```
 */
export function gate<E extends Env = Env>(options: GateOptions<E>): MiddlewareHandler<E> {
  checkOptions(options)
  const { settings = {} } = options
  const config = typeof settings === 'function' ? undefined : readLibrarySettings(settings)
  let made: Made | undefined
  return async (c, next) => {
    if (await options.skip?.(c)) return next()
    try {
      made ??= make(options, config, c.env)
    } catch (error) {
      return refuse(c, error, reporterOf(options))
    }
    if (c.req.raw.bodyUsed) throw new BodyUsedError()
    const origin: Origin = {
      forward: async (request, body) => {
        c.req.raw = withBody(request, body)
        const passing = next()
        c.executionCtx.waitUntil(passing) // handlers may have to clean up if the body breaks off
        await passing
        return c.res
      },
    }
    const response = await answerThrough(c, made, origin)
    if (response !== c.res) {
      c.res = undefined // otherwise Hono keeps headers of the answer that is replaced
      c.res = response
    }
    return undefined
  }
}

/** Takes a value from the Worker's environment, whatever its bindings are called. */
type From<E extends Env, T> = (env: E['Bindings']) => T

/** Options of the middleware: where to find things in the environment, and what you want. */
export interface GateOptions<E extends Env> {
  /** The KV namespace that holds the lists. */
  hashLists: From<E, KvNamespace>
  /** The key that the lists are sealed with: the secret LIST_KEY. */
  listKey: From<E, string | undefined>
  /**
   * Settings as in the variable HASHGATE (docs/settings.md), except where requests and events go:
   * your app decides that.
   * @default {}
   */
  settings?: GateSettings | From<E, GateSettings>
  /**
   * Cloudflare Images, to convert files that hashgate does not decode.
   * @default such files are unscannable
   */
  images?: From<E, ImagesApi | undefined>
  /**
   * A HEIC decoder: `heic()` from `hashgate/heic`.
   * @default HEIC is unscannable, unless `images` converts it
   */
  heic?: HeicFeature
  /**
   * Durable Objects of class FloodCounter, from `hashgate/objects`.
   * @default each isolate counts for itself
   */
  floodCounters?: From<E, FloodNamespace | undefined>
  /**
   * Durable Objects of class ListPin, from `hashgate/objects`.
   * @default a fresh isolate accepts any version of the list as the latest
   */
  listPins?: From<E, PinNamespace | undefined>
  /**
   * Durable Objects of class ListShard, from `hashgate/objects`.
   * @default the isolate holds the list itself
   */
  listShards?: From<E, ShardNamespace | undefined>
  /**
   * Where quarantined uploads are kept: `quarantine` from `hashgate/quarantine`. It needs the
   * setting `quarantine.recipients`.
   * @default nothing is kept
   */
  quarantine?: (env: E['Bindings'], settings: QuarantineSettings) => Quarantine | undefined
  /**
   * Remote services that are asked about hashes: `remote` from `hashgate/remote`. It needs the
   * setting `remote.banks`.
   * @default no service is asked
   */
  remote?: (env: E['Bindings'], gate: RemoteParts) => RemoteBanks | undefined
  /**
   * Whether a request passes unchanged, without a verdict.
   * @default no request does
   */
  skip?: (c: Context<E>) => boolean | Promise<boolean>
  /**
   * Receives each verdict, as `onEvent` does.
   * @default verdicts only go to `onEvent`
   */
  onVerdict?: OnEvent<VerdictEvent>
  /**
   * Receives every event, including verdicts.
   * @default each event is logged to the console as one line of JSON
   */
  onEvent?: OnEvent<GateEvent>
}

/**
 * Receives events, after the answer. If it throws, rejects or takes longer than 10 seconds, the
 * event is logged to the console.
 * @param event see docs/events.md
 */
export type OnEvent<E extends GateEvent> = (event: E) => unknown

/** Option names. TypeScript accepts a misspelt one if the options are passed as a variable. */
const OPTIONS = [
  ...['hashLists', 'listKey', 'settings', 'images', 'floodCounters', 'listPins', 'listShards'],
  ...['heic', 'quarantine', 'remote', 'skip', 'onVerdict', 'onEvent'],
]

function checkOptions(options: object): void {
  const unknown = Object.keys(options).filter((name) => !OPTIONS.includes(name))
  const problems = unknown.map((name) => `${name} ${unknownName(name, OPTIONS, 'an option')}`)
  const missing = ['hashLists', 'listKey'].filter((name) => !(name in options))
  problems.push(...missing.map((name) => `${name} is missing`))
  if (problems.length > 0) throw new BadConfigError(problems)
}

/** Refuses a request that cannot be judged, as if there were no list. */
function refuse(c: Context, error: unknown, emit: (event: GateEvent) => void): Promise<Response> {
  const report = (happening: Happening) => emit(stampEvent(happening))
  const [caseId, outcome] = [crypto.randomUUID(), unjudged(error)]
  report(verdictEvent(caseId, c.req.raw, outcome))
  const refused = { isPassed: false as const, caseId, outcome }
  return answerTo(refused, c.req.raw, { textsFor: () => undefined, report }, readerOf(c))
}

/**
 * Something read the body before the gate. Nothing is left to judge, and whatever was read may
 * already be stored.
 * @example
 * ```ts
 * import { BodyUsedError } from 'hashgate'
 * import { Hono } from 'hono'
 *
 * const app = new Hono()
 * app.onError((error, c) => {
 *   if (error instanceof BodyUsedError) console.error('gate() must come before what reads bodies')
 *   return c.text('Internal error', 500)
 * })
 * app.all('*', () => {
 *   throw new BodyUsedError()
 * })
 *
 * export default app
 * ```
 */
export class BodyUsedError extends HashgateError {
  readonly code = 'body-used'

  constructor() {
    super('the body was read before the gate: put the gate before everything that reads it')
  }
}

/** The gate that options describe. */
interface Made {
  uploads: Uploads
  config: Config
}

/** @throws {BadConfigError | BadListKeyError} something in the environment is missing or invalid */
function make<E extends Env>(
  options: GateOptions<E>,
  checked: Config | undefined,
  env: E['Bindings'],
): Made {
  const config = checked ?? readLibrarySettings(optionSettings(options, env))
  const hashLists = options.hashLists(env) as KvNamespace | undefined
  if (!hashLists) throw new BadConfigError(['hashLists does not return a KV namespace'])
  const images = options.images?.(env)
  const shards = options.listShards?.(env)
  const pins = options.listPins?.(env)
  const floodCounters = options.floodCounters?.(env)
  const quarantine = options.quarantine?.(env, config.quarantine)
  const store = new SealedStore(new KvStore(hashLists), parseListKeys(options.listKey(env)))
  if (!options.remote && Object.keys(config.remote.banks).length > 0) {
    throw new BadConfigError([
      'settings.remote.banks needs the option remote, from hashgate/remote',
    ])
  }
  const remote = options.remote?.(env, {
    settings: config.remote,
    policies: config.policy.banks,
    store,
  })
  const given = new Set<string>([
    ...LIST_NEEDS,
    ...(quarantine ? ['QUARANTINE'] : []),
    ...(pins ? ['LIST_PIN'] : []),
    // `remote` has already checked the secrets that it needs.
    ...(remote ? Object.values(REMOTE_SECRETS) : []),
  ])
  checkNeeds(config, (name) => given.has(name))
  const uploads = new Uploads({
    config,
    modules,
    store,
    ...(images && { convert: imagesConverter(images) }),
    ...(options.heic && { heic: options.heic.library }),
    ...(shards && { shards }),
    ...(pins && { pins }),
    ...(floodCounters && { floodCounters }),
    ...(quarantine && { quarantine }),
    ...(remote && { remote }),
    onEvent: reporterOf(options),
  })
  return { uploads, config }
}

/** Bindings and secrets that the required options stand for. */
const LIST_NEEDS = ['HASH_LISTS', 'LIST_KEY']

function optionSettings<E extends Env>(
  { settings = {} }: GateOptions<E>,
  env: E['Bindings'],
): GateSettings {
  return typeof settings === 'function' ? settings(env) : settings
}

/** Reports events to the callbacks; without `onEvent`, also to the console. */
function reporterOf({
  onEvent,
  onVerdict,
}: {
  onEvent?: OnEvent<GateEvent> | undefined
  onVerdict?: OnEvent<VerdictEvent> | undefined
}): (event: GateEvent) => void {
  const sinks: NamedSink[] = []
  if (onEvent) sinks.push(['onEvent', onEvent])
  if (onVerdict) {
    sinks.push(['onVerdict', (event) => (event.event === 'verdict' ? onVerdict(event) : undefined)])
  }
  return reportTo(sinks, onEvent === undefined)
}
