import type { ClientLimits } from './body-source.ts'
import type { Semaphore } from '../util/semaphore.ts'
import type { UploadSettings } from './settings.ts'

/** How slow a client may be while it holds some of these. */
export function clientLimitsOf(
  { clientStallSeconds, minBytesPerSecond, maxSeconds }: UploadSettings,
  ...held: readonly Semaphore[]
): ClientLimits {
  return {
    stallMs: clientStallSeconds * 1000,
    minBytesPerSecond,
    maxMs: maxSeconds * 1000,
    isPressed: () => held.some((semaphore) => semaphore.isPressed),
  }
}
