import { describe, expect, it } from 'vitest'
import { Bars, isMet, standing, TIMED_BARS } from '../../bench/bars.ts'

describe('bars', () => {
  it('on times are met, or missed for a reason, and each has its name', () => {
    for (const bar of TIMED_BARS) {
      const { what, measured, because } = bar
      expect({ what, hasReason: because !== undefined }).toEqual({
        what,
        hasReason: !isMet(bar, measured),
      })
      expect(standing(bar, measured)).toMatch(/^met$|^missed, because ./)
    }
    expect(new Set(TIMED_BARS.map(({ what }) => what)).size).toBe(TIMED_BARS.length)
  })

  it('are met up to their value, or down to it', () => {
    expect([2.9, 3, 3.1].map((value) => isMet({ what: '', most: 3 }, value))).toEqual([
      true,
      true,
      false,
    ])
    expect([2.9, 3, 3.1].map((value) => isMet({ what: '', least: 3 }, value))).toEqual([
      false,
      true,
      true,
    ])
  })

  it('that are missed without a known reason are reported, and unknown ones are an error', () => {
    const bars = new Bars()
    const met = TIMED_BARS.find(({ because, most }) => !because && most)
    expect(bars.check(met!.what, 1000)).toBe(`1000.00 (over the bar ${met!.most})`)
    expect(bars.rows.map((row) => row.at(-1))).toEqual(['MISSED'])
    expect(() => bars.check('anything', 1)).toThrow('there is no bar for anything')
  })
})
