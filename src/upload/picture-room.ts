import type { Permit, Semaphore } from '../util/semaphore.ts'

/** Bytes that are acquired at once. */
const STEP_BYTES = 512 * 1024

/**
 * Room for what a long upload holds of a picture. It counts twice: with all bytes that uploads hold, and among those that pictures
 * of long uploads may hold together, so that two of these leave room for others.
 */
export class PictureRoom {
  readonly #semaphores: readonly Semaphore[]
  #permits: Permit[] = []

  constructor(...semaphores: Semaphore[]) {
    this.#semaphores = semaphores
  }

  /** Makes the room as large as it must be. @throws {BusyError} */
  async hold(bytes: number): Promise<void> {
    if (bytes === 0) return this.release()
    for (const [i, semaphore] of this.#semaphores.entries()) {
      const permit = this.#permits[i]
      const missing = bytes - (permit?.amount ?? 0)
      if (missing <= 0) continue
      const step = Math.min(Math.max(missing, STEP_BYTES), semaphore.max - (permit?.amount ?? 0))
      if (permit) await permit.grow(Math.max(missing, step))
      else this.#permits[i] = await semaphore.acquire(Math.max(missing, step))
    }
  }

  /** Tells that the upload goes on. */
  touch(): void {
    for (const permit of this.#permits) permit.touch()
  }

  release(): void {
    for (const permit of this.#permits.splice(0)) permit.release()
  }
}
