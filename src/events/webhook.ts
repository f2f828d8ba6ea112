import { Buffer } from 'node:buffer'
import { createHmac } from 'node:crypto'
import * as v from 'valibot'
import { BadConfigError } from '../util/errors.ts'
import { NoAnswerError, NotAcceptedError, UnreachableError } from './errors.ts'
import type { EventSettings } from './settings.ts'

/** Where events are delivered to. */
export interface Webhook {
  url: string
  /** Each signs: a receiver may have the old one or the new one. */
  secrets: readonly Buffer[]
  timeoutMs: number
  /** Seconds until the second attempt. They double with each attempt. */
  retrySeconds: number
}

/** Bytes of a secret, as Standard Webhooks requires. */
const MIN_SECRET_BYTES = 24
const MAX_SECRET_BYTES = 64

const SECRET_MESSAGE = `must be whsec_ and ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes in base64, or several, separated by spaces`

const WebhookSecrets = v.pipe(
  v.string(SECRET_MESSAGE),
  v.transform((text) => text.split(/[\s,]+/).map(parseSecret)),
  v.custom<Buffer[]>((secrets) => (secrets as unknown[]).every(Boolean), SECRET_MESSAGE),
)

/**
 * Where events are delivered to; `undefined` if nowhere.
 * @param secret WEBHOOK_SECRET
 * @throws {BadConfigError} the secret is invalid
 */
export function webhookOf(
  { url, timeoutSeconds, retrySeconds }: EventSettings['webhook'],
  secret: string | undefined,
): Webhook | undefined {
  if (url === undefined) return undefined
  const secrets = v.safeParse(WebhookSecrets, secret)
  if (!secrets.success) throw new BadConfigError([`WEBHOOK_SECRET ${SECRET_MESSAGE}`])
  return { url, secrets: secrets.output, timeoutMs: timeoutSeconds * 1000, retrySeconds }
}

function parseSecret(text: string): Buffer | undefined {
  const [, base64] = /^whsec_(.+)$/.exec(text) ?? []
  const secret = Buffer.from(base64 ?? '', 'base64')
  if (secret.toString('base64') !== base64) return undefined
  return secret.length >= MIN_SECRET_BYTES && secret.length <= MAX_SECRET_BYTES ? secret : undefined
}

/**
 * Headers that prove who sent a body, and when, as in Standard Webhooks 1.0.0.
 * @param id identifies the event, the same for all attempts
 * @param seconds since the epoch, of this attempt
 */
export function signatureHeaders(
  id: string,
  seconds: number,
  body: string,
  secrets: readonly Buffer[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`)
    return `v1,${hmac.digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  }
}

/**
 * Posts a body once. A redirect is a failure: only the operator says where events go.
 * @throws {NotAcceptedError | NoAnswerError | UnreachableError}
 */
export async function postSigned(webhook: Webhook, id: string, body: string): Promise<void> {
  const { url, secrets, timeoutMs } = webhook
  const seconds = Math.floor(Date.now() / 1000)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'hashgate',
        ...signatureHeaders(id, seconds, body, secrets),
      },
      body,
      redirect: 'manual',
      signal,
    })
    await response.body?.cancel().catch(() => undefined) // its status says all
    if (!response.ok) throw new NotAcceptedError(response)
  } catch (error) {
    if (error instanceof NotAcceptedError) throw error
    if (signal.aborted) throw new NoAnswerError(timeoutMs)
    throw new UnreachableError({ cause: error })
  }
}
