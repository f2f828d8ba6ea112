// Sends uploads of all kinds through the Worker in workerd while everything around it fails: the
// list's store answers late, wrongly or not at all; the list is published, rolled back and sealed
// with another key; the origin resets, stalls and answers early; clients disconnect; isolates end.
// Bodies that are too long to hold wait in a bucket.
// The invariants are checked throughout, and at the end whether everything recovers by itself.
//
//   npm run chaos -- [--seconds 180] [--seed 1] [--at-once 8]

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { readModules } from '../src/core/node.ts'
import type { Entry } from '../src/list/entry.ts'
import { keptVersions } from '../src/list/history.ts'
import { readManifest } from '../src/list/manifest.ts'
import { publishBank } from '../src/list/publish.ts'
import { rekey } from '../src/list/rekey.ts'
import { rollBack } from '../src/list/rollback.ts'
import { parseListKeys, SealedStore } from '../src/list/sealing.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { randomEntries } from '../test/support/entries.ts'
import { STAGING_BINDINGS } from '../test/support/gate-harness.ts'
import { picture } from '../test/support/sharp-images.ts'
import { randomFrom } from '../src/util/random.ts'
import { newWatcher } from '../test/support/watcher.ts'
import { workerOf } from '../test/support/workerd.ts'
import { Faults } from './chaos/faults.ts'
import { FaultyOrigin } from './chaos/origin.ts'
import { PictureFinder } from './chaos/picture-finder.ts'
import { FaultyStore } from './chaos/store.ts'
import { type ChaosUpload, digestOf, send, type ChaosAnswer, UploadMaker } from './chaos/uploads.ts'
import { needlesOf } from '../src/scan/scanned.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '180' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '8' },
  },
})
const seconds = Number(values.seconds)
const random = randomFrom(Number(values.seed))

const KEYS = ['ab', 'cd'].map((byte) => byte.repeat(32))
const MIB = 1024 * 1024
/** Bytes allowed for workerd: an isolate's 128 MB, uncollected garbage, and the runtime itself. */
const MAX_MEMORY = 512 * MIB
/**
 * Seconds allowed for recovery: a hanging load is given up after 15, and the next try follows
 * within a minute.
 */
const RECOVERY_SECONDS = 120
/** Seconds after which what a disconnected client held has expired: a permit's 150, and some. */
const IDLE_SECONDS = 160
/** Clients that disconnect at the end, whose uploads must leave nothing behind. */
const LAST_CLIENTS = 16
/** In a run of at least so many seconds, every fault must happen. */
const FULL_RUN_SECONDS = 40
/** Seconds that such a run may take longer for that, on a busy machine. */
const EXTRA_SECONDS = 60
/** Shares of requests that go wrong, phase after phase. */
const PHASES = [
  { atStore: 0.5, atOrigin: 0.6 },
  { atStore: 1, atOrigin: 0.6 },
  { atStore: 0, atOrigin: 0.6 },
  { atStore: 0.1, atOrigin: 0.2 },
  { atStore: 0, atOrigin: 0 },
]
/** Phases after which an isolate ends, one isolate after another. */
const LIVES = [1, 2, 3, 6]
/** What may happen to the list. */
const LIST_CHANGES = ['pushed', 'rolled back', 'rekeyed'] as const

const problems: string[] = []
const outcomes = new Map<string, number>()

const [known, others] = [await pictures(3, 100), await pictures(5, 200)]
const origin = await FaultyOrigin.start(random, new PictureFinder(known))
const store = await FaultyStore.start(random)
const maker = new UploadMaker(random, known, others)
maker.faults.share = 0.2
const listChanges = new Faults(LIST_CHANGES, random)
const knownEntries = await entriesOf(known)
await publish(1)

const watcher = newWatcher()
const options = await workerOptions()
const miniflare = new Miniflare(options)
let url = await miniflare.unsafeGetDirectURL('gate')
let peak = 0
const run = { isOver: false, isRestarting: false }
/** Finished uploads, to be checked when no others are under way. */
const sent: Sent[] = []
let restarts = 0

await Promise.all([
  ...Array.from({ length: Number(values['at-once']) }, keepUploading),
  keepBreaking(),
  keepPublishing(),
  keepMeasuring(),
  endInTime(),
])
const recovered = await recover()
await leaveAll()
await checkIdle()
sent.forEach(check)
for (const what of missing()) problems.push(`never happened: ${what}`)
report()
await miniflare.dispose()
origin.stop()
store.stop()
if (problems.length > 0) process.exitCode = 1

async function endInTime(): Promise<void> {
  await pause(seconds)
  for (let i = 0; i < EXTRA_SECONDS && missing().length > 0; i++) await pause(1)
  run.isOver = true
}

/** Every third is a TIFF, which is held whole. */
async function pictures(count: number, seed: number): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, i) => {
      const one = picture(640, 480, 3, seed + i)
      return (i % 3 === 2 ? one.tiff({ compression: 'none' }) : one.jpeg()).toBuffer()
    }),
  )
}

async function entriesOf(files: readonly Buffer[]): Promise<Entry[]> {
  const modules = readModules()
  const scanned = await Promise.all(files.map((file) => scanFile({ modules }, file)))
  return scanned.flatMap((one, i) =>
    needlesOf(one).map(({ hash }) => {
      return { kind: 'pdq' as const, hash, id: `known-${i}`, labels: {} }
    }),
  )
}

function sealed(keys: readonly string[]): SealedStore {
  return new SealedStore(store.writer, parseListKeys(keys.join(',')))
}

/** Publishes the known pictures, and a few hundred other entries that change each time. */
async function publish(seed: number): Promise<void> {
  const entries = [...knownEntries, ...randomEntries(100 + (seed % 7) * 50, seed)]
  await publishBank(sealed(KEYS), entries, { bank: 'csam' })
}

async function workerOptions() {
  const text = (value: string) => ({ type: 'text' as const, value })
  const settings = {
    list: { refreshSeconds: 1 },
    upload: { maxBufferedBytes: MIB, maxHeldBytes: 8 * MIB, maxWaitSeconds: 10 },
    origin: { timeoutSeconds: 5 },
  }
  const worker = new URL('../test/support/chaos-worker.ts', import.meta.url)
  return {
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: () => undefined,
    workers: [
      await workerOf('gate', worker, {
        LIST_KEY: text(KEYS.toReversed().join(',')),
        ORIGIN_URL: text(origin.url),
        API_KEYS: text(watcher.API_KEYS),
        CHAOS_STORE: text(store.url),
        HASH_LISTS: { type: 'kv', id: 'unused' },
        ...STAGING_BINDINGS,
        HASHGATE: text(JSON.stringify(settings)),
      }),
    ],
  }
}

async function keepUploading(): Promise<void> {
  while (!run.isOver) {
    const upload = maker.next()
    const { path, body, isKnown, departure } = upload
    const [at, before] = [url, restarts]
    const answer = await send(at, upload)
    if (departure && answer === departure) maker.faults.note(departure)
    const key = `${isKnown ? 'known' : 'other'}: ${answer}`
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
    sent.push({ path, isKnown, digest: digestOf(body), answer, key })
    if (answer === 'nothing' && before === restarts)
      problems.push(`${path} (${key}): its client never got an answer`)
    while (run.isRestarting) await pause(0.1)
  }
}

interface Sent extends Pick<ChaosUpload, 'path' | 'isKnown'> {
  digest: string
  answer: ChaosAnswer
  key: string
}

/** Checks what must hold for every upload, whatever happened. */
function check(upload: Sent): void {
  const { path, key, answer } = upload
  const arrived = origin.arrived.get(path) ?? []
  const note = (what: string) => problems.push(`${path} (${key}): ${what}`)
  if (arrived.some(({ hasForbidden }) => hasForbidden)) note('a known picture reached the origin')
  const whole = arrived.filter(({ isComplete }) => isComplete)
  if (upload.isKnown && whole.length > 0) note('it reached the origin complete')
  if (whole.some(({ digest }) => digest !== upload.digest)) note('it was changed')
  if (whole.length > 1) note('it reached the origin twice')
  if (answer === 201 && whole.length === 0) note('it was lost, although its client got 201')
}

/** Turns faults on and off, and ends isolates. */
async function keepBreaking(): Promise<void> {
  for (let phase = 0, born = 0; !run.isOver; phase++) {
    const { atStore = 0, atOrigin = 0 } = PHASES[phase % PHASES.length] ?? {}
    store.faults.share = atStore
    origin.faults.share = atOrigin
    await pause(2 + random() * 2)
    const life = LIVES[restarts % LIVES.length] ?? 1
    if (phase + 1 - born < life) continue
    await restart()
    born = phase + 1
  }
}

async function restart(): Promise<void> {
  restarts++
  run.isRestarting = true
  await miniflare.setOptions(options)
  url = await miniflare.unsafeGetDirectURL('gate')
  run.isRestarting = false
}

/** Publishes, rolls back, and seals with the other key. */
async function keepPublishing(): Promise<void> {
  for (let i = 2; !run.isOver; i++) {
    await pause(2 + random() * 3)
    const change = listChanges.next()
    if (change === 'rekeyed') await rekeyOnce()
    else if (change === 'rolled back') await rollBackOnce()
    else await publish(i)
    if (change) listChanges.note(change)
  }
}

async function rekeyOnce(): Promise<void> {
  const [first = '', second = ''] = KEYS
  await rekey(sealed([second, first]))
  KEYS.reverse()
}

async function rollBackOnce(): Promise<void> {
  const versions = await keptVersions(sealed(KEYS))
  const { version } = await readManifest(sealed(KEYS))
  const earlier = versions.findLast((other) => other < version)
  if (earlier === undefined) throw new RangeError('the list has no earlier version')
  await rollBack(sealed(KEYS), earlier)
}

async function keepMeasuring(): Promise<void> {
  while (!run.isOver) {
    peak = Math.max(peak, memoryNow())
    await pause(0.2)
  }
  if (peak > MAX_MEMORY) problems.push(`workerd took ${Math.round(peak / MIB)} MiB`)
}

/** workerd's memory, in bytes. */
function memoryNow(): number {
  try {
    const pids = execFileSync('pgrep', ['-P', String(process.pid), 'workerd'], { encoding: 'utf8' })
    const sizes = pids.trim().split('\n').map(residentOf)
    return Math.max(0, ...sizes)
  } catch {
    return 0 // it is restarting
  }
}

function residentOf(pid: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

/** Disconnects clients at once, so that `checkIdle` looks at an isolate that had some. */
async function leaveAll(): Promise<void> {
  const uploads = Array.from({ length: LAST_CLIENTS }, () => maker.next(maker.faults.next()))
  await Promise.all(uploads.map((upload) => send(url, upload)))
}

/** Waits until everything works again without faults. Returns the seconds that took. */
async function recover(): Promise<number | undefined> {
  store.faults.share = 0
  origin.faults.share = 0
  const since = performance.now()
  const ask = async (file: Buffer | undefined, name: string) => {
    const body = file ?? Buffer.alloc(0)
    const plain = { headers: {}, body, isKnown: false, isChunked: false, sent: body.length }
    return send(url, { ...plain, path: `/recovery/${name}` })
  }
  for (let i = 0; performance.now() - since < RECOVERY_SECONDS * 1000; i++) {
    const answers = [await ask(known[0], `known-${i}`), await ask(others[0], `other-${i}`)]
    if (answers[0] === 451 && answers[1] === 201) return (performance.now() - since) / 1000
    await pause(0.5)
  }
  problems.push(`it did not work again within ${RECOVERY_SECONDS} seconds`)
  return undefined
}

/**
 * Checks that nothing is held while no upload is under way. The platform may end the upload of a
 * disconnected client without notice. What it held then expires.
 */
async function checkIdle(): Promise<void> {
  const since = performance.now()
  for (;;) {
    const uploads = await usage()
    if (Object.values(uploads).every((amount) => amount === 0)) return
    if (performance.now() - since > IDLE_SECONDS * 1000) {
      problems.push(`although no upload is under way: ${JSON.stringify(uploads)}`)
      return
    }
    await pause(1)
  }
}

/** What the isolate's uploads hold: bytes and places. */
async function usage(): Promise<Record<string, number>> {
  const response = await fetch(new URL('/healthz', url), { headers: watcher.headers })
  const { uploads } = (await response.json()) as { uploads: Record<string, number> }
  return uploads
}

/** Faults that should have happened, and have not. */
function missing(): string[] {
  if (seconds < FULL_RUN_SECONDS) return []
  return happened().flatMap(([what, count]) => (count === 0 ? [what] : []))
}

/** How often each fault has happened. */
function happened(): [what: string, count: number][] {
  const parts = {
    store: store.faults,
    origin: origin.faults,
    client: maker.faults,
    list: listChanges,
  }
  const counted = Object.entries(parts).flatMap(([part, { counts }]) =>
    [...counts].map(([kind, count]): [string, number] => [`${part}: ${kind}`, count]),
  )
  return [...counted, ['isolate: ended', restarts]]
}

function pause(length: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, length * 1000))
}

function report(): void {
  const rows = [...outcomes].toSorted(([a], [b]) => a.localeCompare(b))
  for (const [what, count] of rows) console.log(`${String(count).padStart(6)}  ${what}`)
  console.log(
    happened()
      .map(([what, count]) => `${what} ${count}`)
      .join(', '),
  )
  console.log(`workerd took ${Math.round(peak / MIB)} MiB at most`)
  if (recovered !== undefined)
    console.log(`worked again ${recovered.toFixed(1)} s after the last fault`)
  for (const problem of problems.slice(0, 20)) console.error(`PROBLEM ${problem}`)
  console.log(`chaos: ${problems.length} problems, seed ${values.seed}`)
}
