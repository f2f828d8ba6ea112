import * as v from 'valibot'
import { choice, described, listOf, oneOf, optionalGroup, wholeNumber } from '../util/settings.ts'

/** Where events can go. */
const SINK_NAMES = ['console', 'queue', 'analytics'] as const

export type SinkName = (typeof SINK_NAMES)[number]

/** Which events the queue takes. `notable`: all except uploads that passed with nothing found. */
const QUEUE_CHOICES = ['all', 'notable'] as const

const URL_MESSAGE =
  'must be an https:// URL without a user, password or fragment; http:// only on this machine'

const WebhookUrl = v.pipe(v.string(URL_MESSAGE), v.check(isWebhookUrl, URL_MESSAGE))

const WebhookSettings = optionalGroup(
  {
    url: v.optional(
      described(
        WebhookUrl,
        'An https URL that events of the queue are delivered to. It needs the secret `WEBHOOK_SECRET`.',
      ),
    ),
    timeoutSeconds: v.optional(
      wholeNumber(1, 30, 'Seconds in which the receiver must answer.'),
      15,
    ),
    retrySeconds: v.optional(
      wholeNumber(1, 3000, 'Seconds until the second attempt. The wait doubles with each attempt.'),
      5,
    ),
  },
  'Signed deliveries of events.',
)

/** Where events go. */
export const EventSettings = optionalGroup(
  {
    sinks: v.optional(
      v.pipe(
        listOf(oneOf(SINK_NAMES), 'Where events go.'),
        v.check(
          (names) => names.some((name) => name !== 'analytics'),
          'must list console or queue: analytics only counts',
        ),
      ),
      ['console'],
    ),
    queue: v.optional(
      choice(
        QUEUE_CHOICES,
        'Events that go to the queue: all, or all except uploads that passed with nothing found.',
      ),
      'all',
    ),
    webhook: WebhookSettings,
  },
  'Events: docs/events.md.',
)
export type EventSettings = v.InferOutput<typeof EventSettings>

/** Conflicts between settings of events. */
export function eventProblems({ webhook, sinks }: EventSettings): string[] {
  return webhook.url !== undefined && !sinks.includes('queue')
    ? ['events.sinks must list queue if events.webhook.url is set']
    : []
}

function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.username || url.password || text.includes('#')) return false
  const isHere = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere)
}
