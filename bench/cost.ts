// What uploads cost at Cloudflare: workerd's CPU time for each, and the price of a million.

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { startGate } from '../test/support/gate-harness.ts'
import { sendUpload } from '../test/support/upload-client.ts'
import { largePhoto, photoOf, smallPhoto } from './inputs.ts'
import { cpuMsOf } from './cpu.ts'
import { startChild } from './gate/child.ts'
import { printTable } from './measure.ts'

const ENTRIES = 1_000_000
const UPLOADS = 200
const WARM_UP = 50

/**
 * US dollars beyond what the paid plan includes: 10 million requests and 30 million milliseconds a
 * month.
 */
const PRICES = { millionRequests: 0.3, millionCpuMs: 0.02 }

/** First uploads of a new isolate, printed one by one. */
const FIRST_UPLOADS = [1, 2, 3, 5, 10, 20, 50]

/** The report of `npm run bench -- cost`. */
export async function benchCost(): Promise<void> {
  const origin = await startChild('origin.ts')
  const photo = await largePhoto()
  const gate = await startGate({ ORIGIN_URL: origin.url }, [photo], ENTRIES)
  const pid = execFileSync('pgrep', ['-P', String(process.pid), 'workerd'], { encoding: 'utf8' })
  const files: Record<string, Buffer> = {
    'a photograph of 1.2 megapixels': await photoOf(1280, 960),
    'one of 1.6 megapixels': await smallPhoto(),
    'one of 12 megapixels': await photoOf(4032, 3024),
    'the same that is known: refused': photo,
    '10 MB of no known format': randomBytes(10_000_000),
    '1 KB of text': Buffer.alloc(1000, 'text '),
  }
  const rows: string[][] = []
  try {
    await showFirst(pid.trim(), () => sendUpload(gate.url, files['one of 1.6 megapixels'] ?? photo))
    for (const file of Object.values(files)) await sendUpload(gate.url, file) // loads the list and compiles code
    for (const [name, file] of Object.entries(files)) {
      const cpuMs = await cpuOf(pid.trim(), () => sendUpload(gate.url, file))
      const dollars = PRICES.millionRequests + cpuMs * PRICES.millionCpuMs
      rows.push([name, (file.length / 1e6).toFixed(2), cpuMs.toFixed(1), dollars.toFixed(2)])
    }
    const get = await cpuOf(pid.trim(), async () => (await fetch(gate.url)).arrayBuffer())
    const dollars = PRICES.millionRequests + get * PRICES.millionCpuMs
    rows.push(['a GET, not gated', '', get.toFixed(1), dollars.toFixed(2)])
  } finally {
    origin.process.kill()
    await gate.close()
  }
  console.log(
    `### Uploads one after another, default probes, ${ENTRIES / 1e6} million hashes: CPU time of all of workerd\n`,
  )
  printTable(['upload', 'MB', 'CPU ms each', '$ a million'], rows)
}

/**
 * What an isolate's first uploads cost: it loads the list, compiles code, and touches memory for
 * the first time.
 */
async function showFirst(pid: string, upload: () => Promise<unknown>): Promise<void> {
  const rows: string[][] = []
  for (let number = 1; number <= Math.max(...FIRST_UPLOADS); number++) {
    const [before, begin] = [cpuMsOf(pid), performance.now()]
    await upload()
    const [cpu, wall] = [cpuMsOf(pid) - before, performance.now() - begin]
    if (FIRST_UPLOADS.includes(number)) {
      rows.push([`number ${number}`, cpu.toFixed(1), wall.toFixed(1)])
    }
  }
  console.log('### First uploads of an isolate, 1.6 megapixels: number 1 loads the list\n')
  printTable(['upload', 'CPU ms', 'ms'], rows)
}

/**
 * Milliseconds of CPU time that a process takes for each of many rounds, in all its threads and in
 * the kernel.
 */
async function cpuOf(pid: string, round: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < WARM_UP; i++) await round()
  const before = cpuMsOf(pid)
  for (let i = 0; i < UPLOADS; i++) await round()
  return (cpuMsOf(pid) - before) / UPLOADS
}
