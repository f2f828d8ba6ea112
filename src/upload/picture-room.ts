import type { Permit, Semaphore } from '../util/semaphore.ts'

/** Bytes that are acquired at once. */
const STEP_BYTES = 512 * 1024

/**
 * Room for what a long upload holds of a picture. It counts twice: among all bytes that uploads
 * hold, and among those of pictures in long uploads. So two such pictures still leave room for
 * other uploads.
 */
export class PictureRoom {
  readonly #pictureBytes: Semaphore
  readonly #most: number
  readonly #permit: Permit
  /** Bytes that the upload holds beside the picture. */
  readonly #otherBytes: number
  #picturePermit: Permit | undefined

  /**
   * @param most bytes that it will ever hold
   * @param permit the upload's share of all bytes, which grows with the picture
   */
  constructor(pictureBytes: Semaphore, most: number, permit: Permit) {
    this.#pictureBytes = pictureBytes
    this.#most = most
    this.#permit = permit
    this.#otherBytes = permit.amount
  }

  /** Grows the room to this many bytes; 0 releases it. @throws {BusyError} */
  async hold(bytes: number): Promise<void> {
    if (bytes === 0) return this.release()
    const has = this.#picturePermit?.amount ?? 0
    if (bytes > has) {
      const step = Math.min(Math.max(bytes - has, STEP_BYTES), this.#most - has)
      if (this.#picturePermit) await this.#picturePermit.grow(step)
      else this.#picturePermit = await this.#pictureBytes.acquire(step, this.#most)
    }
    const missing = (this.#picturePermit?.amount ?? 0) + this.#otherBytes - this.#permit.amount
    if (missing > 0) await this.#permit.grow(missing)
  }

  /** Records a sign of life of the upload. */
  touch(): void {
    this.#picturePermit?.touch()
  }

  /** @param kept other bytes that the upload still holds */
  release(kept = 0): void {
    this.#picturePermit?.release()
    this.#picturePermit = undefined
    this.#permit.shrink(this.#otherBytes + kept)
  }
}
