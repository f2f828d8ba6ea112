import { HashgateError } from '../util/errors.ts'

/**
 * A sink is configured, but what it needs is not bound.
 * @example
 * ```ts
 * import { SinkNotBoundError } from 'hashgate/features'
 *
 * export default { fetch: () => new Response(new SinkNotBoundError('queue', 'EVENT_QUEUE').message) }
 * ```
 */
export class SinkNotBoundError extends HashgateError {
  readonly code = 'sink-not-bound'

  constructor(sink: string, binding: string) {
    super(`events.sinks has ${sink}, but ${binding} is not bound`)
  }
}

/** A sink takes too long. */
export class SinkStalledError extends HashgateError {
  readonly code = 'sink-stalled'

  constructor(ms: number) {
    super(`the sink did not accept the event within ${ms / 1000} seconds`)
  }
}

/** The receiver rejects the event, or redirects it. */
export class NotAcceptedError extends HashgateError {
  readonly code = 'not-accepted'
  readonly status: number
  /** Its Retry-After; `undefined` if it has none. */
  readonly retryAfter: string | undefined

  constructor({ status, headers }: Response) {
    super(`the receiver answered ${status}`)
    this.status = status
    this.retryAfter = headers.get('retry-after') ?? undefined
  }
}

/** The receiver does not answer in time. */
export class NoAnswerError extends HashgateError {
  readonly code = 'no-answer'

  constructor(ms: number) {
    super(`the receiver did not answer within ${ms / 1000} seconds`)
  }
}

/** There is no connection to the receiver, or it was lost. */
export class UnreachableError extends HashgateError {
  readonly code = 'unreachable'

  constructor(options: ErrorOptions) {
    super('the receiver could not be reached', options)
  }
}

/** A message in the queue is not an event of this Worker. */
export class NotAnEventError extends HashgateError {
  readonly code = 'not-an-event'

  constructor() {
    super('the message has no event id')
  }
}

/** Events arrive from a queue, but there is nowhere to deliver them to. */
export class NoWebhookError extends HashgateError {
  readonly code = 'no-webhook'

  constructor() {
    super('events.webhook.url is not set')
  }
}
