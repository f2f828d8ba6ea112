import { within } from '../util/within.ts'
import type { BlockVerdict, RefuseVerdict } from '../gate/verdict.ts'
import { isPassed } from '../gate/verdict.ts'
import type { Kept } from '../quarantine/record.ts'
import { ClientGoneError, lengthOf, readChunks } from './body-source.ts'
import { BodyTooLargeError, LengthRequiredError, OriginStalledError } from './errors.ts'
import { HeldBody } from './held-body.ts'
import { HoldBack } from './hold-back.ts'
import { Inspection, type InspectionDeps } from './inspection.ts'
import type { ForwardedBody } from './origin.ts'
import { type Outcome, type Passage, unjudged } from './outcome.ts'
import type { Permit, Semaphore } from './semaphore.ts'
import type { PassSettings, UploadSettings } from './settings.ts'

/** What an upload is passed on with. */
export interface UploadDeps extends InspectionDeps {
  /** Names the upload in events and answers. */
  caseId: string
  settings: PassSettings
  /** Bytes that uploads hold. */
  bytes: Semaphore
  /** Places for uploads that are decoded while they arrive. */
  decoders: Semaphore
  /** Sends the request on with a body. */
  forward: (body: ForwardedBody) => Promise<Response>
  /** Keeps the body of an upload that is quarantined; it is held until this is done. Never throws. */
  keep: (verdict: BlockVerdict, body: HeldBody) => Promise<Kept>
  /**
   * Given what came of it, before the origin can have the whole body, the milliseconds since the last byte came in, and what
   * became of a body that was to be kept.
   */
  onOutcome: (outcome: Outcome, afterLastByteMs?: number, kept?: Kept) => void
}

/** Judges an upload while it comes, and passes it on if it is allowed. Never throws. */
export async function passUpload(request: Request, deps: UploadDeps): Promise<Passage> {
  let inspection: Inspection | undefined
  let permit: Permit | undefined
  try {
    const { bytes } = deps
    const { upload: settings } = deps.settings
    const length = lengthOf(request)
    if (length !== undefined && length > settings.maxBodyBytes) {
      throw new BodyTooLargeError(settings.maxBodyBytes)
    }
    const isLong = length !== undefined && length > settings.maxBufferedBytes
    inspection = new Inspection(request, isLong ? withLessHeld(deps) : deps)
    permit = await bytes.acquire(isLong ? HoldBack.bytes + longHeldBytes(settings) : (length ?? 0))
    return isLong
      ? await passLong(request, length, permit, inspection, deps)
      : await passHeld(request, length, permit, inspection, deps)
  } catch (error) {
    // Whatever it is, a client that went away or a fault in here: nothing is passed on that was not read to its end.
    const outcome = unjudged(error, inspection?.listVersion)
    deps.onOutcome(outcome)
    return { isPassed: false, caseId: deps.caseId, outcome }
  } finally {
    permit?.release()
  }
}

/** Bytes of images that wait for a library which a long upload may hold: of others all bytes are held anyway. */
export function longHeldBytes({ maxHeldBytes }: Pick<UploadSettings, 'maxHeldBytes'>): number {
  return Math.floor(maxHeldBytes / 16)
}

export function withLessHeld(deps: UploadDeps): UploadDeps {
  const limits = { ...deps.context.limits, heldBytes: longHeldBytes(deps.settings.upload) }
  return { ...deps, context: { ...deps.context, limits } }
}

/** An upload that is held whole until its verdict; the origin does not hear of it before. */
async function passHeld(
  request: Request,
  length: number | undefined,
  permit: Permit,
  inspection: Inspection,
  deps: UploadDeps,
): Promise<Passage> {
  const held = new HeldBody(permit, length)
  try {
    const lastByteAt = await receive(request, length, held, inspection, deps)
    const verdict = await inspection.end()
    const afterLastByteMs = performance.now() - lastByteAt
    const isKept = verdict.action === 'quarantine'
    deps.onOutcome(verdict, afterLastByteMs, isKept ? await deps.keep(verdict, held) : undefined)
    if (!isPassed(verdict)) return { isPassed: false, caseId: deps.caseId, outcome: verdict }
    return await passed(answerIn(deps.forward(held.toBody()), deps))
  } finally {
    held.free()
  }
}

/**
 * Reads a body to its end. It is inspected while it comes, or, if too many others are, all at once when it has come. Returns
 * when that was.
 */
async function receive(
  request: Request,
  length: number | undefined,
  held: HeldBody,
  inspection: Inspection,
  { settings, decoders }: UploadDeps,
): Promise<number> {
  const { upload } = settings
  const maxBytes = length ?? Math.min(upload.maxBodyBytes, upload.maxBufferedBytes)
  const place = decoders.tryAcquire(1)
  try {
    for await (const chunk of readChunks(request, upload.clientStallSeconds * 1000)) {
      if (held.length + chunk.length > maxBytes) throw tooLong(length, upload)
      const kept = await held.append(chunk)
      place?.touch()
      if (place) await inspection.take(kept)
    }
  } finally {
    place?.release()
  }
  if (length !== undefined && held.length !== length) throw new ClientGoneError()
  const lastByteAt = performance.now()
  if (!place) for (const chunk of held.chunks()) await inspection.take(chunk)
  return lastByteAt
}

/** An upload that begins to go to the origin before it has come to its end, which is held back until the verdict. */
async function passLong(
  request: Request,
  length: number,
  permit: Permit,
  inspection: Inspection,
  deps: UploadDeps,
): Promise<Passage> {
  const maxStallMs = deps.settings.upload.clientStallSeconds * 1000
  const place = await deps.decoders.acquire(1)
  const holdBack = new HoldBack(length, maxStallMs)
  const response = deps.forward(holdBack.readable)
  response.catch(() => undefined) // it fails when it is broken off
  let received = 0
  let isTaken = true
  try {
    for await (const chunk of readChunks(request, maxStallMs)) {
      received += chunk.length
      permit.touch()
      place.touch()
      const kept = chunk.slice()
      await inspection.take(kept)
      const verdict = await inspection.judge()
      if (verdict && !isPassed(verdict)) return await breakOff(verdict, holdBack, deps)
      // An origin that takes no more has said why, or is gone; the verdict is still of use.
      if (isTaken) isTaken = await isWritten(holdBack.write(kept), response)
    }
    if (received !== length) throw new ClientGoneError()
    const lastByteAt = performance.now()
    const verdict = await inspection.end()
    if (!isPassed(verdict)) return await breakOff(verdict, holdBack, deps)
    deps.onOutcome(verdict, performance.now() - lastByteAt)
    return await passed(sendRest(holdBack, response, deps))
  } catch (error) {
    await holdBack.abort(error)
    throw error
  } finally {
    place.release()
  }
}

async function breakOff(
  verdict: RefuseVerdict | BlockVerdict,
  holdBack: HoldBack,
  deps: UploadDeps,
): Promise<Passage> {
  const isKept = verdict.action === 'quarantine'
  deps.onOutcome(verdict, undefined, isKept ? { kept: false, reason: 'too-long' } : undefined)
  await holdBack.abort(new Error('the upload was refused'))
  return { isPassed: false, caseId: deps.caseId, outcome: verdict }
}

/** Sends what was held back. Returns the origin's answer. */
async function sendRest(
  holdBack: HoldBack,
  response: Promise<Response>,
  deps: UploadDeps,
): Promise<Response> {
  await isWritten(holdBack.end(), response)
  return answerIn(response, deps)
}

/**
 * Whether the origin took what was written. If not, its answer, or what it failed by, is there.
 * @throws {OriginStalledError} it took nothing, and does not answer
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

/** The origin's answer, if its head comes in time. @throws {OriginStalledError} */
function answerIn(response: Promise<Response>, { settings }: UploadDeps): Promise<Response> {
  const ms = settings.origin.timeoutSeconds * 1000
  return within(response, ms, () => new OriginStalledError(ms))
}

/** Waits for the origin: until it answers, it may still read what is held. */
async function passed(response: Promise<Response>): Promise<Passage> {
  await response.catch(() => undefined)
  return { isPassed: true, response }
}

/** What is wrong with a body that goes on where it should have ended. */
export function tooLong(
  length: number | undefined,
  settings: Pick<UploadSettings, 'maxBodyBytes' | 'maxBufferedBytes' | 'onUnknownLength'>,
): Error {
  if (length !== undefined) return new ClientGoneError() // more than it said
  if (settings.maxBodyBytes <= settings.maxBufferedBytes)
    return new BodyTooLargeError(settings.maxBodyBytes)
  return settings.onUnknownLength === 'length-required'
    ? new LengthRequiredError(settings.maxBufferedBytes)
    : new BodyTooLargeError(settings.maxBufferedBytes)
}
