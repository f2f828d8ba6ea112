import { describe, expect, it } from 'vitest'
import { ListTooLargeError } from '../../src/list/errors.ts'
import {
  checkSize,
  isTooLarge,
  MAX_EXACT_ENTRIES,
  type Manifest,
  type SegmentRef,
} from '../../src/list/manifest.ts'

/** A list of two banks, which have these segments between them. */
function listOf(...segments: [kind: SegmentRef['kind'], count: number][]) {
  const refs = segments.map(([kind, count], i) => ({ kind, count, name: String(i).repeat(64) }))
  const bank = { threshold: 31, minQuality: 50 }
  return {
    banks: [
      { ...bank, id: 'a', segments: refs.slice(0, 1) },
      { ...bank, id: 'b', segments: refs.slice(1) },
    ],
  } satisfies Pick<Manifest, 'banks'>
}

describe('the size of a list', () => {
  it.each<[fits: boolean, ...segments: [SegmentRef['kind'], number][]]>([
    [true, ['pdq', 60], ['pdq', 40], ['exact', MAX_EXACT_ENTRIES]],
    [false, ['pdq', 60], ['pdq', 41]],
    [true, ['exact', MAX_EXACT_ENTRIES - 1], ['exact', 1]],
    [false, ['exact', MAX_EXACT_ENTRIES], ['exact', 1]],
  ])('fits in an isolate of 100: %s', (fits, ...segments) => {
    const list = listOf(...segments)
    expect(isTooLarge(list, 100)).toBe(!fits)
    const check = () => checkSize(list, 100)
    if (fits) expect(check).not.toThrow()
    else expect(check).toThrow(ListTooLargeError)
  })

  it('counts entries that are removed: they take the same memory', () => {
    const list = listOf(['pdq', 101])
    const removed = { name: 'f'.repeat(64), count: 101 }
    const [bank] = list.banks
    const ref = { ...bank!.segments[0]!, removed }
    expect(isTooLarge({ banks: [{ ...bank!, segments: [ref] }] }, 100)).toBe(true)
  })
})
