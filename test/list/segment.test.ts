import { describe, expect, it } from 'vitest'
import { keysOf } from '../../src/list/segment.ts'
import { PART_ENTRIES } from '../../src/list/sizes.ts'

describe('keysOf', () => {
  const foldersOf = (kind: 'pdq' | 'exact', count: number) => {
    const keys = keysOf({ name: 'x', kind, count })
    return keys.filter((key) => /^(segment|digests)\//.test(key))
  }

  it('names each part of the hashes, and one set of digests, whatever its size', () => {
    const digests = 'digests/x'
    expect(foldersOf('pdq', PART_ENTRIES)).toEqual(['segment/x/0', digests])
    expect(foldersOf('pdq', PART_ENTRIES + 1)).toEqual(['segment/x/0', 'segment/x/1', digests])
    expect(foldersOf('exact', PART_ENTRIES + 1)).toEqual(['segment/x/0', digests])
  })
})
