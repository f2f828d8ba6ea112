import { describe, expect, it } from 'vitest'
import { fuzzBodies } from './bodies.ts'

describe('bodies that anybody may send', () => {
  it('are read or refused, and are the same in any chunks', () => {
    const { counts, violations } = fuzzBodies(10_000, 1)
    expect(violations).toEqual([])
    expect(counts.get('read')).toBeGreaterThan(1000)
    expect(counts.get('malformed')).toBeGreaterThan(1000)
  })
})
