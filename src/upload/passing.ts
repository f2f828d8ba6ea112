import type { BlockVerdict } from '../gate/verdict.ts'
import type { Kept } from '../quarantine/record.ts'
import { unlessIdle } from '../util/within.ts'
import { ClientGoneError } from './body-source.ts'
import { BodyTooLargeError, LengthRequiredError, OriginStalledError } from './errors.ts'
import type { HeldBody } from './held-body.ts'
import { HoldBack } from './hold-back.ts'
import type { InspectionDeps } from './inspection.ts'
import type { ForwardedBody } from './origin.ts'
import type { Outcome, Passage } from './outcome.ts'
import type { Permit, Semaphore } from '../util/semaphore.ts'
import { SCAN_LIMITS } from '../scan/limits.ts'
import type { PassSettings, UploadSettings } from './settings.ts'
import { Spool } from './spool.ts'
import type { Staging } from './staging/staging.ts'

export interface UploadDeps extends InspectionDeps {
  /** Identifies the upload in events and answers. */
  caseId: string
  settings: PassSettings
  /** Bytes that uploads hold. */
  bytes: Semaphore
  /** Bytes among these that pictures in long uploads hold: a share, so that others have room. */
  pictureBytes: Semaphore
  /** Places for uploads that are decoded while they arrive. */
  decoders: Semaphore
  /** Places for long uploads among them: fewer, so that short ones find some. */
  longPlaces: Semaphore
  /** Where bodies that are too long to hold wait for their verdict. */
  staging?: Staging | undefined
  forward: (body: ForwardedBody) => Promise<Response>
  /** When bytes from a bucket were last read for the origin, in milliseconds since the epoch. */
  lastReadAt?: () => number
  /** Quarantines the body of an upload, which is held until this is done. Never throws. */
  keep: (verdict: BlockVerdict, body: HeldBody) => Promise<Kept>
  /**
   * Called with the outcome before the origin can have the whole body, with the milliseconds since
   * the last byte arrived, and with what became of a body that was to be quarantined.
   */
  onOutcome: (outcome: Outcome, afterLastByteMs?: number, kept?: Kept) => void
}

/** Bytes of images waiting for a library that a long upload may hold. Others are held whole. */
export function longHeldBytes({ maxHeldBytes }: Pick<UploadSettings, 'maxHeldBytes'>): number {
  return Math.floor(maxHeldBytes / 16)
}

/** Bytes that a body in the bucket may hold of its images while it is read back. */
export function readBackBytes({ settings }: Pick<UploadDeps, 'settings'>): number {
  const { maxHeldBytes } = settings.upload
  const own = HoldBack.bytes + longHeldBytes(settings.upload)
  return Math.min(SCAN_LIMITS.heldBytes, Math.floor(maxHeldBytes / 2), maxHeldBytes - own)
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

/** Turns a decoder's place into one for a long upload. If there is no room, gives it back. */
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
  /** Most bytes of it that are held. */
  held: number
  /** Bytes that it needs to wait in the bucket if it is longer; 0 if it must not be. */
  spool: number
}

/** The room that a body needs; `length` is `undefined` if not stated. */
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

/** @param heldBytes bytes of images that may be held whole */
export function withLessHeld(deps: UploadDeps, heldBytes: number): UploadDeps {
  const limits = { ...deps.context.limits, heldBytes }
  return { ...deps, context: { ...deps.context, limits } }
}

/**
 * The origin's answer, if its headers arrive in time. While the origin reads a body from a bucket,
 * which may be long and needs no memory, it is not late. @throws {OriginStalledError}
 */
export function answerIn(
  response: Promise<Response>,
  { settings, lastReadAt = () => 0 }: Pick<UploadDeps, 'settings' | 'lastReadAt'>,
): Promise<Response> {
  const ms = settings.origin.timeoutSeconds * 1000
  return unlessIdle(response, ms, lastReadAt, () => new OriginStalledError(ms))
}

/** Waits for the origin: until it answers, it may still read what is held. */
export async function passed(response: Promise<Response>): Promise<Passage> {
  await response.catch(() => undefined)
  return { isPassed: true, response }
}

/** The error of a body that is longer than it may be. */
export function tooLong(
  length: number | undefined,
  settings: Pick<UploadSettings, 'maxBodyBytes' | 'maxBufferedBytes' | 'onUnknownLength'>,
): Error {
  if (length !== undefined) return new ClientGoneError() // more than it stated
  if (settings.maxBodyBytes <= settings.maxBufferedBytes)
    return new BodyTooLargeError(settings.maxBodyBytes)
  return settings.onUnknownLength === 'length-required'
    ? new LengthRequiredError(settings.maxBufferedBytes)
    : new BodyTooLargeError(settings.maxBufferedBytes)
}
