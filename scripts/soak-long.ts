// Sends many uploads at once that are too long to be held, and wait in a bucket until their verdict:
// with a length and without, of formats that are decoded while they arrive and of others. Exits with
// 1 if a known picture gets anything but 451 or reaches the origin, another does not arrive byte for
// byte, or the isolate needs more memory than it has beside a list.
//
//   npm run soak:long -- [--uploads 12]

import { createHash, randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { readModules } from '../src/core/node.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { MEASURED_WORKER, STAGING_BINDINGS, startGateWith } from '../test/support/gate-harness.ts'
import { exposeGc, IsolateWatch, totalBytes } from '../test/support/isolate-memory.ts'
import { OriginServer } from '../test/support/origin-server.ts'
import { largePicture } from '../test/support/sharp-images.ts'
import { sendUpload } from '../test/support/upload-client.ts'

const MIB = 1024 * 1024
/** What an isolate has, less 16 MB for a list of a million: docs/limits.md. */
const MAX_MEMORY = 128e6 - 16e6
const CHUNK_BYTES = 50_000

const { values } = parseArgs({ options: { uploads: { type: 'string', default: '12' } } })

/** An upload, and the bytes that its origin must never have. */
interface LongUpload {
  name: string
  body: Buffer
  picture: Buffer
  isKnown: boolean
  isChunked: boolean
}

/** Files of a picture, and bytes that make them long. */
const FORMS: Record<
  string,
  (picture: ReturnType<typeof largePicture>) => Promise<[Buffer, Buffer]>
> = {
  'JPEG, noise behind it': async (picture) => [
    await picture.jpeg().toBuffer(),
    randomBytes(17 * MIB),
  ],
  'TIFF of 12 MB': async (picture) => [
    await picture.resize(2000, 2000).tiff({ compression: 'none' }).toBuffer(),
    Buffer.alloc(6 * MIB),
  ],
  'AVIF that goes on for 6 MiB': async (picture) => {
    const free = Buffer.alloc(6 * MIB)
    free.writeUInt32BE(free.length)
    free.write('free', 4)
    const avif = await picture.avif({ effort: 0, quality: 80 }).toBuffer()
    return [Buffer.concat([avif, free]), Buffer.alloc(6 * MIB)]
  },
  'WebP behind noise': async (picture) => [
    randomBytes(17 * MIB),
    await picture.webp({ quality: 95 }).toBuffer(),
  ],
}

exposeGc()
const uploads: LongUpload[] = []
for (const [form, make] of Object.entries(FORMS))
  for (const seed of [1, 2]) {
    const parts = await make(largePicture(640, 480, seed))
    const picture = form.endsWith('noise') ? parts[1] : parts[0]
    for (const isChunked of [false, true]) {
      const isKnown = seed === 1
      const name = `${form}, ${isChunked ? 'no length' : 'a length'}, ${isKnown ? 'known' : 'other'}`
      uploads.push({ name, body: Buffer.concat(parts), picture, isKnown, isChunked })
    }
  }
const modules = readModules()
const scanned = await scanFile({ modules }, await largePicture(640, 480, 1).png().toBuffer())
const needles = scanned.coverage === 'scanned' ? scanned.needles : []
const entries = needles.map(({ hash }) => ({ kind: 'pdq' as const, hash, id: 'a', labels: {} }))

const origin = await OriginServer.start()
const gate = await startGateWith(
  { ORIGIN_URL: origin.url, upload: { maxWaitSeconds: 120, clientStallSeconds: 120 } },
  entries,
  STAGING_BINDINGS,
  [],
  MEASURED_WORKER,
)
const problems: string[] = []
try {
  await sendUpload(gate.url, Buffer.from('first')) // loads the list
  origin.clear()
  const memory = await IsolateWatch.of(gate)
  const before = await memory.measure()
  memory.watch()
  await Promise.all(
    Array.from({ length: Number(values.uploads) }, (_, i) => uploads[i % uploads.length])
      .filter((upload) => upload !== undefined)
      .map(send),
  )
  await memory.stop()
  const { peak, measurements } = memory
  console.log(`${values.uploads} uploads of 18 to 23 MB at once, measured ${measurements} times`)
  console.log(`memory in use before: ${megabytes(totalBytes(before))}`)
  console.log(
    `at the peak: ${megabytes(totalBytes(peak))} (heap ${megabytes(peak.heap)}, buffers ${megabytes(peak.buffers)}, WebAssembly ${megabytes(peak.wasm)})`,
  )
  if (totalBytes(peak) > MAX_MEMORY)
    problems.push(`the isolate needs over ${megabytes(MAX_MEMORY)}`)
} finally {
  await gate.close()
  await origin.stop()
}
for (const problem of problems) console.error(`PROBLEM ${problem}`)
if (problems.length > 0) process.exitCode = 1

async function send(upload: LongUpload, i: number): Promise<void> {
  const { name, body, picture, isKnown, isChunked } = upload
  const path = `/${i}`
  const chunks = Array.from({ length: Math.ceil(body.length / CHUNK_BYTES) }, () => CHUNK_BYTES)
  const answer = await sendUpload(new URL(path, gate.url), body, isChunked ? { chunks } : {}).catch(
    () => undefined, // who is refused while sending may not read the answer
  )
  const arrived = origin.received.filter(({ url }) => url === path)
  const note = (what: string) => problems.push(`${name}: ${what}`)
  if (isKnown) {
    if (answer && answer.status !== 451) note(`its client got ${answer.status}`)
    const start = picture.subarray(0, 64)
    if (arrived.some((one) => one.isComplete || one.body.includes(start)))
      note('some of it reached the origin')
    return
  }
  if (answer?.status !== 201) note(`its client got ${answer?.status ?? 'no answer'}`)
  const [whole, second] = arrived.filter(({ isComplete }) => isComplete)
  if (!whole || second || digest(whole.body) !== digest(body)) note('it did not arrive whole')
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
