import type { BlockVerdict } from '../gate/verdict.ts'
import type { Kept } from '../quarantine/record.ts'
import { within } from '../util/within.ts'
import { ClientGoneError } from './body-source.ts'
import { BodyTooLargeError, LengthRequiredError, OriginStalledError } from './errors.ts'
import type { HeldBody } from './held-body.ts'
import type { InspectionDeps } from './inspection.ts'
import type { ForwardedBody } from './origin.ts'
import type { Outcome, Passage } from './outcome.ts'
import type { Permit, Semaphore } from '../util/semaphore.ts'
import type { PassSettings, UploadSettings } from './settings.ts'
import { Spool } from './spool.ts'
import type { Staging } from './staging/staging.ts'

export interface UploadDeps extends InspectionDeps {
  /** Names the upload in events and answers. */
  caseId: string
  settings: PassSettings
  /** Bytes that uploads hold. */
  bytes: Semaphore
  /** Bytes of those that pictures in long uploads hold: a share, so that such uploads leave room for others. */
  pictureBytes: Semaphore
  /** Places for uploads that are decoded while they arrive. */
  decoders: Semaphore
  /** Places for long uploads among them: fewer, so that short ones find some. */
  longPlaces: Semaphore
  /** Where bodies wait for their verdict that are too long to be held. */
  staging?: Staging | undefined
  forward: (body: ForwardedBody) => Promise<Response>
  /** Keeps the body of an upload that is quarantined; it is held until this is done. Never throws. */
  keep: (verdict: BlockVerdict, body: HeldBody) => Promise<Kept>
  /**
   * Given what came of it, before the origin can have the whole body, the milliseconds since the last byte came in, and what
   * became of a body that was to be kept.
   */
  onOutcome: (outcome: Outcome, afterLastByteMs?: number, kept?: Kept) => void
}

/** Bytes of images that wait for a library which a long upload may hold: of others all bytes are held anyway. */
export function longHeldBytes({ maxHeldBytes }: Pick<UploadSettings, 'maxHeldBytes'>): number {
  return Math.floor(maxHeldBytes / 16)
}

type UploadPlace = Pick<Permit, 'touch' | 'release'>

/** A place for a long upload, which is decoded while it arrives. @throws {BusyError} */
export async function acquireLongPlace({
  decoders,
  longPlaces,
}: Pick<UploadDeps, 'decoders' | 'longPlaces'>): Promise<UploadPlace> {
  const long = await longPlaces.acquire(1)
  try {
    return jointPlace(long, await decoders.acquire(1))
  } catch (error) {
    long.release()
    throw error
  }
}

/** A decoder's place as one for a long upload, if there is room for another of these; else it is given back. */
export function joinLongPlace(
  place: Permit,
  { longPlaces }: Pick<UploadDeps, 'longPlaces'>,
): UploadPlace | undefined {
  const long = longPlaces.tryAcquire(1)
  if (long) return jointPlace(long, place)
  place.release()
  return undefined
}

function jointPlace(...permits: Permit[]): UploadPlace {
  return {
    touch: () => permits.forEach((permit) => permit.touch()),
    release: () => permits.forEach((permit) => permit.release()),
  }
}

/** Bytes that a body needs. */
export interface Room {
  /** What is held of it at most. */
  held: number
  /** What it needs beside that to wait in the bucket if it is longer; 0 if it may not. */
  spool: number
}

/** The room that a body of a length needs; `undefined`: it does not say. */
export function roomFor(
  length: number | undefined,
  { settings, staging }: Pick<UploadDeps, 'settings' | 'staging'>,
): Room {
  if (length !== undefined) return { held: length, spool: 0 }
  const { maxBodyBytes, maxBufferedBytes, maxHeldBytes } = settings.upload
  const held = Math.min(maxBodyBytes, maxBufferedBytes)
  if (!staging || maxBodyBytes <= Math.min(maxBufferedBytes, maxHeldBytes - Spool.bytes))
    return { held, spool: 0 }
  return { held: Math.min(held, maxHeldBytes - Spool.bytes), spool: Spool.bytes }
}

export function withLessHeld(deps: UploadDeps): UploadDeps {
  const limits = { ...deps.context.limits, heldBytes: longHeldBytes(deps.settings.upload) }
  return { ...deps, context: { ...deps.context, limits } }
}

/** The origin's answer, if its head comes in time. @throws {OriginStalledError} */
export function answerIn(response: Promise<Response>, { settings }: UploadDeps): Promise<Response> {
  const ms = settings.origin.timeoutSeconds * 1000
  return within(response, ms, () => new OriginStalledError(ms))
}

/** Waits for the origin: until it answers, it may still read what is held. */
export async function passed(response: Promise<Response>): Promise<Passage> {
  await response.catch(() => undefined)
  return { isPassed: true, response }
}

/** The error of a body that is longer than it should be. */
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
