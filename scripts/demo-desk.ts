// Shows that a list arrives by itself. Starts a fake exchange server, the desk that reads it, and
// the gate. Uploads a picture that only the exchange knows, withdraws its record, and uploads it
// again. Exits with 1 if anything goes wrong.
//
//   npm run demo:desk

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { createExchangeServer, type ExchangeServer } from '../src/desk/fake/server.ts'
import { FAKE_SECRET, FAKE_USER } from '../src/desk/fake/state.ts'
import { type DevWorker, hashgate, startDevWorker } from './dev-worker.ts'
import { makePictures } from './pictures.ts'

/** Milliseconds allowed for a step. */
const STEP_MS = 60_000
/**
 * Milliseconds to wait for NCMEC's exchange, which leaves out the last five seconds: entries may
 * still arrive for them.
 */
const LAG_MS = 6000
const RECORD = '42-1001'
const TOKEN = crypto.randomUUID()

interface Parts {
  server: ExchangeServer
  desk: DevWorker
  gate: DevWorker
  picture: Uint8Array<ArrayBuffer>
}

const folder = await mkdtemp(join(tmpdir(), 'hashgate-demo-desk-'))
const stops: (() => unknown)[] = []
try {
  process.exitCode = (await demo()) ? 0 : 1
} finally {
  for (const stop of stops) await stop()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

async function demo(): Promise<boolean> {
  const parts = await start()
  const before = await lastComplete(parts)
  await runCron(parts)
  const synced = reportStep('sync', await until(async () => (await lastComplete(parts)) !== before))
  const refused = reportStep('refused', await until(async () => (await upload(parts)) === 451))
  parts.server.providers.ncmec.delete(RECORD)
  console.log(`the provider withdraws record ${RECORD}`)
  await setTimeout(LAG_MS)
  // The cron is not due yet: do what an operator in a hurry does.
  await runCron(parts, true)
  const removed = reportStep('removed', await until(async () => (await upload(parts)) === 201))
  return synced && refused && removed
}

/** Prints a step's outcome, and returns it. */
function reportStep(step: string, isGood: boolean): boolean {
  console.log(`${isGood ? 'ok' : 'NOT ok'}: ${step}`)
  return isGood
}

async function start(): Promise<Parts> {
  console.log('making pictures …')
  const { files } = await makePictures(folder)
  const known = files.find(({ isKnown }) => isKnown)?.path ?? ''
  const [hash = ''] = (await hashgate('hash', known)).split(',')
  const server = createExchangeServer()
  for (let i = 0; i < 40; i++) {
    server.providers.ncmec.put(`42-${i}`, [{ kind: 'md5', value: randomDigits(32) }], 'A2')
  }
  server.providers.ncmec.put(RECORD, [{ kind: 'pdq', value: hash }], 'A1')
  const exchanges = await listen(server)
  await setTimeout(LAG_MS)
  console.log(`the exchange server runs at ${exchanges}, and lists one of the pictures`)

  const listKey = (await hashgate('list', 'key')).trim()
  const shared = { port: 0, persistTo: join(folder, 'state'), listKey }
  const desk = await startDevWorker({
    ...shared,
    config: 'wrangler.desk.toml',
    vars: {
      DESK_KEY: (await hashgate('list', 'key')).trim(),
      DESK_TOKEN: TOKEN,
      NCMEC_PASSWORD: FAKE_SECRET,
      DESK: JSON.stringify({
        exchanges: {
          ncmec: {
            kind: 'ncmec',
            base: `${exchanges}/ncmec`,
            user: FAKE_USER,
            bank: 'csam',
            everyMinutes: 5,
          },
        },
      }),
    },
    onLine: (line) => line.includes('"event":"exchange-') && console.log(`desk: ${line}`),
  })
  stops.push(desk.stop)
  const gate = await startDevWorker({
    ...shared,
    vars: { HASHGATE: JSON.stringify({ list: { refreshSeconds: 1 } }) },
    onLine: () => {},
  })
  stops.push(gate.stop)
  console.log(`the desk runs at ${desk.url}, the gate at ${gate.url}`)
  return { server, desk, gate, picture: new Uint8Array(await readFile(known)) }
}

async function listen({ app }: ExchangeServer): Promise<string> {
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info) => {
      resolve(`http://127.0.0.1:${info.port}`)
    })
    stops.push(() => server.close())
  })
}

/** Runs the desk's cron; with `isLater`, at a time when it is due again. */
async function runCron({ desk }: Parts, isLater = false): Promise<void> {
  const url = new URL('/cdn-cgi/handler/scheduled', desk.url)
  url.searchParams.set('cron', '*/5 * * * *')
  if (isLater) url.searchParams.set('time', String(Date.now() + 3_600_000))
  const response = await fetch(url)
  if (!response.ok) throw new Error(`the desk's cron answers ${response.status}`)
}

/** When the source was last read to its end. */
async function lastComplete({ desk }: Parts): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const response = await fetch(new URL('/status', desk.url), { headers })
  if (!response.ok) throw new Error(`the desk's status answers ${response.status}`)
  const { sources } = (await response.json()) as { sources: { lastComplete?: string }[] }
  return sources[0]?.lastComplete
}

/** Uploads the picture. Returns the gate's status. */
async function upload({ gate, picture }: Parts): Promise<number> {
  const url = new URL(`/${crypto.randomUUID()}.jpg`, gate.url)
  const response = await fetch(url, { method: 'PUT', body: picture })
  await response.arrayBuffer()
  return response.status
}

async function until(condition: () => Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + STEP_MS; Date.now() < end; await setTimeout(500)) {
    if (await condition()) return true
  }
  return false
}

function randomDigits(count: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(count / 2))
  return Buffer.from(bytes).toString('hex')
}
