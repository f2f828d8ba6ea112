import { ClientGoneError, lengthOf, PIECE_BYTES } from './body-source.ts'
import { BusyError, type Claim } from './budget.ts'
import { Inspection } from './inspection.ts'
import {
  BodyTooLargeError,
  longHeldBytes,
  reasonOf,
  tooLong,
  type UploadTools,
  withLessHeld,
} from './upload.ts'

/** An upload that is on its way to the origin, and its verdict on its way to the events. */
export interface WatchedUpload {
  response: Promise<Response>
  /** Settled when the verdict was told. */
  watching: Promise<void>
}

/**
 * Passes an upload on as it comes, and judges it beside that. Whatever comes of it, the uploader and the origin notice nothing:
 * the verdict tells what would have happened for what is in the body, but not how long the gate would have waited for it.
 */
export function watchUpload(request: Request, tools: UploadTools): WatchedUpload {
  const watcher = new Watcher(request, tools)
  if (!request.body) {
    return { response: tools.forward(new Uint8Array(0)), watching: watcher.end() }
  }
  const length = lengthOf(request)
  const pipe = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length)
  const response = tools.forward(pipe.readable)
  response.catch(() => undefined) // the uploader is told
  return { response, watching: pump(request.body, pipe.writable, watcher) }
}

async function pump(
  body: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  watcher: Watcher,
): Promise<void> {
  const reader = body.getReader({ mode: 'byob' })
  const writer = writable.getWriter()
  writer.closed.catch(() => undefined)
  let scratch = new ArrayBuffer(PIECE_BYTES)
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(scratch))
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
    // The client is gone, or the origin takes no more.
    await writer.abort(cause).catch(() => undefined)
    watcher.fail(new ClientGoneError({ cause }))
  }
  await watcher.end()
}

/** Inspects a body as the gate would, and tells the verdict whatever happens. */
class Watcher {
  readonly #tools: UploadTools
  readonly #claims: Claim[] = []
  readonly #length: number | undefined
  #received = 0
  #inspection: Inspection | undefined
  #failure: unknown

  constructor(request: Request, tools: UploadTools) {
    this.#tools = tools
    this.#length = lengthOf(request)
    const { config, bytes, decoders } = tools
    try {
      if ((this.#length ?? 0) > config.maxBodyBytes) {
        throw new BodyTooLargeError(config.maxBodyBytes)
      }
      const claims = [bytes.tryClaim(longHeldBytes(config)), decoders.tryClaim(1)]
      this.#claims = claims.filter((claim) => claim !== undefined)
      if (this.#claims.length < claims.length) throw new BusyError('places for uploads', 0)
      this.#inspection = new Inspection(request, withLessHeld(tools))
    } catch (error) {
      this.fail(error)
    }
  }

  /** Takes a piece, which must not be changed afterwards. */
  async take(piece: Uint8Array): Promise<void> {
    try {
      const { config } = this.#tools
      const most = this.#length ?? Math.min(config.maxBodyBytes, config.maxBufferedBytes)
      this.#received += piece.length
      if (this.#received > most) throw tooLong(this.#length, config)
      for (const claim of this.#claims) claim.touch()
      await this.#inspection?.take(piece)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Ends the inspection: the gate would have refused the upload. */
  fail(error: unknown): void {
    this.#failure ??= error
    this.#inspection = undefined
    for (const claim of this.#claims.splice(0)) claim.release()
  }

  async end(): Promise<void> {
    const { onVerdict } = this.#tools
    try {
      const verdict = await this.#inspection?.end()
      if (verdict) onVerdict(verdict)
    } catch (error) {
      this.fail(error)
    }
    const error = this.#failure
    if (error !== undefined) {
      onVerdict({ action: 'refuse', reason: reasonOf(error), files: [], error })
    }
    for (const claim of this.#claims.splice(0)) claim.release()
  }
}
