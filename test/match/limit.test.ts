import { describe, expect, it } from 'vitest'
import { ConcurrencyLimit } from '../../src/match/limit.ts'

const turn = () => new Promise((resolve) => setTimeout(resolve, 1))

describe('Limit', () => {
  it('runs no more at once than are allowed, in their order', async () => {
    const limit = new ConcurrencyLimit(3)
    const begun: number[] = []
    let running = 0
    let most = 0
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        limit.run(async () => {
          begun.push(i)
          most = Math.max(most, ++running)
          await turn()
          running--
          return i
        }),
      ),
    )
    const all = Array.from({ length: 10 }, (_, i) => i)
    expect([results, begun, most]).toEqual([all, all, 3])
  })

  it('runs nothing after something has failed', async () => {
    const limit = new ConcurrencyLimit(1)
    let ran = 0
    const one = limit.run(async () => {
      await turn()
      throw new Error('first')
    })
    const others = [1, 2].map(() => limit.run(async () => ++ran))
    const settled = await Promise.allSettled([one, ...others])
    expect(settled.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(limit.run(async () => ++ran)).rejects.toThrow('first')
    expect(ran).toBe(0)
  })
})
