import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PictureFinder } from '../../scripts/chaos/picture-finder.ts'
import { writeZip } from '../support/archive-writer.ts'
import { randomBytes } from '../support/random.ts'

const PICTURE = Buffer.from(randomBytes(5000, 1))
const finder = new PictureFinder([Buffer.from(randomBytes(5000, 2)), PICTURE])

/** A picture behind some bytes, and before others. */
function within(before: number, after: number): Buffer {
  return Buffer.concat([randomBytes(before, 3), PICTURE, randomBytes(after, 4)])
}

function zipOf(method: number): Buffer {
  const first = { name: 'first', content: randomBytes(100, 5), method }
  return Buffer.from(writeZip([first, { name: 'picture', content: within(9, 9), method }]))
}

const bodies: [what: string, body: Buffer][] = [
  ['itself', within(100, 100)],
  ['lower-case hex', Buffer.from(within(1, 1).toString('hex'))],
  ['upper-case hex', Buffer.from(within(1, 1).toString('hex').toUpperCase())],
  ...[0, 1, 2].map((before): [string, Buffer] => {
    return [`base64 behind ${before} bytes`, Buffer.from(within(before, 1).toString('base64'))]
  }),
  ['gzip', gzipSync(within(9, 9))],
  ['a stored file of a ZIP', zipOf(0)],
  ['a deflated file of a ZIP', zipOf(8)],
]

describe('PictureFinder', () => {
  it.each(bodies)('finds a picture as %s, but not the first half of it', (_, body) => {
    expect(finder.isIn(body)).toBe(true)
    expect(finder.isIn(body.subarray(0, body.length / 2))).toBe(false)
  })

  it('finds nothing in other bodies', () => {
    for (const length of [0, 1, 3, 20_000])
      expect(finder.isIn(Buffer.from(randomBytes(length, 6)))).toBe(false)
  })
})
