import { isPassed, type Verdict } from '../gate/verdict.ts'
import { DIGEST_KINDS } from '../list/entry.ts'
import { BodyTooLargeError, DigestKindAddedError } from './errors.ts'
import type { HeldBody } from './held-body.ts'
import { Inspection } from './inspection.ts'
import type { Passage } from './outcome.ts'
import {
  acquireLongPlace,
  answerIn,
  joinLongPlace,
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

/** Moves the rest of an upload to the bucket. After the verdict, it goes on with its length. */
export async function passSpooled(
  request: Request,
  overflow: Overflow,
  { permit, inspection }: { permit: Permit; inspection: Inspection },
  staging: Staging,
  deps: UploadDeps,
): Promise<Passage> {
  const place = overflow.place && joinLongPlace(overflow.place, deps)
  let spool: Spool | undefined
  let room: PictureRoom | undefined
  try {
    spool = await Spool.begin(staging, permit)
    await spoolHeld(overflow.held, permit, spool)
    room = roomOf(permit, deps)
    const early = await spoolRest(overflow, spool, place && { place, inspection, room }, deps)
    room.release()
    if (!early) place?.release() // it will wait for another
    const lastByteAt = performance.now()
    const verdict = early ?? (await verdictOnSpooled(request, spool, permit, deps))
    place?.release()
    return await passOn(verdict, performance.now() - lastByteAt, spool, deps)
  } finally {
    room?.release()
    place?.release()
    await spool?.discard()
  }
}

/** A body without a length that turned out to be too long to hold. */
export interface Overflow {
  chunks: AsyncGenerator<Uint8Array>
  held: HeldBody
  /** The first chunk that is not held. */
  next: Uint8Array
  /** The place for the inspection of what is held, if there was one. */
  place: Permit | undefined
}

/** The inspection of an upload that may have to wait in the bucket. */
export function inspectionOfSpooled(request: Request, deps: UploadDeps): Inspection {
  return new Inspection(request, withLessHeld(deps, readBackBytes(deps)))
}

/** Room for the images that an inspection holds whole, although the body is in the bucket. */
function roomOf(permit: Permit, deps: UploadDeps): PictureRoom {
  return new PictureRoom(deps.pictureBytes, readBackBytes(deps), permit)
}

async function spoolHeld(held: HeldBody, permit: Permit, spool: Spool): Promise<void> {
  for (const chunk of held.chunks()) await spool.write(chunk)
  held.forget()
  permit.shrink(Spool.bytes)
  permit.settle() // few bodies have images that are held whole: others need not wait for them
}

/** What inspects a body while it arrives. */
interface Inspected {
  place: Pick<Permit, 'touch'>
  inspection: Inspection
  room: PictureRoom
}

/**
 * Reads a body to its end, or until it is refused. Returns the verdict; `undefined` if the body
 * could not be inspected while it arrived, or was not compared with everything that is listed.
 */
async function spoolRest(
  { chunks, next }: Overflow,
  spool: Spool,
  inspected: Inspected | undefined,
  deps: UploadDeps,
): Promise<Verdict | undefined> {
  let looking = inspected
  const { maxBodyBytes } = deps.settings.upload
  for (let chunk: Uint8Array | undefined = next; chunk; chunk = await nextOf(chunks)) {
    if (spool.length + chunk.length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes)
    const kept = chunk.slice()
    await spool.write(kept)
    if (!looking) continue
    const { place, inspection, room } = looking
    place.touch()
    room.touch()
    await inspection.take(kept)
    await room.hold(inspection.heldBytes)
    const verdict = await unlessKindAdded(inspection.judge())
    if (verdict === 'kind-added') looking = undefined
    else if (verdict && !isPassed(verdict)) return verdict
  }
  const verdict = await unlessKindAdded(looking?.inspection.end())
  return verdict === 'kind-added' ? undefined : verdict
}

async function nextOf(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { done, value } = await chunks.next()
  return done ? undefined : value
}

async function unlessKindAdded<T>(
  verdict: Promise<T> | undefined,
): Promise<T | 'kind-added' | undefined> {
  try {
    return await verdict
  } catch (error) {
    if (error instanceof DigestKindAddedError) return 'kind-added'
    throw error
  }
}

/**
 * The verdict on a body in the bucket. While it waits for a place, it holds nothing that the
 * place's holder needs.
 */
async function verdictOnSpooled(
  request: Request,
  spool: Spool,
  permit: Permit,
  deps: UploadDeps,
): Promise<Verdict> {
  await spool.flush()
  permit.shrink(0)
  const place = await acquireLongPlace(deps)
  const room = roomOf(permit, deps)
  try {
    const inspection = inspectionOfSpooled(request, { ...deps, digestKinds: () => DIGEST_KINDS })
    for await (const chunk of chunksOfStream((await spool.read()).readable)) {
      place.touch()
      room.touch()
      await inspection.take(chunk.slice())
      await room.hold(inspection.heldBytes)
    }
    return await inspection.end()
  } finally {
    room.release()
    place.release()
  }
}

async function passOn(
  verdict: Verdict,
  afterLastByteMs: number,
  spool: Spool,
  deps: UploadDeps,
): Promise<Passage> {
  const isKept = verdict.action === 'quarantine'
  deps.onOutcome(verdict, afterLastByteMs, isKept ? { kept: false, reason: 'too-long' } : undefined)
  if (!isPassed(verdict)) return { isPassed: false, caseId: deps.caseId, outcome: verdict }
  const body = await spool.read()
  const lastReadAt = () => body.lastReadAt
  const passage = await passed(
    answerIn(deps.forward(body.readable), { settings: deps.settings, lastReadAt }),
  )
  await body.finish(deps.settings.origin.timeoutSeconds * 1000)
  return passage
}
