import { isPassed, type Verdict } from '../gate/verdict.ts'
import { BodyTooLargeError } from './errors.ts'
import type { HeldBody } from './held-body.ts'
import type { Inspection } from './inspection.ts'
import type { Passage } from './outcome.ts'
import { acquireLongPlace, answerIn, passed, type UploadDeps } from './passing.ts'
import type { Permit } from '../util/semaphore.ts'
import { Spool } from './spool.ts'
import type { Staging } from './staging/staging.ts'

/** A body without a length that turned out to be too long to be held. */
export interface Overflow {
  chunks: AsyncGenerator<Uint8Array>
  held: HeldBody
  /** The chunk that is not held. */
  next: Uint8Array
  /** Whether what is held was inspected. */
  isInspected: boolean
}

/** Lets the rest of an upload wait in the bucket. The origin hears of it after the verdict, with its length. */
export async function passSpooled(
  overflow: Overflow,
  permit: Permit,
  inspection: Inspection,
  staging: Staging,
  deps: UploadDeps,
): Promise<Passage> {
  const place = await acquireLongPlace(deps)
  const spool = await Spool.begin(staging, deps.bytes).catch((error: unknown) => {
    place.release()
    throw error
  })
  try {
    await spoolHeld(overflow, permit, inspection, spool)
    let verdict: Verdict | undefined
    let chunk: Uint8Array | undefined = overflow.next
    for (; chunk; chunk = (await overflow.chunks.next()).value as Uint8Array | undefined) {
      place.touch()
      const { maxBodyBytes } = deps.settings.upload
      if (spool.length + chunk.length > maxBodyBytes) throw new BodyTooLargeError(maxBodyBytes)
      const kept = chunk.slice()
      await inspection.take(kept)
      verdict = await inspection.judge()
      if (verdict && !isPassed(verdict)) break
      await spool.write(kept)
    }
    const lastByteAt = performance.now()
    if (!verdict || isPassed(verdict)) verdict = await inspection.end()
    place.release()
    return await passOn(verdict, performance.now() - lastByteAt, spool, deps)
  } finally {
    place.release()
    await spool.discard()
  }
}

async function spoolHeld(
  { held, isInspected }: Overflow,
  permit: Permit,
  inspection: Inspection,
  spool: Spool,
): Promise<void> {
  for (const chunk of held.chunks()) {
    permit.touch()
    if (!isInspected) await inspection.take(chunk)
    await spool.write(chunk)
  }
  held.forget()
  permit.release()
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
  const passage = await passed(answerIn(deps.forward(body.readable), deps))
  await Promise.race([
    body.sent, // an origin may answer first
    new Promise((resolve) => setTimeout(resolve, deps.settings.origin.timeoutSeconds * 1000)),
  ])
  await body.stop()
  return passage
}
