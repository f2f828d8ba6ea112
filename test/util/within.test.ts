import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unlessIdle } from '../../src/util/within.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const idle = () => new Error('idle')
const after = (ms: number) => new Promise((resolve) => setTimeout(() => resolve('done'), ms))

describe('unlessIdle', () => {
  it('waits as long as something happens within the time', async () => {
    let lastAt = 0
    const ticking = setInterval(() => (lastAt = Date.now()), 900)
    const waiting = unlessIdle(after(10_000), 1000, () => lastAt, idle)
    await vi.advanceTimersByTimeAsync(10_000)
    clearInterval(ticking)
    expect(await waiting).toBe('done')
  })

  it('ends when nothing has happened for that time', async () => {
    const start = Date.now()
    const waiting = unlessIdle(after(10_000), 1000, () => start + 500, idle)
    const ended = expect(waiting).rejects.toThrow('idle')
    await vi.advanceTimersByTimeAsync(1499)
    expect(vi.getTimerCount()).toBe(2)
    await vi.advanceTimersByTimeAsync(1)
    await ended
  })

  it('ends at once without any time', async () => {
    await expect(unlessIdle(after(1), 0, () => 0, idle)).rejects.toThrow('idle')
  })
})
