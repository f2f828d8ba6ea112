// What a service can build without hashgate: a Node server that decodes with sharp, hashes in
// JavaScript, and compares with a list in typed arrays, entry by entry. `node node-server.ts ORIGIN
// ENTRIES pdq|phash`

import { createHash } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import sharp from 'sharp'
import phash from 'sharp-phash'
import { pdq } from '../../test/reference/pdq.ts'
import { fastBytes } from '../match/random.ts'

const [origin = '', count = '0', kind = 'pdq'] = process.argv.slice(2)
/** 32-bit words of a hash. */
const WORDS = kind === 'pdq' ? 8 : 2
const THRESHOLD = kind === 'pdq' ? 31 : 8
const list = new Uint32Array(fastBytes(Number(count) * WORDS * 4, 1).buffer)

async function hashOf(file: Buffer): Promise<Uint32Array> {
  if (kind === 'phash') {
    const bits = await phash(file)
    return Uint32Array.from([0, 1], (word) => parseInt(bits.slice(word * 32, word * 32 + 32), 2))
  }
  const { data } = await sharp(file)
    .greyscale()
    .resize(512, 512, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { hash } = pdq({ rows: 512, cols: 512, luma: Float32Array.from(data) })
  return new Uint32Array(Uint8Array.from(Buffer.from(hash, 'hex')).buffer)
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function isKnown(hash: Uint32Array): boolean {
  for (let at = 0; at < list.length; at += WORDS) {
    let distance = 0
    for (let word = 0; word < WORDS && distance <= THRESHOLD; word++) {
      distance += bitsOf((list[at + word] ?? 0) ^ (hash[word] ?? 0))
    }
    if (distance <= THRESHOLD) return true
  }
  return false
}

const app = new Hono()
app.post('*', async (c) => {
  const file = Buffer.from(await c.req.arrayBuffer())
  createHash('sha256').update(file).digest()
  if (isKnown(await hashOf(file))) return c.json({ status: 451 }, 451)
  const { pathname } = new URL(c.req.url)
  return fetch(new URL(pathname, origin), { method: 'POST', body: file })
})
app.get('*', (c) => fetch(new URL(new URL(c.req.url).pathname, origin)))
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => process.send?.({ port }))
