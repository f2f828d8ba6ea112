import { BodyOverLimitError, MalformedBodyError } from '../body/errors.ts'
import { within } from '../util/within.ts'
import { HashgateError } from '../util/errors.ts'
import type { Kept } from '../quarantine/record.ts'
import { ClientGoneError, ClientStalledError, lengthOf, readPieces } from './body-source.ts'
import { type Budget, BusyError, type Claim } from './budget.ts'
import type { Config } from './config.ts'
import { HeldBody } from './held-body.ts'
import { HoldBack, OriginStalledError } from './hold-back.ts'
import { DIGEST_KINDS } from '../list/entry.ts'
import { DigestKindAddedError, Inspection, type InspectionTools } from './inspection.ts'
import type { ForwardedBody } from './origin.ts'
import {
  type BlockVerdict,
  harmOf,
  isPassed,
  type RefusalReason,
  type RefuseVerdict,
  type Verdict,
} from './verdict.ts'

/** A body that is longer than a gated one may be. */
export class BodyTooLargeError extends HashgateError {
  readonly code = 'too-large'

  constructor(maxBytes: number) {
    super(`the body is longer than ${maxBytes} bytes`)
  }
}

/** A body that does not say how long it is, and is too long to be held whole. */
export class LengthRequiredError extends HashgateError {
  readonly code = 'length-required'

  constructor(maxBytes: number) {
    super(`the body does not say its length, and is longer than ${maxBytes} bytes`)
  }
}

/** What an upload is passed on with. */
export interface UploadTools extends InspectionTools {
  /** Bytes that uploads hold. */
  bytes: Budget
  /** Places for uploads that are decoded while they arrive. */
  decoders: Budget
  /** Sends the request on with a body. */
  forward: (body: ForwardedBody) => Promise<Response>
  /** Keeps the body of an upload that is quarantined; it is held until this is done. Never throws. */
  keep: (verdict: BlockVerdict, body: HeldBody) => Promise<Kept>
  /**
   * Told the verdict, before the origin can have the whole body, the milliseconds since the last byte came in, and what became
   * of a body that was to be kept.
   */
  onVerdict: (verdict: Verdict, afterLastByteMs?: number, kept?: Kept) => void
}

/** What became of an upload: the origin's answer, which may be a failure, or why it was not asked. */
export type UploadOutcome =
  | { response: Promise<Response> }
  | { refusal: RefusalReason; harm?: string | undefined }

/** Judges an upload while it comes, and passes it on if it is allowed. Never throws. */
export async function passUpload(request: Request, tools: UploadTools): Promise<UploadOutcome> {
  let claim: Claim | undefined
  try {
    const { config, bytes } = tools
    const length = lengthOf(request)
    if (length !== undefined && length > config.maxBodyBytes) {
      throw new BodyTooLargeError(config.maxBodyBytes)
    }
    const isLong = length !== undefined && length > config.maxBufferedBytes
    const inspection = new Inspection(request.headers, isLong ? withLessHeld(tools) : tools)
    claim = await bytes.claim(isLong ? HoldBack.bytes + longHeldBytes(config) : (length ?? 0))
    return isLong
      ? await passLong(request, length, claim, inspection, tools)
      : await passHeld(request, length, claim, inspection, tools)
  } catch (error) {
    // Whatever it is, a client that went away or a fault in here: nothing is passed on that was not read to its end.
    return refused(tools, error)
  } finally {
    claim?.release()
  }
}

/** Bytes of images that wait for a library which a long upload may hold: of others all bytes are held anyway. */
export function longHeldBytes({ maxHeldBytes }: Config): number {
  return Math.floor(maxHeldBytes / 16)
}

export function withLessHeld(tools: UploadTools): UploadTools {
  const limits = { ...tools.context.limits, heldBytes: longHeldBytes(tools.config) }
  return { ...tools, context: { ...tools.context, limits } }
}

/** An upload that is held whole until its verdict; the origin does not hear of it before. */
async function passHeld(
  request: Request,
  length: number | undefined,
  claim: Claim,
  inspection: Inspection,
  tools: UploadTools,
): Promise<UploadOutcome> {
  const held = new HeldBody(claim, length)
  try {
    const lastByteAt = await receive(request, length, held, inspection, tools)
    const verdict = await verdictOn(inspection, request, held, tools)
    const afterLastByteMs = performance.now() - lastByteAt
    const isKept = verdict.action === 'quarantine'
    tools.onVerdict(verdict, afterLastByteMs, isKept ? await tools.keep(verdict, held) : undefined)
    if (!isPassed(verdict)) return refusalOf(verdict)
    return await passed(answerIn(tools.forward(held.toBody()), tools))
  } finally {
    held.free()
  }
}

/** The verdict on a body that is held. If the list got another kind of digest meanwhile, the body is looked at again. */
async function verdictOn(
  inspection: Inspection,
  request: Request,
  held: HeldBody,
  tools: UploadTools,
): Promise<Verdict> {
  try {
    return await inspection.end()
  } catch (error) {
    if (!(error instanceof DigestKindAddedError)) throw error
    const again = new Inspection(request.headers, { ...tools, digestKinds: () => DIGEST_KINDS })
    for (const piece of held.pieces()) await again.take(piece)
    return again.end()
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
  { config, decoders }: UploadTools,
): Promise<number> {
  const maxBytes = length ?? Math.min(config.maxBodyBytes, config.maxBufferedBytes)
  const place = decoders.tryClaim(1)
  try {
    for await (const piece of readPieces(request, config.maxStallMs)) {
      if (held.length + piece.length > maxBytes) throw tooLong(length, config)
      const kept = await held.append(piece)
      place?.touch()
      if (place) await inspection.take(kept)
    }
  } finally {
    place?.release()
  }
  if (length !== undefined && held.length !== length) throw new ClientGoneError()
  const lastByteAt = performance.now()
  if (!place) for (const piece of held.pieces()) await inspection.take(piece)
  return lastByteAt
}

/** An upload that begins to go to the origin before it has come to its end, which is held back until the verdict. */
async function passLong(
  request: Request,
  length: number,
  claim: Claim,
  inspection: Inspection,
  tools: UploadTools,
): Promise<UploadOutcome> {
  const { maxStallMs } = tools.config
  const place = await tools.decoders.claim(1)
  const holdBack = new HoldBack(length, maxStallMs)
  const response = tools.forward(holdBack.readable)
  response.catch(() => undefined) // it fails when it is broken off
  let received = 0
  let isTaken = true
  try {
    for await (const piece of readPieces(request, maxStallMs)) {
      received += piece.length
      claim.touch()
      place.touch()
      const kept = piece.slice()
      await inspection.take(kept)
      const verdict = await inspection.judge()
      if (verdict && !isPassed(verdict)) return await breakOff(verdict, holdBack, tools)
      // An origin that takes no more has said why, or is gone; the verdict is still of use.
      if (isTaken) isTaken = await isWritten(holdBack.write(kept), response)
    }
    if (received !== length) throw new ClientGoneError()
    const lastByteAt = performance.now()
    const verdict = await inspection.end()
    if (!isPassed(verdict)) return await breakOff(verdict, holdBack, tools)
    tools.onVerdict(verdict, performance.now() - lastByteAt)
    return await passed(sendRest(holdBack, response, tools))
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
  tools: UploadTools,
): Promise<UploadOutcome> {
  const isKept = verdict.action === 'quarantine'
  tools.onVerdict(verdict, undefined, isKept ? { kept: false, reason: 'too-long' } : undefined)
  await holdBack.abort(new Error('the upload was refused'))
  return refusalOf(verdict)
}

/** What the uploader is told of a verdict. */
export function refusalOf(verdict: RefuseVerdict | BlockVerdict): UploadOutcome {
  return verdict.reason === 'match'
    ? { refusal: verdict.reason, harm: harmOf(verdict) }
    : { refusal: verdict.reason }
}

/** Sends what was held back. Returns the origin's answer. */
async function sendRest(
  holdBack: HoldBack,
  response: Promise<Response>,
  tools: UploadTools,
): Promise<Response> {
  await isWritten(holdBack.end(), response)
  return answerIn(response, tools)
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
function answerIn(response: Promise<Response>, { config }: UploadTools): Promise<Response> {
  const ms = config.maxOriginMs
  return within(response, ms, () => new OriginStalledError(ms))
}

/** Waits for the origin: until it answers, it may still read what is held. */
async function passed(response: Promise<Response>): Promise<UploadOutcome> {
  await response.catch(() => undefined)
  return { response }
}

/** What is wrong with a body that goes on where it should have ended. */
export function tooLong(length: number | undefined, config: Config): Error {
  if (length !== undefined) return new ClientGoneError() // more than it said
  if (config.maxBodyBytes <= config.maxBufferedBytes)
    return new BodyTooLargeError(config.maxBodyBytes)
  return config.onUnknownLength === 'length-required'
    ? new LengthRequiredError(config.maxBufferedBytes)
    : new BodyTooLargeError(config.maxBufferedBytes)
}

function refused({ onVerdict }: UploadTools, error: unknown): UploadOutcome {
  const reason = reasonOf(error)
  onVerdict({ action: 'refuse', reason, files: [], error })
  return { refusal: reason }
}

export function reasonOf(error: unknown): RefuseVerdict['reason'] {
  if (error instanceof BodyTooLargeError || error instanceof BodyOverLimitError) return 'too-large'
  if (error instanceof LengthRequiredError) return 'length-required'
  if (error instanceof MalformedBodyError) return 'malformed'
  if (error instanceof BusyError) return 'busy'
  if (error instanceof ClientStalledError) return 'client-stalled'
  if (error instanceof ClientGoneError) return 'client-gone'
  return error instanceof OriginStalledError ? 'origin-stalled' : 'failed'
}
