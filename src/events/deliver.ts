import * as v from 'valibot'
import { describeError } from '../util/errors.ts'
import { NotAcceptedError, NotAnEventError, NoWebhookError } from './errors.ts'
import { stampEvent } from './stamp.ts'
import { logEvent } from './report.ts'
import { postSigned, type Webhook } from './webhook.ts'
import { retryAfterSeconds } from '../util/retry-after.ts'

/** What a message must have to be delivered. Nothing more is checked: its Worker may be older. */
const EventIdSchema = v.object({ id: v.pipe(v.string(), v.uuid()) })

/** Events that are delivered at once: a Worker may have six connections. */
const MAX_AT_ONCE = 5
/**
 * Most seconds between attempts: 100 attempts, as many as a queue makes, then end before the 4 days
 * for which it keeps events.
 */
const MAX_RETRY_SECONDS = 3000
/** Share of the wait by which attempts are spread, so that they do not all come at once. */
const JITTER = 0.2

/**
 * Delivers the events of a queue to the webhook. An event that is not accepted stays in the queue
 * until its next attempt.
 */
export async function deliverEvents(
  batch: MessageBatch,
  webhook: Webhook | undefined,
): Promise<void> {
  const messages = batch.messages.values()
  const lane = async () => {
    for (const message of messages) await deliver(message, webhook)
  }
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, lane))
}

async function deliver(message: Message, webhook: Webhook | undefined): Promise<void> {
  const { body, attempts } = message
  const event = v.safeParse(EventIdSchema, body)
  try {
    if (!webhook) throw new NoWebhookError()
    if (!event.success) throw new NotAnEventError()
    await postSigned(webhook, event.output.id, JSON.stringify(body))
    message.ack()
  } catch (error) {
    const delaySeconds = webhook
      ? secondsUntilRetry(error, attempts, webhook.retrySeconds)
      : MAX_RETRY_SECONDS
    message.retry({ delaySeconds })
    logEvent(
      stampEvent({
        event: 'delivery-error',
        ...(event.success && { eventId: event.output.id }),
        attempt: attempts,
        retrySeconds: delaySeconds,
        ...(error instanceof NotAcceptedError && { status: error.status }),
        error: describeError(error),
      }),
    )
  }
}

/**
 * Seconds until an event is tried again: twice as many each time, or what the receiver asks for, if
 * that is more. If the receiver is gone (410), or the message is not an event, the first wait is
 * the longest: nothing will change soon.
 * @param attempts made, including this one
 */
export function secondsUntilRetry(error: unknown, attempts: number, firstSeconds: number): number {
  const isGone = error instanceof NotAcceptedError && error.status === 410
  if (isGone || error instanceof NotAnEventError) return MAX_RETRY_SECONDS
  const backoff = Math.min(firstSeconds * 2 ** (attempts - 1), MAX_RETRY_SECONDS)
  const spread = Math.max(1, Math.round(backoff * (1 - JITTER * Math.random())))
  const asked =
    error instanceof NotAcceptedError ? (retryAfterSeconds(error.retryAfter ?? '') ?? 0) : 0
  return Math.min(Math.max(spread, asked), MAX_RETRY_SECONDS)
}
