import type { Permit } from '../util/semaphore.ts'
import { PART_BYTES, PartWriter } from './staging/part-writer.ts'
import type { StagedPart } from './staging/staged-upload.ts'
import { newUpload, type Staging, type UploadHandle } from './staging/staging.ts'
import { WholeBody } from './staging/whole-body.ts'

/** How long leftovers of a fault stay in the bucket. */
const LIFE_MS = 3_600_000

/** A body, or the rest of one, that waits in the bucket for its verdict. */
export class Spool {
  static readonly bytes = PART_BYTES

  length = 0
  readonly #bucket: R2Bucket
  readonly #upload: UploadHandle
  readonly #writer: PartWriter
  readonly #permit: Permit
  #parts: StagedPart[] = []

  private constructor(bucket: R2Bucket, upload: UploadHandle, writer: PartWriter, permit: Permit) {
    this.#bucket = bucket
    this.#upload = upload
    this.#writer = writer
    this.#permit = permit
  }

  /**
   * @param permit the upload's share of the bytes, which grows by those of a spool. The caller
   * releases it.
   * @throws {BusyError} or the error of the bucket, as the other methods do
   */
  static async begin(staging: Staging, permit: Permit): Promise<Spool> {
    await permit.grow(Spool.bytes)
    const upload = newUpload(staging)
    await upload.stub.begin({ target: '', headers: {} }, Date.now() + LIFE_MS)
    const writer = await PartWriter.after(undefined, staging.bucket, upload.id)
    return new Spool(staging.bucket, upload, writer, permit)
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#permit.touch()
    this.length += chunk.length
    this.#parts.push(...(await this.#writer.write(chunk)))
  }

  /** Puts everything that was written into the bucket, and frees its memory. Nothing may follow. */
  async flush(): Promise<void> {
    this.#parts.push(...(await this.#writer.end()))
    this.#writer.free()
  }

  /** Everything that was written, as a body of known length. */
  async read(): Promise<WholeBody> {
    await this.flush()
    return new WholeBody(this.#bucket, this.#parts, async () => {
      this.#permit.touch()
      return true
    })
  }

  /** Deletes it. Never throws: what cannot be deleted now is deleted later. */
  async discard(): Promise<void> {
    await this.#upload.stub.end().catch(() => undefined)
  }
}
