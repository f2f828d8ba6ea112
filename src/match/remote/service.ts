import { HashgateError } from '../../util/errors.ts'
import { parseJson } from '../../util/json.ts'
import { readAtMost } from '../../util/read-at-most.ts'
import { retryAfterSeconds } from '../../util/retry-after.ts'
import { within } from '../../util/within.ts'
import type { Hash256 } from '../../util/hash.ts'

/** A service that is asked about hashes. */
export interface RemoteService {
  readonly maxHashes: number
  /**
   * What it knows about each hash, in order; `undefined`: not known.
   * @throws {RemoteError}
   */
  ask(hashes: readonly Hash256[], signal: AbortSignal): Promise<(Finding | undefined)[]>
}

/** What a service knows of a hash. */
export interface Finding {
  /** The service's own classification. */
  classification: string
  /** Bits between the hash and the known one; `undefined` if the service does not report it. */
  distance: number | undefined
  /** The service's own id of the entry, if it reports one that is not a hash. */
  id?: string
  /** Tells entries of the service apart. It is derived from the service's hashes, so only pass it to an HMAC. */
  secret: string
}

/** A service gave no answer, or an invalid one. Answers hold hashes, so messages never quote them. */
export class RemoteError extends HashgateError {
  readonly code = 'remote-failed'
  /** Whether asking again at once is useless. */
  readonly isLasting: boolean
  readonly retrySeconds: number | undefined

  constructor(
    problem: string,
    how: { isLasting?: boolean; retrySeconds?: number | undefined } = {},
  ) {
    super(problem)
    this.isLasting = how.isLasting ?? false
    this.retrySeconds = how.retrySeconds
  }
}

export type Fetch = (request: Request) => Promise<Response>

/** Most bytes of an answer: more than 100 near matches of each hash would take. */
const MAX_ANSWER_BYTES = 1 << 20

/** Posts JSON and reads JSON. @throws {RemoteError} */
export async function postJson(
  fetch: Fetch,
  url: string,
  { body, authorization, signal }: { body: unknown; authorization?: string; signal: AbortSignal },
): Promise<unknown> {
  const request = new Request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'hashgate',
      ...(authorization !== undefined && { authorization }),
    },
    body: JSON.stringify(body),
    redirect: 'manual', // a redirect could lead credentials and hashes astray
    signal,
  })
  let response: Response
  try {
    response = await fetch(request)
  } catch {
    throw new RemoteError('there is no connection') // without a cause: its message may contain the address
  }
  if (response.ok) return readAnswer(response)
  await response.body?.cancel().catch(() => undefined)
  throw statusError(response)
}

function statusError({ status, headers }: Response): RemoteError {
  if (status === 401 || status === 403) {
    return new RemoteError(`the credentials are not accepted (${status})`, { isLasting: true })
  }
  const retrySeconds = retryAfterSeconds(headers.get('retry-after') ?? '')
  return new RemoteError(`the status is ${status}`, { isLasting: status === 429, retrySeconds })
}

async function readAnswer(response: Response): Promise<unknown> {
  const body = await readAtMost(response.body, MAX_ANSWER_BYTES).catch(() => {
    throw new RemoteError('the answer broke off')
  })
  const answer = body && parseJson(body)
  if (answer === undefined) throw new RemoteError('the answer is not JSON, or too long')
  return answer
}

/** Asks with a timeout. @throws {RemoteError} */
export async function askInTime<T>(
  ms: number,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  try {
    return await within(ask(controller.signal), ms, () => new RemoteError(`no answer in ${ms} ms`))
  } finally {
    controller.abort()
  }
}
