// Texts in other data: what of it is searched as a text.

import { describe, expect, it } from 'vitest'
import { TextRuns } from '../../src/scan/text/text-runs.ts'
import { randomBytes } from '../support/random.ts'

const binary = (bytes: number, seed = 1) => randomBytes(bytes, seed).map((byte) => byte | 0x80)
const TEXT = Buffer.from('0123456789abcdef'.repeat(100))

/** The texts that are picked from chunks of some length, joined. */
function picked(bytes: Uint8Array, chunk: number): string {
  const texts: Uint8Array[] = []
  const runs = new TextRuns((text) => texts.push(text.slice()))
  for (let at = 0; at < bytes.length; at += chunk) runs.write(bytes.slice(at, at + chunk))
  runs.close()
  return Buffer.concat(texts).toString('latin1')
}

describe.each([1, 7, 64, 65, 1000, 1e6])('texts in other data, in chunks of %i', (chunk) => {
  it.each([0, 1, 63, 64, 65, 100])(
    'have one byte of it on each side: from byte %i on',
    (before) => {
      const [head, tail] = [binary(before, 2), binary(200, 3)]
      const bytes = Buffer.concat([head, TEXT, tail])
      const expected = Buffer.concat([head.subarray(-1), TEXT, tail.subarray(0, 1)])
      expect(picked(bytes, chunk)).toBe(expected.toString('latin1'))
    },
  )

  it('lose nothing to a letter that is not ASCII', () => {
    const bytes = Buffer.from(`${'x'.repeat(200)}é${'y'.repeat(200)}€${'z'.repeat(200)}`)
    expect(picked(bytes, chunk).replaceAll(/[\x80-\xff]/g, '')).toBe(
      `${'x'.repeat(200)}${'y'.repeat(200)}${'z'.repeat(200)}`,
    )
  })

  it('end with the data, whole', () => {
    expect(picked(Buffer.concat([binary(100), TEXT]), chunk).slice(1)).toBe(TEXT.toString())
  })

  it('are not found in noise', () => {
    expect(picked(binary(5000), chunk)).toBe('')
  })
})
