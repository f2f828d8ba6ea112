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

/** Whatever a Worker calls its bindings. */
type From<E extends Env, T> = (env: E['Bindings']) => T

/** What the middleware is told: where things are in a Worker's environment, and what it wants. */
export interface GateOptions<E extends Env> {
  /** The KV namespace that the lists are in. */
  hashLists: From<E, KvNamespace>
  /** The key that the lists are sealed with: the secret LIST_KEY. */
  listKey: From<E, string | undefined>
  /**
   * Settings as in the variable HASHGATE (docs/settings.md), but those for the origin and for events: these are the app's business.
   * @default {}
   */
  settings?: GateSettings | From<E, GateSettings>
  /**
   * Cloudflare Images, to convert what is not decoded here.
   * @default such files are unscannable
   */
  images?: From<E, ImagesApi | undefined>
  /**
   * A decoder of HEIC: `heic()` of `hashgate/heic`.
   * @default HEIC is unscannable, unless `images` converts it
   */
  heic?: HeicFeature
  /**
   * Durable Objects of class FloodCounter, of `hashgate/objects`.
   * @default each isolate counts alone
   */
  floodCounters?: From<E, FloodNamespace | undefined>
  /**
   * Durable Objects of class ListPin, of `hashgate/objects`.
   * @default a fresh isolate takes any version of the list for the latest
   */
  listPins?: From<E, PinNamespace | undefined>
  /**
   * Durable Objects of class ListShard, of `hashgate/objects`.
   * @default the isolate holds the list itself
   */
  listShards?: From<E, ShardNamespace | undefined>
  /**
   * Where quarantined uploads are kept: `quarantine` of `hashgate/quarantine`, with `quarantine.recipients` among the settings.
   * @default nothing is kept
   */
  quarantine?: (env: E['Bindings'], settings: QuarantineSettings) => Quarantine | undefined
  /**
   * Services that are asked about hashes: `remote` of `hashgate/remote`, with `remote.banks` among the settings.
   * @default nobody is asked
   */
  remote?: (env: E['Bindings'], gate: RemoteParts) => RemoteBanks | undefined
  /**
   * Requests that pass as they are.
   * @default none
   */
  skip?: (c: Context<E>) => boolean | Promise<boolean>
  /**
   * Gets each verdict, as `onEvent` does.
   * @default nothing more
   */
  onVerdict?: OnEvent<VerdictEvent>
  /**
   * Gets every event, verdicts too.
   * @default one line of JSON each on the console
   */
  onEvent?: OnEvent<GateEvent>
}

/**
 * Gets events, after the answer. An event that it does not take is on the console: it throws, rejects or needs over 10 seconds.
 * @param event see docs/events.md
 */
export type OnEvent<E extends GateEvent> = (event: E) => unknown

/**
 * Judges requests before your handlers hear of them, and answers those that are refused. Your handlers find the body as it came.
 *
 * Options are checked at once. What depends on the environment is read by the first request of an isolate. If it cannot be used,
 * every request is refused with 503, and reported.
 *
 * A body longer than `upload.maxBufferedBytes` reaches your handlers while it still arrives, without its end. If it is refused,
 * the stream breaks off, and what was made of it must not stay. If you cannot ensure that, have such bodies refused:
 * `upload.maxBodyBytes`.
 * @param options where the list and its key are, and what you want
 * @returns a middleware of Hono, to come before all that reads a body
 * @throws {BadConfigError} an option is unknown, or a setting cannot be used
 * @throws {BodyUsedError} by a request: something before the gate has read its body
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
        c.executionCtx.waitUntil(passing) // what is behind may have to clear up, if the body breaks off
        await passing
        return c.res
      },
    }
    const response = await answerThrough(c, made, origin)
    if (response !== c.res) {
      c.res = undefined // or headers of the answer that was not given would be kept
      c.res = response
    }
    return undefined
  }
}

/** The names of options. The types do not see one that is misspelt in an object that was made before. */
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
 * Something has read the body before the gate: there is nothing left to judge, and what was read may be kept already.
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
    super('the body was read before the gate, which must come before all that reads it')
  }
}

/** The gate that options describe. */
interface Made {
  uploads: Uploads
  config: Config
}

/** @throws {BadConfigError | BadListKeyError} what depends on the environment cannot be used */
function make<E extends Env>(
  options: GateOptions<E>,
  checked: Config | undefined,
  env: E['Bindings'],
): Made {
  const config = checked ?? readLibrarySettings(optionSettings(options, env))
  const hashLists = options.hashLists(env) as KvNamespace | undefined
  if (!hashLists) throw new BadConfigError(['hashLists gives no KV namespace'])
  const images = options.images?.(env)
  const shards = options.listShards?.(env)
  const pins = options.listPins?.(env)
  const floodCounters = options.floodCounters?.(env)
  const quarantine = options.quarantine?.(env, config.quarantine)
  const store = new SealedStore(new KvStore(hashLists), parseListKeys(options.listKey(env)))
  if (!options.remote && Object.keys(config.remote.banks).length > 0) {
    throw new BadConfigError(['settings.remote.banks needs the option remote, of hashgate/remote'])
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
    // `remote` has looked for those that it needs.
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

/** What the options give under other names. */
const LIST_NEEDS = ['HASH_LISTS', 'LIST_KEY']

function optionSettings<E extends Env>(
  { settings = {} }: GateOptions<E>,
  env: E['Bindings'],
): GateSettings {
  return typeof settings === 'function' ? settings(env) : settings
}

/** Reports events to those who want them, or to the console. */
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
