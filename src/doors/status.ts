import type { Outcome } from '../upload/outcome.ts'

/** The status and title of the answer to an outcome. */
export interface Status {
  status: number
  title: string
}

/** Seconds until an upload that could not be judged may be sent again: with status 503. */
export const RETRY_AFTER_SECONDS = 30

/** The status of an outcome, at every door. A flagged upload is not refused; people review it. */
export function statusOf(outcome: Outcome): Status {
  switch (outcome.action) {
    case 'allow':
      return { status: 200, title: 'This upload is accepted.' }
    case 'flag':
      return { status: 202, title: 'This upload is accepted.' }
    case 'block':
    case 'quarantine':
      return { status: 451, title: 'This upload cannot be accepted.' }
    case 'refuse':
      return refusalStatus(outcome.reason)
  }
}

function refusalStatus(reason: Extract<Outcome, { action: 'refuse' }>['reason']): Status {
  switch (reason) {
    case 'unscannable':
      return { status: 422, title: 'This upload cannot be processed.' }
    case 'too-large':
      return { status: 413, title: 'This upload is too large.' }
    case 'length-required':
      return { status: 411, title: 'This upload must say how long it is.' }
    case 'malformed':
      return { status: 400, title: 'This upload is malformed.' }
    case 'unaccepted-format':
      return { status: 415, title: 'This type of file is not accepted here.' }
    case 'client-stalled':
      return { status: 408, title: 'This upload took too long.' }
    case 'client-gone':
      return { status: 400, title: 'This upload is incomplete.' }
    case 'origin-stalled':
      return { status: 504, title: 'Uploads are not available at the moment.' }
    case 'failed':
    case 'busy':
      return { status: 503, title: 'Uploads are not available at the moment.' }
  }
}
