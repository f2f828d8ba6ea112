// The gate: uploads per second and their duration, compared with the same Worker merely passing
// requests on, and with Node servers that do the same job.

import autocannon from 'autocannon'
import { Log, LogLevel, Miniflare } from 'miniflare'
import sharp from 'sharp'
import { startGate } from '../test/support/gate-harness.ts'
import { workerOf } from '../test/support/workerd.ts'
import { startChild } from './gate/child.ts'
import { largePhoto } from './inputs.ts'
import { Bars } from './bars.ts'
import { printTable } from './measure.ts'

const ENTRIES = 1_000_000
const CONNECTIONS = [1, 8, 64]
const SECONDS = 8
/** Of the uploads. */
const PHOTO_BYTES = 200_000
const PHOTOS = 12

/** The Node servers that the uploads per second are compared with, at this many connections. */
const COMPARED_CONNECTIONS = 8
const COMPARED = ['Node: Hono, sharp, PDQ in TypeScript', 'Node: Hono, sharp-phash (64 bits)']
const ADDED = 'added by the gate to a request that is not gated, ms'
const UNGATED_ROUNDS = 3

interface Measured {
  perSecond: number
  p50: number
  p99: number
}

/** The report of `npm run bench -- gate`. */
export async function benchGate(): Promise<void> {
  const photos = await manyPhotos()
  const origin = await startChild('origin.ts')
  const gate = await startGate({ ORIGIN_URL: origin.url }, photos.slice(0, 1), ENTRIES)
  const proxy = await startGate({ ORIGIN_URL: origin.url, upload: { methods: ['DELETE'] } }, [], 1)
  const bare = await startBareWorker(origin.url)
  const pdq = await startChild('node-server.ts', origin.url, String(ENTRIES), 'pdq')
  const phash = await startChild('node-server.ts', origin.url, String(ENTRIES), 'phash')
  try {
    const contenders = {
      hashgate: gate.url.href,
      'the Worker, merely passing on': proxy.url.href,
      'Node: Hono, sharp, PDQ in TypeScript': pdq.url,
      'Node: Hono, sharp-phash (64 bits)': phash.url,
      'the origin itself': origin.url,
    }
    const bars = new Bars()
    await showUploads(contenders, photos.slice(1), bars)
    showWaits(gate.log)
    await showUngated({ hashgate: gate.url.href, bare: bare.url, origin: origin.url }, bars)
    console.log('### Bars\n')
    printTable(['what', 'value', 'bar', ''], [...bars.rows])
  } finally {
    for (const { process } of [origin, pdq, phash]) process.kill()
    await gate.close()
    await proxy.close()
    await bare.close()
  }
}

async function showUploads(
  contenders: Record<string, string>,
  photos: readonly Buffer[],
  bars: Bars,
): Promise<void> {
  const rows: string[][] = []
  const rates: Record<string, number> = {}
  for (const connections of CONNECTIONS) {
    for (const [name, url] of Object.entries(contenders)) {
      const { perSecond, p50, p99 } = await load(url, connections, photos)
      rates[`${name}/${connections}`] = perSecond
      rows.push([name, String(connections), perSecond.toFixed(0), p50.toFixed(1), p99.toFixed(1)])
    }
  }
  console.log(
    `### Uploads of photographs of ${PHOTO_BYTES / 1000} KB, ${ENTRIES / 1e6} million hashes\n`,
  )
  printTable(['through', 'connections', 'uploads a second', 'p50, ms', 'p99, ms'], rows)
  const ours = rates[`hashgate/${COMPARED_CONNECTIONS}`] ?? 0
  for (const name of COMPARED) {
    const theirs = rates[`${name}/${COMPARED_CONNECTIONS}`] ?? 0
    bars.check(`uploads, ${COMPARED_CONNECTIONS} connections, ratio to ${name}`, ours / theirs)
  }
}

/** How long complete uploads waited for their verdicts, from the Worker's own events. */
function showWaits(log: readonly string[]): void {
  const waits = log
    .map((line) => JSON.parse(line) as { afterLastByteMs?: number })
    .flatMap(({ afterLastByteMs }) => afterLastByteMs ?? [])
    .toSorted((a, b) => a - b)
  const at = (share: number) => String(waits[Math.floor(waits.length * share)] ?? 0)
  console.log('### From the last byte of an upload to its verdict, ms\n')
  printTable(['uploads', 'p50', 'p99'], [[String(waits.length), at(0.5), at(0.99)]])
}

/** What the gate adds to an ungated request: the rest is what any Worker takes. */
async function showUngated(
  urls: { hashgate: string; bare: string; origin: string },
  bars: Bars,
): Promise<void> {
  const times = { hashgate: Infinity, bare: Infinity, origin: Infinity }
  for (let round = 0; round < UNGATED_ROUNDS; round++) {
    for (const name of ['hashgate', 'bare', 'origin'] as const) {
      const { perSecond } = await load(urls[name], 1)
      times[name] = Math.min(times[name], 1000 / perSecond)
    }
  }
  const added = times.hashgate - times.bare
  console.log('### A request that is not gated\n')
  printTable(
    ['through', 'ms'],
    [
      ['hashgate', times.hashgate.toFixed(3)],
      ['a Worker of three lines', times.bare.toFixed(3)],
      ['the origin itself', times.origin.toFixed(3)],
      ['added by the gate', bars.check(ADDED, added, 3)],
    ],
  )
}

/**
 * Sends requests for some seconds over `connections` connections: uploads of different photographs,
 * or GETs if there are none.
 */
async function load(
  url: string,
  connections: number,
  photos: readonly Buffer[] = [],
): Promise<Measured> {
  const headers = { 'content-type': 'image/jpeg' }
  const requests = photos.map((body) => ({
    method: 'POST' as const,
    path: '/files',
    headers,
    body,
  }))
  const options = { url, connections, ...(requests.length > 0 && { requests }) }
  await autocannon({ ...options, duration: 2 }) // loads the list and compiles code
  const result = await autocannon({ ...options, duration: SECONDS })
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`)
  }
  const { p50, p99 } = result.latency
  return { perSecond: result.requests.total / result.duration, p50, p99 }
}

/** Photographs of about PHOTO_BYTES that all look different. */
async function manyPhotos(): Promise<Buffer[]> {
  const photo = sharp(await largePhoto()).rotate()
  const { width, height } = await photo.metadata()
  const make = async (i: number) => {
    const part = {
      left: Math.floor((i / PHOTOS) * width * 0.5),
      top: Math.floor((((i * 5) % PHOTOS) / PHOTOS) * height * 0.5),
      width: Math.floor(width / 2),
      height: Math.floor(height / 2),
    }
    const cut = photo.clone().extract(part).resize(1280, 960)
    for (let quality = 95; ; quality -= 5) {
      const file = await cut.clone().jpeg({ quality }).toBuffer()
      if (file.length <= PHOTO_BYTES || quality <= 20) return file
    }
  }
  return Promise.all(Array.from({ length: PHOTOS }, (_, i) => make(i)))
}

async function startBareWorker(
  origin: string,
): Promise<{ url: string; close: () => Promise<void> }> {
  const entry = new URL('gate/bare-worker.ts', import.meta.url)
  const env = { ORIGIN_URL: { type: 'text', value: origin } as const }
  const miniflare = new Miniflare({
    log: new Log(LogLevel.NONE),
    workers: [await workerOf('bare', entry, env)],
  })
  const url = await miniflare.unsafeGetDirectURL('bare')
  return { url: url.href, close: () => miniflare.dispose() }
}
