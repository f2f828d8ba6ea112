// Many large uploads at once through the Worker in workerd, some of them known: is every answer right, and how much memory
// does it take?
//
//   npm run soak -- [--uploads 100] [--megabytes 10]

import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { startGate } from '../test/support/gate-harness.ts'
import { OriginServer } from '../test/support/origin-server.ts'
import { sendUpload } from '../test/support/upload-client.ts'

const { values } = parseArgs({
  options: {
    uploads: { type: 'string', default: '100' },
    megabytes: { type: 'string', default: '10' },
  },
})
const count = Number(values.uploads)
const bytes = Number(values.megabytes) * 1e6
/** Pictures that are made; uploads take turns. */
const PICTURES = 10

/** A JPEG of about so many bytes, unlike the others. */
async function photograph(seed: number): Promise<Buffer> {
  const side = Math.round(Math.sqrt(bytes / 0.62))
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const
  const blocks = Buffer.from(
    Array.from({ length: 48 }, (_, i) => (i * seed * 77 + i * i * 13) % 256),
  )
  const base = await sharp(blocks, { raw: { width: 4, height: 4, channels: 3 } })
    .resize(side, side, { kernel: 'cubic' })
    .png({ compressionLevel: 0 })
    .toBuffer()
  return sharp(base)
    .composite([
      {
        input: { create: { width: side, height: side, channels: 3, background: '#888', noise } },
        blend: 'overlay',
      },
    ])
    .jpeg({ quality: 93 })
    .toBuffer()
}

/** Memory of all processes of workerd, in MB: now, and at its peak. */
function memoryOf(pid: string): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

/** Bytes of uploads that the Worker says it holds. */
async function heldBytes(url: URL): Promise<number> {
  const health = await fetch(new URL('/healthz', url)).catch(() => undefined)
  const { uploads } = ((await health?.json()) ?? {}) as { uploads?: { heldBytes: number } }
  return uploads?.heldBytes ?? 0
}

const pictures: Buffer[] = []
for (let i = 0; i < PICTURES; i++) pictures.push(await photograph(i + 1))
const known = pictures.filter((_, i) => i % 3 === 0)
const origin = await OriginServer.start()
const gate = await startGate(
  { ORIGIN_URL: origin.url, upload: { maxWaitSeconds: 120, clientStallSeconds: 120 } },
  known,
)
const pid = execFileSync('pgrep', ['-P', String(process.pid), 'workerd'], {
  encoding: 'utf8',
}).trim()
try {
  await sendUpload(gate.url, Buffer.from('first')) // the list is loaded
  const before = memoryOf(pid).now
  let heldPeak = 0
  const watch = setInterval(() => {
    void heldBytes(gate.url).then((held) => (heldPeak = Math.max(heldPeak, held)))
  }, 100)
  const begin = performance.now()
  const statuses = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const file = pictures[i % PICTURES] ?? Buffer.alloc(0)
      const { status } = await sendUpload(gate.url, file)
      return status
    }),
  )
  clearInterval(watch)
  const seconds = (performance.now() - begin) / 1000
  const wrong = statuses.filter((status, i) => status !== ((i % PICTURES) % 3 === 0 ? 451 : 201))
  const arrived = origin.received.filter(({ isComplete, body }) => isComplete && body.length > 5)
  const size = (pictures.reduce((sum, { length }) => sum + length, 0) / PICTURES / 1e6).toFixed(1)
  console.log(`${count} uploads of ${size} MB at once, in ${seconds.toFixed(1)} seconds`)
  console.log(`wrong answers: ${wrong.length}${wrong.length > 0 ? ` (${wrong.join(', ')})` : ''}`)
  console.log(
    `arrived whole at the origin: ${arrived.length} of ${statuses.filter((s) => s === 201).length} that were allowed`,
  )
  console.log(`held at most: ${(heldPeak / 1e6).toFixed(1)} MB, of a budget of 33.6 MB`)
  const { peak } = memoryOf(pid)
  console.log(
    `memory of workerd: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at its peak`,
  )
  if (wrong.length > 0) process.exitCode = 1
} finally {
  await gate.close()
  await origin.stop()
}
