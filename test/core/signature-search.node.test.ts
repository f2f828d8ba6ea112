import { describe, expect, it } from 'vitest'
import { readModules } from '../../src/core/node.ts'
import { pick } from '../fuzz/choose.ts'
import { randomFrom } from '../support/random.ts'

const { search } = readModules()
const PAIRS = ['\xd8\xff', 'PN', 'GI', 'WE', 'ft', 'BM']
const TIFFS = ['II*\0', 'II+\0', 'MM\0*', 'MM\0+']

/** The slow twin. */
function placesOf(bytes: Uint8Array): number[] {
  const text = Buffer.from(bytes).toString('latin1')
  return Array.from(text, (_, at) => at).filter((at) => {
    const before = text[at] === 'M' ? 1 : 2
    const isTiff = at >= before && TIFFS.includes(text.slice(at - before, at - before + 4))
    return PAIRS.includes(text.slice(at, at + 2)) || (isTiff && text[at + 1] === '\0')
  })
}

describe('SignatureSearch', () => {
  it('finds the places that a slow search finds, at any length', () => {
    const random = randomFrom(9)
    const parts = [...PAIRS, ...TIFFS, 'II', 'MM', '\0', '*', 'x']
    let found = 0
    for (let length = 0; length <= 300; length++) {
      const text = Array.from({ length }, () => pick(parts, random)).join('')
      const bytes = Buffer.from(text, 'latin1').subarray(0, length)
      expect(search.find(bytes)).toEqual(placesOf(bytes))
      found += placesOf(bytes).length
    }
    expect(found).toBeGreaterThan(1000)
  })

  it('sees nothing of what it searched before', () => {
    search.find(Buffer.from('PN'.repeat(100)))
    for (const length of [0, 1, 15, 16, 17]) {
      expect(search.find(new Uint8Array(length).fill(80))).toEqual([])
    }
  })

  it('takes 65,536 bytes, all of which may be pairs, and no more', () => {
    const most = Buffer.from('PN'.repeat(32_768))
    expect(search.find(most)).toEqual(Array.from({ length: 32_768 }, (_, i) => 2 * i))
    expect(() => search.find(new Uint8Array(65_537))).toThrow(RangeError)
  })
})
