// The uploads that cost most for their size: workerd's CPU time for each. Reads /proc: Linux only.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { writeZip } from '../test/support/archive-writer.ts'
import { startGate } from '../test/support/gate-harness.ts'
import { picture } from '../test/support/sharp-images.ts'
import { sendUpload } from '../test/support/upload-client.ts'
import { printTable } from './measure.ts'

/** Clock ticks per second in /proc, on every Linux that Node runs on. */
const TICKS = 100

const ENTRIES = 1_000_000
const MIB = 1024 * 1024

/** The report of `npm run bench -- worst`. */
export async function benchWorst(): Promise<void> {
  const gate = await startGate({ scan: { probes: 'wide' } }, [], ENTRIES)
  const pid = execFileSync('pgrep', ['-P', String(process.pid), 'workerd'], { encoding: 'utf8' })
  const rows: string[][] = []
  try {
    await sendUpload(gate.url, Buffer.from('first')) // loads the list
    for (const [name, { body, headers = {} }] of Object.entries(await worstBodies())) {
      const before = ticksOf(pid.trim())
      const { status } = await sendUpload(gate.url, body, { headers })
      const seconds = (ticksOf(pid.trim()) - before) / TICKS
      rows.push([name, (body.length / 1e6).toFixed(2), seconds.toFixed(2), String(status)])
      const line = gate.log.findLast((event) => event.includes('"verdict"')) ?? '{}'
      const { reason, files = [] } = JSON.parse(line) as { reason?: string; files?: object[] }
      rows.at(-1)?.push(`${reason}, ${files.length} files reported`)
    }
  } finally {
    await gate.close()
  }
  console.log(`### Uploads that are made to cost, wide probes, ${ENTRIES / 1e6} million hashes\n`)
  printTable(['upload', 'MB', 'CPU s', 'status', 'verdict'], rows)
}

interface Body {
  body: Uint8Array
  headers?: Record<string, string>
}

async function worstBodies(): Promise<Record<string, Body>> {
  const blank = sharp({ create: { width: 1140, height: 1140, channels: 3, background: '#777' } })
  const avif = await blank.clone().avif().toBuffer()
  const webp = await blank.clone().webp().toBuffer()
  const small = await picture(96, 96, 3, 1).jpeg().toBuffer()
  const large = await sharp(await picture(800, 600, 3, 2).png().toBuffer())
    .resize(4032, 3024)
    .jpeg({ quality: 30, progressive: true })
    .toBuffer()
  const many = (count: number, content: Uint8Array, method = 0) =>
    writeZip(Array.from({ length: count }, (_, i) => ({ name: `${i}`, content, method })))
  const hex = Buffer.from(
    Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))).toString('hex'),
  )
  const texts = Buffer.concat(Array<Buffer>(2000).fill(hex))
  return {
    '4,000 blank AVIF in a ZIP': { body: many(4000, avif) },
    '4,000 blank WebP in a ZIP': { body: many(4000, webp) },
    '4,000 small JPEG in a ZIP': { body: many(4000, small) },
    'the same, in a ZIP that is packed': { body: many(1, many(4000, small), 8) },
    '60 progressive JPEG of 12 megapixels': { body: many(60, large) },
    '2,000 small JPEG behind one another': { body: Buffer.concat(Array<Buffer>(2000).fill(small)) },
    '250 MB of text in a ZIP': { body: many(1, texts, 8) },
    '100 MB of text by gzip': {
      body: gzipSync(texts.subarray(0, 100 * MIB)),
      headers: { 'content-encoding': 'gzip' },
    },
    '8 MiB of a&': {
      body: Buffer.from('a&'.repeat(4 * MIB)),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    '8 MiB of empty strings in JSON': {
      body: Buffer.from(`[${'"",'.repeat(2_700_000)}""]`),
      headers: { 'content-type': 'application/json' },
    },
  }
}

function ticksOf(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}
