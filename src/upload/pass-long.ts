import { type BlockVerdict, isPassed, type RefuseVerdict } from '../gate/verdict.ts'
import { Pictures } from '../scan/pictures.ts'
import { ClientGoneError, readChunks } from './body-source.ts'
import { clientLimitsOf } from './client-limits.ts'
import { OriginStalledError } from './errors.ts'
import { HoldBack } from './hold-back.ts'
import { Inspection } from './inspection.ts'
import type { Passage } from './outcome.ts'
import {
  acquireLongPlace,
  answerIn,
  longHeldBytes,
  passed,
  readBackBytes,
  type UploadDeps,
  withLessHeld,
} from './passing.ts'
import { PictureRoom } from './picture-room.ts'
import type { Permit } from '../util/semaphore.ts'
import { Spool } from './spool.ts'
import type { Staging } from './staging/staging.ts'
import { chunksOfStream } from './staging/whole-body.ts'

/**
 * Passes an upload on while it arrives. Its end is held back until the verdict. From the first byte
 * of a picture on, everything is held back until the verdict on that picture.
 */
export async function passLong(
  request: Request,
  length: number,
  inspection: Inspection,
  deps: UploadDeps,
): Promise<Passage> {
  const { upload: settings } = deps.settings
  const limits = clientLimitsOf(
    settings,
    deps.bytes,
    deps.pictureBytes,
    deps.decoders,
    deps.longPlaces,
  )
  // The place comes before the bytes: an upload that waits for a place must hold nothing that the
  // holder of one needs.
  const place = await acquireLongPlace(deps)
  const { first, picture, spool } = longBytes(deps)
  let permit: Permit | undefined
  let upload: LongUpload | undefined
  let received = 0
  try {
    permit = await deps.bytes.acquire(first, first + picture + spool)
    upload = new LongUpload(length, inspection, permit, deps)
    for await (const chunk of readChunks(request, limits)) {
      received += chunk.length
      permit.touch()
      place.touch()
      const refused = await upload.take(chunk.slice())
      if (refused) return await breakOff(refused, upload, deps)
    }
    if (received !== length) throw new ClientGoneError()
    const lastByteAt = performance.now()
    const verdict = await inspection.end()
    const refused = isPassed(verdict) ? await upload.lookAgain() : verdict
    if (refused) return await breakOff(refused, upload, deps)
    deps.onOutcome(verdict, performance.now() - lastByteAt)
    return await passed(upload.sendRest())
  } catch (error) {
    await upload?.abort(error)
    throw error
  } finally {
    await upload?.release()
    permit?.release()
    place.release()
  }
}

type No = RefuseVerdict | BlockVerdict

/**
 * Bytes of an isolate that a long upload holds: at first, for a picture, and to move longer
 * pictures to the bucket.
 */
function longBytes({ settings, staging }: Pick<UploadDeps, 'settings' | 'staging'>): {
  first: number
  picture: number
  spool: number
} {
  const { maxBufferedBytes, maxHeldBytes } = settings.upload
  const first = HoldBack.bytes + longHeldBytes(settings.upload)
  const spool = staging ? Spool.bytes : 0
  const left = Math.max(0, maxHeldBytes - first - spool)
  return { first, picture: Math.min(maxBufferedBytes, Math.floor(maxHeldBytes / 2), left), spool }
}

/** The inspection of a long upload, which reports pictures while they arrive. */
export function inspectionOfLong(request: Request, deps: UploadDeps): Inspection {
  const less = withLessHeld(deps, longHeldBytes(deps.settings.upload))
  const context = { ...less.context, pictures: new Pictures() }
  return new Inspection(request, { ...less, context })
}

async function breakOff(verdict: No, upload: LongUpload, deps: UploadDeps): Promise<Passage> {
  const isKept = verdict.action === 'quarantine'
  deps.onOutcome(verdict, undefined, isKept ? { kept: false, reason: 'too-long' } : undefined)
  await upload.abort(new Error('the upload was refused'))
  return { isPassed: false, caseId: deps.caseId, outcome: verdict }
}

/** A long upload on its way. The request to the origin begins when there is something to send. */
class LongUpload {
  readonly #inspection: Inspection
  readonly #deps: UploadDeps
  readonly #permit: Permit
  readonly #holdBack: HoldBack
  readonly #room: PictureRoom
  readonly #maxPictureBytes: number
  /** What waits in the bucket, once a picture was too long to hold. */
  #spool: Spool | undefined
  #response: Promise<Response> | undefined
  /** Whether the origin still reads. If not, it answered or is gone; the verdict still counts. */
  #isTaken = true

  constructor(length: number, inspection: Inspection, permit: Permit, deps: UploadDeps) {
    const { upload } = deps.settings
    this.#inspection = inspection
    this.#permit = permit
    this.#deps = deps
    this.#holdBack = new HoldBack(length, upload.clientStallSeconds * 1000)
    this.#maxPictureBytes = longBytes(deps).picture
    this.#room = new PictureRoom(deps.pictureBytes, this.#maxPictureBytes, permit)
  }

  /** Takes a chunk, which must not change afterwards. Returns the verdict if it refuses. */
  async take(chunk: Uint8Array): Promise<No | undefined> {
    this.#room.touch()
    await this.#inspection.take(chunk)
    const verdict = await this.#inspection.judge()
    if (verdict && !isPassed(verdict)) return verdict
    if (this.#spool) {
      await this.#spool.write(chunk)
      return this.#inspection.judgePictures()
    }
    this.#holdBack.hold(chunk)
    if (!this.#isTaken) this.#holdBack.drop()
    if (!this.#holdBack.hasMoreThanEnd()) return undefined
    const refused = await this.#inspection.judgePictures()
    if (refused) return refused
    await this.#send(this.#inspection.heldFrom)
    return this.#holdMore()
  }

  /**
   * Scans pictures again that exceed what is held of one while it arrives. Returns the verdict if
   * it refuses.
   */
  async lookAgain(): Promise<No | undefined> {
    if (!this.#inspection.hasLeftPictures) return undefined
    const body = await this.#spool?.read()
    if (!body)
      return this.#isTaken
        ? this.#inspection.lookAgain(this.#holdBack.chunks)
        : this.#inspection.giveUpPictures([])
    this.#room.release()
    const heldBytes = readBackBytes(this.#deps)
    const room = new PictureRoom(this.#deps.pictureBytes, heldBytes, this.#permit)
    try {
      await room.hold(heldBytes)
      const chunks = copies(chunksOfStream(body.readable), room)
      return await this.#inspection.lookAgain(chunks, { heldBytes })
    } finally {
      room.release()
    }
  }

  /** Sends what was held back. Returns the origin's answer. */
  async sendRest(): Promise<Response> {
    const response = this.#open()
    await isWritten(this.#sendAll(), response)
    return answerIn(response, this.#deps)
  }

  async abort(reason: unknown): Promise<void> {
    await this.#holdBack.abort(reason)
  }

  async release(): Promise<void> {
    this.#room.release()
    await this.#spool?.discard()
  }

  async #sendAll(): Promise<void> {
    try {
      const body = await this.#spool?.read()
      if (body)
        for await (const chunk of chunksOfStream(body.readable)) await this.#holdBack.push(chunk)
      await this.#holdBack.end()
    } catch (error) {
      await this.abort(error) // otherwise the origin would wait for the rest
      throw error
    }
  }

  /** Moves what is held, and everything that follows, to the bucket. */
  async #spoolHeld(staging: Staging): Promise<undefined> {
    const spool = await Spool.begin(staging, this.#permit)
    this.#spool = spool
    for (const chunk of this.#holdBack.chunks) await spool.write(chunk)
    this.#holdBack.drop()
    this.#room.release(Spool.bytes)
    return undefined
  }

  /** Makes room for what is held. If a picture is too long, returns the verdict if that refuses. */
  async #holdMore(): Promise<No | undefined> {
    const { excess, chunks } = this.#holdBack
    if (excess <= this.#maxPictureBytes) {
      await this.#room.hold(excess)
      return undefined
    }
    if (this.#deps.staging) return this.#spoolHeld(this.#deps.staging)
    const refused = await this.#inspection.giveUpPictures(chunks)
    if (refused) return refused
    await this.#send(Infinity)
    this.#room.release()
    return undefined
  }

  async #send(until: number): Promise<void> {
    if (!this.#holdBack.hasMoreThanEnd(until)) return
    this.#isTaken &&= await isWritten(this.#holdBack.send(until), this.#open())
  }

  /** The origin's answer. The request begins now, unless it has begun. */
  #open(): Promise<Response> {
    if (!this.#response) {
      this.#response = this.#deps.forward(this.#holdBack.readable)
      this.#response.catch(() => undefined) // it fails when it is broken off
    }
    return this.#response
  }
}

/** Copies of chunks, which may be kept. A stream's own chunks may not. */
async function* copies(
  chunks: AsyncIterable<Uint8Array>,
  room: PictureRoom,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    room.touch()
    yield chunk.slice()
  }
}

/**
 * Whether the origin read what was written. If not, it has answered or failed.
 * @throws {OriginStalledError} it neither reads nor answers
 */
async function isWritten(written: Promise<void>, response: Promise<Response>): Promise<boolean> {
  let isAnswered = false
  const failed = response.then(
    () => {
      isAnswered = true
      return new Promise<never>(() => {})
    },
    () => false,
  )
  try {
    return await Promise.race([written.then(() => true), failed])
  } catch (error) {
    if (error instanceof OriginStalledError && !isAnswered) throw error
    await response.catch(() => undefined)
    return false
  }
}
