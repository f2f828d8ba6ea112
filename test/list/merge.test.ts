import { describe, expect, it } from 'vitest'
import { MAX_SMALL_MERGE, planMerge, planSmallMerge } from '../../src/list/merge.ts'

const segment = (live: number, count = live) => ({ ref: { count }, live: { length: live } })

/** Live entries of segments that are written anew. */
function rewritten(lives: readonly number[], added: number): number[] {
  const { staying, rewritten: goes } = planMerge(
    lives.map((live) => segment(live)),
    added,
  )
  expect(staying.length + goes.length).toBe(lives.length)
  return goes.map(({ live }) => live.length)
}

describe('planMerge', () => {
  it('leaves up to eight small segments, with the one that is added, and merges nine', () => {
    expect(
      rewritten(
        Array.from({ length: 7 }, () => 100),
        5,
      ),
    ).toEqual([])
    expect(
      rewritten(
        Array.from({ length: 8 }, () => 100),
        0,
      ),
    ).toEqual([])
    expect(rewritten([900_000, ...Array.from({ length: 8 }, () => 100)], 5)).toHaveLength(8)
  })

  it('leaves two segments of middle size, and merges three with all that are smaller', () => {
    expect(rewritten([65_536, 524_287], 0)).toEqual([])
    expect(rewritten([65_536, 65_536, 524_288, 10], 65_536)).toEqual([65_536, 65_536, 10])
    expect(rewritten([524_288, 524_288, 600_000], 65_536)).toEqual([])
  })

  it('counts what a merge of small ones makes among those of middle size', () => {
    const small = Array.from({ length: 9 }, () => 20_000)
    expect(rewritten([100_000, 100_000, ...small], 0)).toHaveLength(11)
    expect(rewritten([100_000, ...small], 0)).toHaveLength(9)
  })

  it('writes segments anew that lost more than a quarter of their entries, and drops empty ones', () => {
    const { staying, rewritten: goes } = planMerge(
      [segment(74, 100), segment(75, 100), segment(0, 100)],
      0,
    )
    expect(staying).toEqual([segment(75, 100)])
    expect(goes).toEqual([segment(74, 100)])
  })

  it('keeps the segments of a bank few that grows by 5,000 entries at a time', () => {
    let lives: number[] = []
    let written = 0
    let most = 0
    for (let total = 5000; total <= 2_000_000; total += 5000) {
      const plan = planMerge(
        lives.map((live) => segment(live)),
        5000,
      )
      const fresh = plan.rewritten.reduce((sum, { live }) => sum + live.length, 5000)
      lives = [...plan.staying.map(({ live }) => live.length), fresh]
      written += fresh
      most = Math.max(most, lives.length)
    }
    expect(most).toBeLessThanOrEqual(14)
    expect(written / 2_000_000).toBeLessThan(12)
  })
})

describe('planSmallMerge', () => {
  const plan = (lives: readonly number[], added: number) =>
    planSmallMerge(
      lives.map((live) => segment(live)),
      added,
    ).rewritten.map(({ live }) => live.length)

  it('leaves up to eight small segments, with the one that is added, and merges nine', () => {
    expect(plan(Array(8).fill(100), 0)).toEqual([])
    expect(plan(Array(7).fill(100), 5)).toEqual([])
    expect(plan(Array(8).fill(100), 5)).toHaveLength(8)
    expect(plan(Array(9).fill(100), 0)).toHaveLength(9)
  })

  it('merges the smallest, as many as fit, and leaves large ones alone', () => {
    const large = Array.from({ length: 7 }, () => MAX_SMALL_MERGE / 2)
    expect(plan([...large, 300, 200, 100], 0)).toEqual([100, 200, 300, MAX_SMALL_MERGE / 2])
    expect(plan([...Array(20).fill(MAX_SMALL_MERGE), 100], 5)).toEqual([])
    // To the last entry: nine are too many, and just two of them fit.
    const half = MAX_SMALL_MERGE / 2
    expect(plan(Array(9).fill(half), 0)).toEqual([half, half])
    expect(plan(Array(9).fill(half), 1)).toEqual([half])
  })

  it('copies no segment alone', () => {
    expect(plan(Array(9).fill(MAX_SMALL_MERGE - 1), 0)).toEqual([])
    expect(plan(Array(8).fill(MAX_SMALL_MERGE - 1), 1)).toEqual([MAX_SMALL_MERGE - 1])
  })

  it('drops segments without an entry', () => {
    const empty = { ref: { count: 100 }, live: { length: 0 } }
    expect(planSmallMerge([empty, segment(9)], 0)).toEqual({ staying: [segment(9)], rewritten: [] })
  })
})
