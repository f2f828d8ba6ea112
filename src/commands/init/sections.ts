import type { Answers } from './options.ts'

/** A key of wrangler's configuration, with what it is for. */
export interface Section {
  comment: string
  key: string
  value: unknown
}

const COMPATIBILITY_DATE = '2026-10-20'

/** wrangler's configuration of a deployment, key by key. */
export function sectionsOf(answers: Answers, namespaceId?: string): Section[] {
  const { name, route, zone, heic } = answers
  const isQuarantined = answers.action === 'quarantine'
  const section = (key: string, value: unknown, comment = ''): Section => ({ comment, key, value })
  const namespace = { binding: 'HASH_LISTS', ...(namespaceId !== undefined && { id: namespaceId }) }
  const sections = [
    section('name', name, 'The name of the Worker.'),
    section('main', 'index.ts'),
    section('compatibility_date', COMPATIBILITY_DATE),
    section('compatibility_flags', ['nodejs_compat']),
    section('workers_dev', false, 'No second address at workers.dev, and none for each version.'),
    section('preview_urls', false),
    section('observability', { enabled: true }, 'Keeps the log, which has the events.'),
    route !== undefined &&
      section(
        'routes',
        [{ pattern: route, zone_name: zone }],
        'The requests that go through hashgate. Allowed ones continue to the server behind the route, or to ORIGIN_URL.',
      ),
    section('kv_namespaces', [namespace], 'The hash lists, sealed with the secret LIST_KEY.'),
    section(
      'durable_objects',
      {
        bindings: [
          { name: 'FLOOD_COUNTERS', class_name: 'FloodCounter' },
          { name: 'LIST_PIN', class_name: 'ListPin' },
        ],
      },
      'Shared by all isolates. FLOOD_COUNTERS counts the matches of each entry, to find entries that match too much. LIST_PIN knows the latest version of the list, so that no older one is used.',
    ),
    section('migrations', [
      { tag: 'flood-counters', new_sqlite_classes: ['FloodCounter'] },
      { tag: 'list-pin', new_sqlite_classes: ['ListPin'] },
    ]),
    isQuarantined &&
      section(
        'r2_buckets',
        [{ binding: 'QUARANTINE', bucket_name: `${name}-quarantine` }],
        'Refused uploads, sealed to the recipient in vars. The trigger deletes what has expired.',
      ),
    answers.service !== undefined
      ? section(
          'triggers',
          { crons: ['*/5 * * * *'] },
          'Asks a service again if it did not answer.',
        )
      : isQuarantined && section('triggers', { crons: ['17 * * * *'] }),
    answers.webhook === undefined
      ? answers.queue === true &&
        section(
          'queues',
          { producers: [producerOf(name)] },
          'Events, for your program that reads this queue.',
        )
      : section('queues', queuesOf(name), 'Keeps events until the webhook has taken them.'),
    heic === 'images' &&
      section('images', { binding: 'IMAGES' }, 'Decodes HEIC. Each use is billed.'),
    section(
      'vars',
      varsOf(answers),
      'The settings. `npx hashgate config` prints those in effect. Never put secrets here.',
    ),
  ]
  return sections.filter((one) => one !== false)
}

function queuesOf(name: string): object {
  const producer = producerOf(name)
  return {
    producers: [producer],
    consumers: [
      {
        queue: producer.queue,
        max_batch_timeout: 1,
        max_retries: 100,
        dead_letter_queue: `${name}-dead-events`,
      },
    ],
  }
}

function producerOf(name: string) {
  return { binding: 'EVENT_QUEUE', queue: `${name}-events` }
}

function varsOf(answers: Answers): object {
  const { origin } = answers
  return { ...(origin !== undefined && { ORIGIN_URL: origin }), HASHGATE: settingsOf(answers) }
}

export function settingsOf(answers: Answers) {
  const { preset, mode, bank, action, recipient, webhook, queue, service, user } = answers
  const isQuarantined = recipient !== undefined && action === 'quarantine'
  return {
    preset,
    policy: { mode, banks: { [service ?? bank]: { action } } },
    ...(service !== undefined && {
      list: { onMissing: 'remote' },
      remote: { banks: { [service]: { service, user } } },
    }),
    ...(isQuarantined && { quarantine: { recipients: [recipient] } }),
    ...((webhook !== undefined || queue === true) && {
      events: {
        sinks: ['console', 'queue'],
        ...(webhook !== undefined && { webhook: { url: webhook } }),
      },
    }),
  }
}
