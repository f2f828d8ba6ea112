import { isPassed, type Verdict } from '../gate/verdict.ts'
import { DIGEST_KINDS } from '../list/entry.ts'
import { CHUNK_BYTES, ClientGoneError, lengthOf, readChunks } from './body-source.ts'
import { clientLimitsOf } from './client-limits.ts'
import { BodyTooLargeError, DigestKindAddedError } from './errors.ts'
import { HeldBody } from './held-body.ts'
import { Inspection } from './inspection.ts'
import { type Passage, unjudged } from './outcome.ts'
import { inspectionOfLong, passLong } from './pass-long.ts'
import { inspectionOfSpooled, type Overflow, passSpooled } from './pass-spooled.ts'
import { answerIn, passed, type Room, roomFor, tooLong, type UploadDeps } from './passing.ts'
import type { Permit } from '../util/semaphore.ts'

/** Judges an upload while it arrives, and passes it on if it is allowed. Never throws. */
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
    if (isLong) {
      inspection = inspectionOfLong(request, deps)
      return await passLong(request, length, inspection, deps)
    }
    const room = roomFor(length, deps)
    inspection = room.spool > 0 ? inspectionOfSpooled(request, deps) : new Inspection(request, deps)
    permit = await bytes.acquire(Math.min(room.held, CHUNK_BYTES), room.held + room.spool)
    return await passHeld(request, { length, room, permit, inspection }, deps)
  } catch (error) {
    // Whatever the cause, a lost client or a fault in here: nothing is passed on that was not read
    // to its end.
    const outcome = unjudged(error, inspection?.listVersion)
    deps.onOutcome(outcome)
    return { isPassed: false, caseId: deps.caseId, outcome }
  } finally {
    permit?.release()
  }
}

/** An upload that has just begun. */
interface Begun {
  /** `undefined` if not stated. */
  length: number | undefined
  room: Room
  permit: Permit
  inspection: Inspection
}

/** Holds an upload whole until its verdict. The origin gets nothing before that. */
async function passHeld(request: Request, begun: Begun, deps: UploadDeps): Promise<Passage> {
  const { length, permit, inspection } = begun
  const held = new HeldBody(permit, length)
  try {
    const received = await receive(request, begun, held, deps)
    if (typeof received !== 'number') {
      const { staging } = deps
      if (!staging) throw tooLong(length, deps.settings.upload)
      return await passSpooled(request, received, { permit, inspection }, staging, deps)
    }
    permit.settle()
    const verdict = await verdictOn(inspection, request, held, deps)
    const afterLastByteMs = performance.now() - received
    const isKept = verdict.action === 'quarantine'
    deps.onOutcome(verdict, afterLastByteMs, isKept ? await deps.keep(verdict, held) : undefined)
    if (!isPassed(verdict)) return { isPassed: false, caseId: deps.caseId, outcome: verdict }
    return await passed(answerIn(deps.forward(held.toBody()), deps))
  } finally {
    held.free()
  }
}

/** The verdict on a held body. If the list got a new kind of digest, it is inspected again. */
async function verdictOn(
  inspection: Inspection,
  request: Request,
  held: HeldBody,
  deps: UploadDeps,
): Promise<Verdict> {
  try {
    return await inspection.end()
  } catch (error) {
    if (!(error instanceof DigestKindAddedError)) throw error
    const again = new Inspection(request, { ...deps, digestKinds: () => DIGEST_KINDS })
    for (const chunk of held.chunks()) await again.take(chunk)
    return again.end()
  }
}

/**
 * Reads a body to its end. It is inspected while it arrives or, if too many others are, all at once
 * afterwards. Returns when the last byte came, or a body without a length that is too long to hold.
 */
async function receive(
  request: Request,
  { length, room, inspection }: Begun,
  held: HeldBody,
  deps: UploadDeps,
): Promise<number | Overflow> {
  const { bytes, decoders, pictureBytes, longPlaces } = deps
  const { upload } = deps.settings
  const place = decoders.tryAcquire(1)
  let isOverflow = false
  const ofLong = room.spool > 0 ? [pictureBytes, longPlaces] : []
  const chunks = readChunks(request, clientLimitsOf(upload, bytes, decoders, ...ofLong))
  try {
    for (;;) {
      const { done, value: chunk } = await chunks.next()
      if (done) break
      if (held.length + chunk.length > room.held) {
        isOverflow = room.spool > 0
        if (isOverflow) return { chunks, held, next: chunk, place }
        throw tooLong(length, upload)
      }
      const kept = await held.append(chunk)
      place?.touch()
      if (place) await inspection.take(kept)
    }
  } finally {
    if (!isOverflow) place?.release()
  }
  if (length !== undefined && held.length !== length) throw new ClientGoneError()
  const lastByteAt = performance.now()
  if (!place) for (const chunk of held.chunks()) await inspection.take(chunk)
  return lastByteAt
}
