// Sends many large uploads at once through the Worker in workerd, some of them known. Is every
// answer right, do the allowed ones arrive intact, and how much memory does it take? Exits with 1
// if a known picture gets anything but 451, or an allowed one does not arrive byte for byte.
//
//   npm run soak -- [--uploads 100] [--megabytes 10]

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import sharp from 'sharp'
import { startGate } from '../test/support/gate-harness.ts'
import { OriginServer } from '../test/support/origin-server.ts'
import { scene } from '../test/support/scene.ts'
import { sendUpload } from '../test/support/upload-client.ts'
import { newWatcher } from '../test/support/watcher.ts'

const { values } = parseArgs({
  options: {
    uploads: { type: 'string', default: '100' },
    megabytes: { type: 'string', default: '10' },
  },
})
const count = Number(values.uploads)
const bytes = Number(values.megabytes) * 1e6
/** Number of different pictures; uploads take turns. */
const PICTURES = 10
/** Size of such a picture at JPEG quality 93. */
const BYTES_A_PIXEL = 0.62

function isKnown(picture: number): boolean {
  return picture % 3 === 0
}

function digest(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

/**
 * A JPEG of roughly this many bytes, different from the others: a scene enlarged to a camera's
 * size, with a sensor's noise.
 */
function photograph(seed: number): Promise<Buffer> {
  const small = scene(800, 600, 3, seed)
  const width = Math.round(Math.sqrt(bytes / BYTES_A_PIXEL / 0.75))
  const height = Math.round(width * 0.75)
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const
  const { data, ...raw } = small
  return sharp(data, { raw })
    .resize(width, height, { kernel: 'cubic' })
    .composite([
      {
        input: { create: { width, height, channels: 3, background: '#888', noise } },
        blend: 'overlay',
      },
    ])
    .jpeg({ quality: 93 })
    .toBuffer()
}

/** Memory of all workerd processes, in MB: now, and at the peak. */
function memoryOf(pid: string): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

/** Bytes of uploads that the Worker reports as held. */
async function heldBytes(url: URL): Promise<number> {
  const { headers } = watcher
  const health = await fetch(new URL('/healthz', url), { headers }).catch(() => undefined)
  const { uploads } = ((await health?.json()) ?? {}) as { uploads?: { heldBytes: number } }
  return uploads?.heldBytes ?? 0
}

const pictures: Buffer[] = []
for (let i = 0; i < PICTURES; i++) pictures.push(await photograph(i + 1))
/** The picture that an upload sends. */
function pictureOf(upload: number): Buffer {
  return pictures[upload % PICTURES] ?? Buffer.alloc(0)
}

const known = pictures.filter((_, i) => isKnown(i))
const watcher = newWatcher()
const origin = await OriginServer.start()
const gate = await startGate(
  {
    ORIGIN_URL: origin.url,
    API_KEYS: watcher.API_KEYS,
    upload: { maxWaitSeconds: 120, clientStallSeconds: 120 },
  },
  known,
)
const pid = execFileSync('pgrep', ['-P', String(process.pid), 'workerd'], {
  encoding: 'utf8',
}).trim()
try {
  await sendUpload(gate.url, Buffer.from('first')) // loads the list
  const before = memoryOf(pid).now
  let heldPeak = 0
  const watch = setInterval(() => {
    void heldBytes(gate.url).then((held) => (heldPeak = Math.max(heldPeak, held)))
  }, 100)
  const begin = performance.now()
  const statuses = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const { status } = await sendUpload(gate.url, pictureOf(i))
      return status
    }),
  )
  clearInterval(watch)
  const seconds = (performance.now() - begin) / 1000
  const expected = statuses.map((_, i) => (isKnown(i % PICTURES) ? 451 : 201))
  const wrong = statuses.filter((status, i) => status !== expected[i])
  const allowed = expected.flatMap((status, i) => (status === 201 ? [pictureOf(i)] : []))
  const arrived = origin.received.filter(({ isComplete }) => isComplete).map(({ body }) => body)
  const isWhole = isDeepStrictEqual(
    arrived.slice(1).map(digest).toSorted(), // without the first, which loaded the list
    allowed.map(digest).toSorted(),
  )
  const size = (pictures.reduce((sum, { length }) => sum + length, 0) / PICTURES / 1e6).toFixed(1)
  console.log(`${count} uploads of ${size} MB at once, in ${seconds.toFixed(1)} seconds`)
  console.log(`wrong answers: ${wrong.length}${wrong.length > 0 ? ` (${wrong.join(', ')})` : ''}`)
  console.log(
    `arrived at the origin: ${arrived.length - 1} of ${allowed.length} allowed uploads, ${isWhole ? 'byte for byte' : 'NOT as they were sent'}`,
  )
  console.log(`held at most: ${(heldPeak / 1e6).toFixed(1)} MB, of a budget of 33.6 MB`)
  const { peak } = memoryOf(pid)
  console.log(
    `memory of workerd: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at its peak`,
  )
  if (wrong.length > 0 || !isWhole) process.exitCode = 1
} finally {
  await gate.close()
  await origin.stop()
}
