import { isPassed } from '../gate/verdict.ts'
import { ClientGoneError, lengthOf, readChunks } from './body-source.ts'
import { BodyTooLargeError } from './errors.ts'
import { HeldBody } from './held-body.ts'
import { HoldBack } from './hold-back.ts'
import { Inspection } from './inspection.ts'
import { type Passage, unjudged } from './outcome.ts'
import { inspectionOfLong, passLong } from './pass-long.ts'
import { answerIn, longHeldBytes, passed, tooLong, type UploadDeps } from './passing.ts'
import type { Permit } from './semaphore.ts'

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
    inspection = isLong ? inspectionOfLong(request, deps) : new Inspection(request, deps)
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
