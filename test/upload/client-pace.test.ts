import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type ClientLimits, ClientPace, ClientStalledError } from '../../src/upload/body-source.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const CHUNK_BYTES = 64 * 1024
const LIMITS: ClientLimits = {
  stallMs: 60_000,
  minBytesPerSecond: 8192,
  maxMs: 3_600_000,
  isPressed: () => false,
}

/** Chunks that are taken of a client that sends one after each pause, of at most 300. */
async function takenOf(
  pauseMs: number,
  limits: Partial<ClientLimits> = {},
  length?: number,
): Promise<number> {
  const pace = new ClientPace({ ...LIMITS, ...limits }, length)
  for (let taken = 0; taken < 300; taken++) {
    const read = new Promise((resolve) => setTimeout(resolve, pauseMs))
    const waiting = pace.waitFor(read).then(
      () => undefined,
      (error: unknown) => error,
    )
    await vi.advanceTimersByTimeAsync(pauseMs)
    const error = await waiting
    if (error) {
      expect(error).toBeInstanceOf(ClientStalledError)
      return taken
    }
    pace.add(CHUNK_BYTES)
  }
  return 300
}

it('turns away a client that sends nothing for a minute', async () => {
  expect(await takenOf(61_000)).toBe(0)
  expect(await takenOf(59_000)).toBeGreaterThan(0)
})

it('turns away a client that trickles, though it never stalls', async () => {
  expect(await takenOf(8000)).toBe(300)
  expect(await takenOf(30_000)).toBe(2) // the third would end at 90 s, when 76 are allowed
})

it('expects a long body to arrive faster, so that it has come after an hour', async () => {
  const long = 512 * 1024 * 1024
  expect(await takenOf(400, {}, long)).toBe(300)
  // Of 149 KB a second, which it must send, it sends 66.
  expect(await takenOf(1000, {}, long)).toBe(106)
  expect(await takenOf(1000, {}, long / 16)).toBe(300)
  expect(await takenOf(1000, { maxMs: 7_200_000 * 2 }, long)).toBe(300)
})

it('expects more of a client while others wait for what it holds', async () => {
  expect(await takenOf(2000)).toBe(300)
  // It may take 5 s, and a second for each chunk that has come.
  expect(await takenOf(2000, { isPressed: () => true })).toBe(4)
  expect(await takenOf(1000, { isPressed: () => true })).toBe(300)
})
