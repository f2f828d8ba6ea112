import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/util/nearest.ts'

const NAMES = ['HASHGATE', 'LIST_KEY', 'API_KEYS', 'ORIGIN', 'ORIGIN_URL', 'ORIGIN_BUCKET']

describe('nearestName', () => {
  it.each([
    ['HASHGTE', 'HASHGATE'],
    ['HASH_GATE', 'HASHGATE'],
    ['hashgaet', 'HASHGATE'],
    ['LIST_KEYS', 'LIST_KEY'],
    ['ORIGINURL', 'ORIGIN_URL'],
    ['ORIGIN_URI', 'ORIGIN_URL'],
    ['ORIGIN_BUKCET', 'ORIGIN_BUCKET'],
    ['ORIGNI', 'ORIGIN'],
  ])('takes %s for %s', (misspelt, name) => {
    expect(nearestName(misspelt, NAMES)).toBe(name)
  })

  it.each(['', 'PORT', 'KEY', 'MY_SECRET', 'LISTS', 'ORIGIN_HOSTNAME', 'HASHES'])(
    'takes %j for nothing',
    (name) => {
      expect(nearestName(name, NAMES)).toBeUndefined()
    },
  )

  it('counts edits as an obvious program does', () => {
    for (const a of words()) {
      for (const b of words()) {
        const isNear = slowEdits(a, b) <= Math.min(2, Math.floor(a.length / 3))
        expect([a, b, nearestName(a, [b]) === b]).toEqual([a, b, isNear])
      }
    }
  })
})

/** Words of two letters, up to six long and some longer. */
function words(): string[] {
  const all = ['']
  for (let i = 0; all.length < 120; i++) all.push(`${all[i]}a`, `${all[i]}b`)
  return all.concat('abababab', 'babababa', 'aabbaabb', 'abbabbab')
}

/** Edits between words, neighbours swapped among them, by trying each at the front. */
function slowEdits(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length
  if (a[0] === b[0]) return slowEdits(a.slice(1), b.slice(1))
  const tries = [
    slowEdits(a.slice(1), b),
    slowEdits(a, b.slice(1)),
    slowEdits(a.slice(1), b.slice(1)),
  ]
  if (a[0] === b[1] && a[1] === b[0]) tries.push(slowEdits(a.slice(2), b.slice(2)))
  return 1 + Math.min(...tries)
}
