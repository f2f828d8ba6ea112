import {
  CHUNK_BYTES,
  ClientGoneError,
  ClientPace,
  ClientStalledError,
  lengthOf,
} from './body-source.ts'
import { clientLimitsOf } from './client-limits.ts'
import { BodyTooLargeError } from './errors.ts'
import { Inspection } from './inspection.ts'
import { unjudged } from './outcome.ts'
import { longHeldBytes, tooLong, type UploadDeps, withLessHeld } from './passing.ts'
import { BusyError, type Permit } from '../util/semaphore.ts'

/**
 * Passes an upload on as it arrives, and judges it alongside. The uploader and the origin notice
 * nothing. The verdict tells what would have happened to this body, but not how long the gate would
 * have made it wait.
 */
export function watchUpload(request: Request, deps: UploadDeps): WatchedUpload {
  const watcher = new Watcher(request, deps)
  if (!request.body) {
    return { response: deps.forward(new Uint8Array(0)), watching: watcher.end() }
  }
  const length = lengthOf(request)
  const pipe = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length)
  const response = deps.forward(pipe.readable)
  response.catch(() => undefined) // the uploader gets the error
  return { response, watching: pump(request.body, pipe.writable, watcher) }
}

/** An upload on its way to the origin, while it is being judged. */
export interface WatchedUpload {
  response: Promise<Response>
  /** Settled when the verdict was reported. */
  watching: Promise<void>
}

async function pump(
  body: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  watcher: Watcher,
): Promise<void> {
  const reader = body.getReader({ mode: 'byob' })
  const writer = writable.getWriter()
  writer.closed.catch(() => undefined)
  let scratch = new ArrayBuffer(CHUNK_BYTES)
  try {
    for (;;) {
      const { done, value } = await watcher.waitFor(reader.read(new Uint8Array(scratch)))
      if (value && value.length > 0) {
        const kept = value.slice()
        await writer.write(kept)
        await watcher.take(kept)
      }
      if (done || !value) break
      scratch = value.buffer
    }
    await writer.close()
  } catch (cause) {
    // The client is gone, or the origin has stopped reading.
    await writer.abort(cause).catch(() => undefined)
    watcher.fail(new ClientGoneError({ cause }))
  }
  await watcher.end()
}

/** Inspects a body as the gate would, and reports an outcome whatever happens. */
class Watcher {
  readonly #deps: UploadDeps
  readonly #permits: Permit[] = []
  readonly #length: number | undefined
  readonly #pace: ClientPace
  #received = 0
  #inspection: Inspection | undefined
  #failure: unknown

  constructor(request: Request, deps: UploadDeps) {
    this.#deps = deps
    this.#length = lengthOf(request)
    const { bytes, decoders } = deps
    const { upload: settings } = deps.settings
    this.#pace = new ClientPace(clientLimitsOf(settings, bytes, decoders), this.#length)
    try {
      if ((this.#length ?? 0) > settings.maxBodyBytes) {
        throw new BodyTooLargeError(settings.maxBodyBytes)
      }
      const heldBytes = longHeldBytes(settings)
      const permits = [bytes.tryAcquire(heldBytes), decoders.tryAcquire(1)]
      this.#permits = permits.filter((permit) => permit !== undefined)
      if (this.#permits.length < permits.length) throw new BusyError('room for uploads', 0)
      this.#inspection = new Inspection(request, withLessHeld(deps, heldBytes))
    } catch (error) {
      this.fail(error)
    }
  }

  /**
   * Waits for the client's next bytes. If the client is slower than the gate would allow, it gives
   * its places back: its upload goes on, but is no longer inspected.
   */
  async waitFor<T>(read: Promise<T>): Promise<T> {
    try {
      return this.#inspection ? await this.#pace.waitFor(read) : await read
    } catch (error) {
      if (!(error instanceof ClientStalledError)) throw error
      this.fail(error)
      return read
    }
  }

  /** Takes a chunk, which must not change afterwards. */
  async take(chunk: Uint8Array): Promise<void> {
    try {
      const { upload: settings } = this.#deps.settings
      const most = this.#length ?? Math.min(settings.maxBodyBytes, settings.maxBufferedBytes)
      this.#received += chunk.length
      this.#pace.add(chunk.length)
      if (this.#received > most) throw tooLong(this.#length, settings)
      for (const permit of this.#permits) permit.touch()
      await this.#inspection?.take(chunk)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Ends the inspection: the gate would have refused the upload. */
  fail(error: unknown): void {
    this.#failure ??= error
    this.#inspection = undefined
    for (const permit of this.#permits.splice(0)) permit.release()
  }

  async end(): Promise<void> {
    const { onOutcome } = this.#deps
    try {
      const verdict = await this.#inspection?.end()
      if (verdict) onOutcome(verdict)
    } catch (error) {
      this.fail(error)
    }
    const error = this.#failure
    if (error !== undefined) {
      onOutcome(unjudged(error))
    }
    for (const permit of this.#permits.splice(0)) permit.release()
  }
}
