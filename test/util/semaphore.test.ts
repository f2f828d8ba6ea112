import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Semaphore, BusyError } from '../../src/util/semaphore.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function semaphoreOf(max: number): Semaphore {
  return new Semaphore({ what: 'bytes', max, maxWaitMs: 10_000, spreadMs: 4000 })
}

/** Acquires, and notes in `granted` when it is served. */
function ask(semaphore: Semaphore, amount: number, name: string, granted: string[]) {
  return semaphore.acquire(amount).then((permit) => {
    granted.push(name)
    return permit
  })
}

describe('Semaphore', () => {
  it('grants what it has at once, and no more', async () => {
    const semaphore = semaphoreOf(10)
    const permit = await semaphore.acquire(10)
    expect([semaphore.used, semaphore.tryAcquire(1), semaphore.waiting]).toEqual([10, undefined, 0])
    permit.release()
    permit.release()
    expect(semaphore.used).toBe(0)
    expect(semaphore.tryAcquire(10)).toBeDefined()
  })

  it('refuses what it will never have', async () => {
    const refused = semaphoreOf(10).acquire(11)
    await expect(refused).rejects.toThrow(BusyError)
    await expect(refused).rejects.toThrow('no bytes became free within 0 ms')
  })

  it('serves a waiter when room is returned', async () => {
    const semaphore = semaphoreOf(10)
    const first = await semaphore.acquire(10)
    const granted: string[] = []
    void ask(semaphore, 10, 'second', granted)
    await vi.advanceTimersByTimeAsync(9999)
    expect([granted, semaphore.waiting]).toEqual([[], 1])
    first.release()
    await vi.advanceTimersByTimeAsync(0)
    expect([granted, semaphore.waiting, vi.getTimerCount()]).toEqual([['second'], 0, 0])
  })

  it('rejects a waiter after its maximum wait', async () => {
    const semaphore = semaphoreOf(10)
    await semaphore.acquire(5)
    const refused = semaphore.acquire(6).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await refused).toBeInstanceOf(BusyError)
    expect([semaphore.used, semaphore.waiting]).toEqual([5, 0])
  })

  it('serves small ones before large ones that came shortly before', async () => {
    const semaphore = semaphoreOf(10)
    const first = await semaphore.acquire(10)
    const granted: string[] = []
    void ask(semaphore, 10, 'large', granted)
    await vi.advanceTimersByTimeAsync(1000)
    void ask(semaphore, 1, 'small', granted)
    first.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['small'])
  })

  it('serves a large one before small ones that came long after', async () => {
    const semaphore = semaphoreOf(10)
    const first = await semaphore.acquire(10)
    const granted: string[] = []
    void ask(semaphore, 10, 'large', granted)
    await vi.advanceTimersByTimeAsync(4500)
    void ask(semaphore, 1, 'small', granted)
    first.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['large'])
  })

  it('grants nothing immediately while there are waiters', async () => {
    const semaphore = semaphoreOf(10)
    await semaphore.acquire(5)
    void ask(semaphore, 6, 'large', [])
    expect([semaphore.waiting, semaphore.tryAcquire(1)]).toEqual([1, undefined])
  })

  it('lets small ones pass a large one that does not fit, until it has waited for long', async () => {
    const semaphore = semaphoreOf(10)
    const held = await semaphore.acquire(5)
    const granted: string[] = []
    void ask(semaphore, 6, 'large', granted)
    void ask(semaphore, 5, 'small', granted).then((permit) =>
      setTimeout(() => permit.release(), 6000),
    )
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['small'])
    await vi.advanceTimersByTimeAsync(5500)
    void ask(semaphore, 1, 'late', granted)
    await vi.advanceTimersByTimeAsync(1000)
    expect(granted).toEqual(['small']) // what the small one gave back is kept for the large one
    held.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['small', 'large', 'late'])
  })

  it('keeps free room from later ones, once a large one has waited for half of its time', async () => {
    const semaphore = semaphoreOf(10)
    const held = await semaphore.acquire(5)
    const granted: string[] = []
    void ask(semaphore, 6, 'large', granted)
    await vi.advanceTimersByTimeAsync(4999)
    void ask(semaphore, 1, 'in time', granted)
    await vi.advanceTimersByTimeAsync(1)
    void ask(semaphore, 1, 'late', granted)
    await vi.advanceTimersByTimeAsync(0)
    expect([granted, semaphore.waiting]).toEqual([['in time'], 2])
    held.release()
    await vi.advanceTimersByTimeAsync(0)
    expect([granted, semaphore.used]).toEqual([['in time', 'large', 'late'], 8])
  })

  it('keeps no room for a waiter that the platform ended, whose timer never fires', async () => {
    const semaphore = semaphoreOf(10)
    await semaphore.acquire(5)
    const granted: string[] = []
    void ask(semaphore, 6, 'gone', granted)
    vi.setSystemTime(Date.now() + 11_001)
    void ask(semaphore, 5, 'next', granted)
    await vi.advanceTimersByTimeAsync(0)
    expect([granted, semaphore.waiting]).toEqual([['next'], 0])
  })

  it('reports nothing of uploads that the platform ended, although no other comes', async () => {
    const semaphore = semaphoreOf(10)
    await semaphore.acquire(5)
    void ask(semaphore, 6, 'gone', [])
    vi.setSystemTime(Date.now() + 150_000)
    expect([semaphore.used, semaphore.waiting]).toEqual([5, 0])
    vi.setSystemTime(Date.now() + 1)
    expect(semaphore.used).toBe(0)
  })

  it('lets a permit grow, which waits as others do', async () => {
    const semaphore = semaphoreOf(10)
    const one = await semaphore.acquire(4)
    const two = await semaphore.acquire(4)
    await one.grow(2)
    let isGrown = false
    void two.grow(1).then(() => (isGrown = true))
    await vi.advanceTimersByTimeAsync(0)
    expect(isGrown).toBe(false)
    one.release()
    await vi.advanceTimersByTimeAsync(0)
    expect([isGrown, two.amount, semaphore.used]).toEqual([true, 5, 5])
  })

  it('takes back what shows no sign any more, since the platform ends requests without a word', async () => {
    const semaphore = semaphoreOf(10)
    const alive = await semaphore.acquire(5)
    await semaphore.acquire(5)
    for (let seconds = 0; seconds < 160; seconds += 10) {
      await vi.advanceTimersByTimeAsync(10_000)
      alive.touch()
    }
    expect(semaphore.tryAcquire(5)).toBeDefined()
    expect(semaphore.tryAcquire(1)).toBeUndefined()
  })

  it('gives no one a part of what others need to finish', async () => {
    const semaphore = semaphoreOf(10)
    const [a, b] = [await semaphore.acquire(4, 6), await semaphore.acquire(4, 6)]
    expect(semaphore.tryAcquire(2)).toBeDefined() // it gives it back by itself
    const granted: string[] = []
    const waiting = ask(semaphore, 3, 'another', granted)
    const growing = a.grow(2).then(() => granted.push('a'))
    await vi.advanceTimersByTimeAsync(0)
    expect([granted, semaphore.used]).toEqual([[], 10])
    b.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(granted).toEqual(['a'])
    a.release()
    await Promise.all([waiting, growing])
    expect(granted).toEqual(['a', 'another'])
  })

  it('lets holders pass one that has waited for long', async () => {
    const semaphore = semaphoreOf(10)
    const a = await semaphore.acquire(5, 6)
    const b = await semaphore.acquire(3, 4)
    const granted: string[] = []
    const large = ask(semaphore, 9, 'large', granted)
    await vi.advanceTimersByTimeAsync(6000)
    const small = ask(semaphore, 1, 'small', granted)
    const growing = a.grow(1).then(() => granted.push('a'))
    await vi.advanceTimersByTimeAsync(0)
    expect([granted, semaphore.isPressed]).toEqual([['a'], true])
    a.release()
    b.release()
    await Promise.all([large, small, growing])
    expect(granted).toEqual(['a', 'large', 'small'])
  })

  it('counts what no longer grows at its actual size', async () => {
    const semaphore = semaphoreOf(10)
    const a = await semaphore.acquire(1, 10)
    await semaphore.acquire(1, 9)
    expect(semaphore.tryAcquire(8)).toBeDefined()
    a.settle()
    expect(a.most).toBe(1)
  })
})
