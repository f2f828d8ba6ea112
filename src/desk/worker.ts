import { Hono } from 'hono'
import background from '../../assets/background.bin'
import { bearerAuth } from 'hono/bearer-auth'
import { HTTPException } from 'hono/http-exception'
import { timingSafeEqual } from 'hono/utils/buffer'
import { logEvent } from '../events/report.ts'
import type { GateEvent } from '../events/schema.ts'
import { stampEvent } from '../events/stamp.ts'
import { EntryGuard } from '../list/entry-guard.ts'
import { type KvNamespace, KvStore } from '../list/kv-store.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import { BadConfigError, describeError, HashgateError } from '../util/errors.ts'
import { type Desk, runSource, exchangeSettings } from './desk.ts'
import { sendFeedback } from './feedback.ts'
import type { World } from './exchanges/exchange.ts'
import type { Database } from './ledger/database.ts'
import { Ledger } from './ledger/ledger.ts'
import { findSource } from './ledger/source.ts'
import { misspeltDeskNames, readDeskSettings } from './settings.ts'
import { healthOf, deskStatus } from './status.ts'

/** Bindings of the desk. Secrets of sources are beside them, under the names in the settings. */
export interface DeskBindings {
  LEDGER?: Database
  HASH_LISTS?: KvNamespace
  SYNC_QUEUE?: Queue<SyncMessage>
  /** The queue of events, if the gate has one. */
  EVENT_QUEUE?: Queue<GateEvent>
  LIST_KEY?: string
  DESK_KEY?: string
  /** Token for /status. */
  DESK_TOKEN?: string
  DESK?: unknown
}

export interface SyncMessage {
  exchange: string
}

/** Seconds until a source that another run is reading is checked again. */
const BUSY_SECONDS = 60

const world: World = {
  fetch: (request) => fetch(request),
  now: () => Date.now(),
  sleep: (ms) => scheduler.wait(ms),
}

let guard: EntryGuard | undefined

/** @throws {BadConfigError} a binding is missing, or a setting is wrong */
async function deskOf(env: DeskBindings): Promise<Desk & { queue: Queue<SyncMessage> }> {
  const { LEDGER, HASH_LISTS, SYNC_QUEUE } = env
  const settings = readDeskSettings(env)
  const problems = misspeltDeskNames(env, settings)
  if (!LEDGER || !HASH_LISTS || !SYNC_QUEUE || problems.length > 0) {
    const missing = Object.entries({ LEDGER, HASH_LISTS, SYNC_QUEUE }).filter(([, bound]) => !bound)
    throw new BadConfigError([...missing.map(([name]) => `${name} is not bound`), ...problems])
  }
  return {
    settings,
    ledger: await Ledger.open(LEDGER, env.DESK_KEY),
    store: new SealedStore(new KvStore(HASH_LISTS), parseListKeys(env.LIST_KEY)),
    guard: (guard ??= new EntryGuard(new Uint8Array(background))),
    env,
    world,
    queue: SYNC_QUEUE,
    report: (happening) => {
      const event = stampEvent(happening)
      logEvent(event)
      // Events that the queue does not take are still in the log.
      env.EVENT_QUEUE?.send(event, { contentType: 'json' }).catch(() => undefined)
    },
  }
}

/**
 * Queues the sources that are due, and reports those that are out of date.
 * @param now scheduled time of the cron, in milliseconds since 1970
 */
async function schedule(env: DeskBindings, now: number): Promise<void> {
  const desk = await deskOf(env)
  for (const [name, settings] of Object.entries(desk.settings.exchanges)) {
    const source = await findSource(desk.ledger.db, name)
    const age = source?.completedAt === undefined ? undefined : (now - source.completedAt) / 1000
    const isStale = age !== undefined && age > settings.maxAgeHours * 3600
    if (isStale || (age === undefined && healthOf(source, age, settings.maxAgeHours) === 'red')) {
      desk.report({
        event: 'exchange-stale',
        exchange: name,
        maxAgeHours: settings.maxAgeHours,
        ...(age !== undefined && { ageSeconds: Math.round(age) }),
        ...(source?.failure !== undefined && { error: source.failure }),
      })
    }
    const last = source?.attemptedAt ?? 0
    const due = Math.max(last + settings.everyMinutes * 60_000, source?.retryAt ?? 0)
    // A failed source waits for its own retry time. A cron that fires a little early still counts.
    const isDue = now + 30_000 >= (source?.failure === undefined ? due : (source.retryAt ?? due))
    const isCutOff = source?.isRunning === true && source.failure === undefined
    if (settings.kind === 'vics') continue // a person imports it
    if (isDue || isCutOff) await desk.queue.send({ exchange: name })
  }
}

/** Reads a source. If more is left, it is queued again. */
async function consume(message: Message<SyncMessage>, env: DeskBindings): Promise<void> {
  const { exchange: name } = message.body
  try {
    const desk = await deskOf(env)
    const { sync, publication } = await runSource(desk, name)
    const hasFeedback =
      sync.state === 'complete' && exchangeSettings(desk, name).feedback === 'send'
    if (hasFeedback) await sendFeedback(desk, name)
    if (sync.state === 'busy') return message.retry({ delaySeconds: BUSY_SECONDS })
    const isUnfinished = sync.state === 'more' || publication?.isComplete === false
    if (isUnfinished) await desk.queue.send({ exchange: name })
    message.ack()
  } catch (error) {
    if (!(error instanceof HashgateError)) throw error
    // Retrying would not help: a setting, a secret or a binding is wrong.
    console.error(`exchange ${name}: ${describeError(error)}`)
    message.ack()
  }
}

/** Whether all sources are healthy, for a probe: it learns nothing else. */
async function health(env: DeskBindings): Promise<boolean> {
  return (await deskStatus(await deskOf(env))).every((source) => source.health !== 'red')
}

const app = new Hono<{ Bindings: DeskBindings }>()

app.get('/health', async (context) => {
  const isWell = await health(context.env)
  return context.json({ ok: isWell }, isWell ? 200 : 503, { 'cache-control': 'no-store' })
})

/** Minimum length of DESK_TOKEN; a shorter one is rejected. */
const MIN_TOKEN_LENGTH = 32

const verifyToken = (token: string, { env }: { env: unknown }) => {
  const { DESK_TOKEN: wanted = '' } = env as DeskBindings
  return wanted.length >= MIN_TOKEN_LENGTH && timingSafeEqual(token, wanted)
}
app.use('/status', bearerAuth({ verifyToken }))

app.get('/status', async (context) => {
  const desk = await deskOf(context.env)
  return context.json({ sources: await deskStatus(desk) }, 200, { 'cache-control': 'no-store' })
})

app.onError((error, context) => {
  if (error instanceof HTTPException) return error.getResponse()
  console.error(describeError(error))
  return context.json({ error: 'the desk is not ready; its log says why' }, 503)
})

/** The operators' Worker: it reads hash lists from their sources and publishes them. */
export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  async scheduled({ scheduledTime }, env) {
    await schedule(env, scheduledTime)
  },
  async queue(batch, env) {
    for (const message of batch.messages) await consume(message, env)
  },
} satisfies ExportedHandler<DeskBindings, SyncMessage>
