import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Budget, BusyError } from '../../src/upload/semaphore.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function budgetOf(max: number): Budget {
  return new Budget({ what: 'bytes', max, maxWaitMs: 10_000, spreadMs: 4000 })
}

/** Claims, and notes in `granted` when it is served. */
function ask(budget: Budget, amount: number, name: string, granted: string[]) {
  return budget.claim(amount).then((claim) => {
    granted.push(name)
    return claim
  })
}

describe('Budget', () => {
  it('grants what it has at once, and no more', async () => {
    const budget = budgetOf(10)
    const claim = await budget.claim(10)
    expect([budget.used, budget.tryClaim(1), budget.waiting]).toEqual([10, undefined, 0])
    claim.release()
    claim.release()
    expect(budget.used).toBe(0)
    expect(budget.tryClaim(10)).toBeDefined()
  })

  it('refuses what it will never have', async () => {
    await expect(budgetOf(10).claim(11)).rejects.toThrow(BusyError)
  })

  it('serves who waits when something is given back', async () => {
    const budget = budgetOf(10)
    const first = await budget.claim(10)
    const granted: string[] = []
    void ask(budget, 10, 'second', granted)
    await vi.advanceTimersByTimeAsync(9999)
    expect([granted, budget.waiting]).toEqual([[], 1])
    first.release()
    await vi.advanceTimersByTimeAsync(0)
    expect([granted, budget.waiting, vi.getTimerCount()]).toEqual([['second'], 0, 0])
  })

  it('turns away who has waited for as long as it may', async () => {
    const budget = budgetOf(10)
    await budget.claim(5)
    const refused = budget.claim(6).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await refused).toBeInstanceOf(BusyError)
    expect([budget.used, budget.waiting]).toEqual([5, 0])
  })

  it('serves small ones before large ones that came shortly before', async () => {
    const budget = budgetOf(10)
    const first = await budget.claim(10)
    const granted: string[] = []
    void ask(budget, 10, 'large', granted)
    await vi.advanceTimersByTimeAsync(1000)
    void ask(budget, 1, 'small', granted)
    first.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['small'])
  })

  it('lets small ones pass a large one that does not fit, until it has waited for long', async () => {
    const budget = budgetOf(10)
    const held = await budget.claim(5)
    const granted: string[] = []
    void ask(budget, 6, 'large', granted)
    void ask(budget, 5, 'small', granted).then((claim) => setTimeout(() => claim.release(), 6000))
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['small'])
    await vi.advanceTimersByTimeAsync(5500)
    void ask(budget, 1, 'late', granted)
    await vi.advanceTimersByTimeAsync(1000)
    expect(granted).toEqual(['small']) // what the small one gave back is kept for the large one
    held.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['small', 'large', 'late'])
  })

  it('lets a claim grow, which waits as others do', async () => {
    const budget = budgetOf(10)
    const one = await budget.claim(4)
    const two = await budget.claim(4)
    await one.grow(2)
    let isGrown = false
    void two.grow(1).then(() => (isGrown = true))
    await vi.advanceTimersByTimeAsync(0)
    expect(isGrown).toBe(false)
    one.release()
    await vi.advanceTimersByTimeAsync(0)
    expect([isGrown, two.amount, budget.used]).toEqual([true, 5, 5])
  })

  it('takes back what shows no sign any more, since the platform ends requests without a word', async () => {
    const budget = budgetOf(10)
    const alive = await budget.claim(5)
    await budget.claim(5)
    for (let seconds = 0; seconds < 160; seconds += 10) {
      await vi.advanceTimersByTimeAsync(10_000)
      alive.touch()
    }
    expect(budget.tryClaim(5)).toBeDefined()
    expect(budget.tryClaim(1)).toBeUndefined()
  })
})
