import { expect, it, vi } from 'vitest'
import { type ImagesApi, imagesConverter } from '../../../src/scan/image/images-binding.ts'

it('gives up a conversion that is not answered within 20 seconds', async () => {
  vi.useFakeTimers()
  try {
    const silent: ImagesApi = {
      input: () => ({ transform: () => ({ output: () => new Promise(() => undefined) }) }),
    }
    let outcome: unknown = 'pending'
    const converting = imagesConverter(silent)(Uint8Array.of(1)).then((png) => (outcome = png))
    await vi.advanceTimersByTimeAsync(19_999)
    expect(outcome).toBe('pending')
    await vi.advanceTimersByTimeAsync(1)
    expect(await converting).toBeUndefined()
  } finally {
    vi.useRealTimers()
  }
})
