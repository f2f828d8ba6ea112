// `import { gate } from 'hashgate'`: the gate as a middleware, for a Worker that has routes of its own.

import type { Context, Env, MiddlewareHandler } from 'hono'
import { modules } from './core/workerd.ts'
import { BadConfigError, HashgateError } from './util/errors.ts'
import { type Config, readConfig } from './config/config.ts'
import type { GateEvent, VerdictEvent } from './events/schema.ts'
import { type NamedSink, reportTo } from './events/report.ts'
import type { FloodNamespace } from './gate/flood/breaker.ts'
import { answerThrough } from './doors/proxy/proxy.ts'
import { quarantineOf } from './quarantine/bindings.ts'
import { sweepQuarantine as sweep } from './quarantine/sweep.ts'
import { type Origin, withBody } from './upload/origin.ts'
import { Uploads } from './upload/uploads.ts'
import { type KvNamespace, KvStore } from './list/kv-store.ts'
import { parseListKeys, SealedStore } from './list/sealing.ts'
import { Quarantine } from './quarantine/quarantine.ts'
import type { ShardNamespace } from './match/sharded-index.ts'
import { type ImagesApi, imagesConverter } from './scan/image/images-binding.ts'

export type { FileEvent, GateEvent, MatchEvent, VerdictEvent } from './events/schema.ts'

/** Whatever a Worker calls its bindings. */
type From<E extends Env, T> = (env: E['Bindings']) => T

export interface GateOptions<E extends Env> {
  /** The KV namespace that the lists are in. */
  hashLists: From<E, object>
  /** The key that the lists are sealed with: the secret LIST_KEY. */
  listKey: From<E, string | undefined>
  /** Settings by their names in the README, such as ON_FAILED or POLICY; where requests go on to is the app's business. */
  settings?: object | From<E, object>
  /** Cloudflare Images, to convert what is not decoded here. */
  images?: From<E, object | undefined>
  /** Durable Objects of class FloodCounter, of `hashgate/objects`. */
  floodCounters?: From<E, object | undefined>
  /** Durable Objects of class ListShard, of `hashgate/objects`. */
  listShards?: From<E, object | undefined>
  /** An R2 bucket for nothing else, to keep what is quarantined, with QUARANTINE_RECIPIENTS among the settings. */
  quarantine?: From<E, object | undefined>
  /** Requests that pass as they are. */
  skip?: (c: Context<E>) => boolean | Promise<boolean>
  /** Told each verdict, as `onEvent` is. */
  onVerdict?: OnEvent<VerdictEvent>
  /** Told everything, verdicts as well; one line of JSON each on the console, if absent. */
  onEvent?: OnEvent<GateEvent>
}

/** Told events, behind the answer. What it does not take, since it throws, rejects or needs over 10 seconds, is on the console. */
export type OnEvent<E extends GateEvent> = (event: E) => unknown

/**
 * Judges requests before what is behind it hears of them, and answers those that are refused. What is behind it finds the body
 * as it came. Options are read once, by the first request of an isolate.
 *
 * A body longer than MAX_BUFFERED_BYTES reaches what is behind while it still comes, without its end: if it is refused then, the
 * stream breaks off, and what was made of it must not stay. Have such bodies refused (MAX_BODY_BYTES), if that cannot be seen to.
 * @throws {BadConfigError | BadListKeyError} by the first request: a setting cannot be used
 * @throws {BodyUsedError} by a request: something before the gate has read its body
 */
export function gate<E extends Env = Env>(options: GateOptions<E>): MiddlewareHandler<E> {
  let made: Made | undefined
  return async (c, next) => {
    made ??= make(options, c.env)
    if (await options.skip?.(c)) return next()
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

/** Somebody has read the body before the gate: there is nothing left to judge, and what was read may be kept already. */
export class BodyUsedError extends HashgateError {
  readonly code = 'body-used'

  constructor() {
    super('the body was read before the gate, which must come before all that reads it')
  }
}

/** Deletes what has expired of what was quarantined: for a trigger, every hour. @throws what R2 fails by */
export function sweepQuarantine(bucket: object, onEvent?: OnEvent<GateEvent>): Promise<void> {
  const quarantine = new Quarantine({ bucket: bucket as R2Bucket, recipients: [], days: 1 })
  return sweep(quarantine, reporterOf({ onEvent }))
}

/** The gate that options describe. */
interface Made {
  uploads: Uploads
  config: Config
}

function make<E extends Env>(options: GateOptions<E>, env: E['Bindings']): Made {
  const { settings = {} } = options
  const hashLists = options.hashLists(env) as KvNamespace | undefined
  if (!hashLists) throw new BadConfigError(['hashLists gives no KV namespace'])
  const images = options.images?.(env) as ImagesApi | undefined
  const shards = options.listShards?.(env) as ShardNamespace | undefined
  const floodCounters = options.floodCounters?.(env) as FloodNamespace | undefined
  const config = readConfig(
    typeof settings === 'function' ? (settings as From<E, object>)(env) : settings,
  )
  const bucket = options.quarantine?.(env) as R2Bucket | undefined
  const quarantine = quarantineOf(config, { ...(bucket && { QUARANTINE: bucket }) })
  const uploads = new Uploads({
    config,
    modules,
    store: new SealedStore(new KvStore(hashLists), parseListKeys(options.listKey(env))),
    ...(images && { convert: imagesConverter(images) }),
    ...(shards && { shards }),
    ...(floodCounters && { floodCounters }),
    ...(quarantine && { quarantine }),
    onEvent: reporterOf(options),
  })
  return { uploads, config }
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
