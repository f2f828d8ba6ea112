import { CHUNK_BYTES } from '../body-source.ts'
import { unlessIdle } from '../../util/within.ts'
import { PartMissingError, UploadChangedError } from './errors.ts'
import type { StagedPart } from './staged-upload.ts'

/** How often a body asks whether it is still wanted while a long part is read slowly. */
const ASK_AGAIN_MS = 30_000

/** The parts of an upload as one body of known length. */
export class WholeBody {
  readonly readable: ReadableStream<Uint8Array>
  /** The error if part of it could not be read. A consumer may also stop early; then there is none. */
  failure: { error: unknown } | undefined
  /** When the last bytes were read, in milliseconds since the epoch. */
  lastReadAt = 0
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  /** Settled when everything was read, or reading stopped. */
  readonly #sent: Promise<void>

  /** @param goOn called before each part, and from time to time: whether the body is still wanted */
  constructor(bucket: R2Bucket, parts: readonly StagedPart[], goOn: () => Promise<boolean>) {
    const length = parts.reduce((sum, { bytes }) => sum + bytes, 0)
    const { readable, writable } = new FixedLengthStream(length)
    this.readable = readable
    this.#writer = writable.getWriter()
    this.#writer.closed.catch(() => undefined) // write and close report what goes wrong
    this.#sent = this.#send(chunksOf(bucket, parts, goOn)).catch((error: unknown) =>
      this.stop(error),
    )
  }

  /**
   * Waits until everything was read, because an origin may answer before that. Stops the body if
   * nothing is read for `maxIdleMs`.
   */
  async finish(maxIdleMs: number): Promise<void> {
    const idle = () => new Error('the body is no longer read')
    await unlessIdle(this.#sent, maxIdleMs, () => this.lastReadAt, idle).catch(() => undefined)
    await this.stop()
  }

  /** Stops the body, because it is no longer read. */
  async stop(reason: unknown = new Error('the body is no longer read')): Promise<void> {
    await this.#writer.abort(reason).catch(() => undefined)
  }

  async #send(chunks: AsyncGenerator<Uint8Array>): Promise<void> {
    for (;;) {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        this.failure = { error }
        throw error
      })
      if (done) return this.#writer.close()
      await this.#writer.write(value)
      this.lastReadAt = Date.now()
    }
  }
}

/** The bytes of parts. Each chunk is valid until the next is requested. */
async function* chunksOf(
  bucket: R2Bucket,
  parts: readonly StagedPart[],
  goOn: () => Promise<boolean>,
): AsyncGenerator<Uint8Array> {
  for (const { key, bytes } of parts) {
    if (!(await goOn())) throw new UploadChangedError()
    const object = await bucket.get(key, { range: { offset: 0, length: bytes } })
    if (!object) throw new PartMissingError(key)
    let askedAt = Date.now()
    for await (const chunk of chunksOfStream(object.body)) {
      yield chunk
      if (Date.now() - askedAt < ASK_AGAIN_MS) continue
      if (!(await goOn())) throw new UploadChangedError()
      askedAt = Date.now()
    }
  }
}

/** Chunks of a stream. Each is valid until the next is requested. */
export async function* chunksOfStream(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader({ mode: 'byob' })
  let scratch = new ArrayBuffer(CHUNK_BYTES)
  for (;;) {
    const { done, value } = await reader.readAtLeast(CHUNK_BYTES, new Uint8Array(scratch))
    if (value && value.length > 0) yield value
    if (done || !value) return
    scratch = value.buffer
  }
}
