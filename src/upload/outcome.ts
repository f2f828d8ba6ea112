import { BodyOverLimitError, MalformedBodyError } from '../body/errors.ts'
import type { BlockVerdict, RefuseVerdict, Verdict } from '../gate/verdict.ts'
import { AmbiguousPathError } from '../policy/routes.ts'
import { BodyTooLargeError, LengthRequiredError, OriginStalledError } from './errors.ts'
import { ClientGoneError, ClientStalledError } from './body-source.ts'
import { PartError } from './parts.ts'
import { BusyError } from '../util/semaphore.ts'

/** The result of an upload: a verdict, or the reason why there is none. */
export type Outcome = Verdict | Unjudged

/** An upload that could not be judged. Its end is never passed on. */
export interface Unjudged {
  action: 'refuse'
  reason:
    | 'busy'
    | 'too-large'
    | 'length-required'
    | 'malformed'
    | 'unscannable'
    | 'client-gone'
    | 'client-stalled'
    | 'origin-stalled'
    | 'failed'
  error: unknown
  /** Version of the list that judged its beginning. */
  listVersion?: number | undefined
}

/** Why an upload does not reach the origin. */
export type Refused = RefuseVerdict | BlockVerdict | Unjudged

/** How far a request got: to the origin, even if that does not answer, or not. */
export type Passage =
  | { isPassed: true; response: Promise<Response> }
  | { isPassed: false; caseId: string; outcome: Refused }

/** The outcome of an upload that failed with an error. */
export function unjudged(error: unknown, listVersion?: number): Unjudged {
  return { action: 'refuse', reason: refusalReason(error), error, listVersion }
}

function refusalReason(error: unknown): Unjudged['reason'] {
  if (error instanceof BodyTooLargeError || error instanceof BodyOverLimitError) return 'too-large'
  if (error instanceof LengthRequiredError) return 'length-required'
  if (error instanceof MalformedBodyError || error instanceof AmbiguousPathError) return 'malformed'
  if (error instanceof PartError) return 'unscannable'
  if (error instanceof BusyError) return 'busy'
  if (error instanceof ClientStalledError) return 'client-stalled'
  if (error instanceof ClientGoneError) return 'client-gone'
  return error instanceof OriginStalledError ? 'origin-stalled' : 'failed'
}
