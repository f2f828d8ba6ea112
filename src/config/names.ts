import type * as v from 'valibot'
import { nearestName } from '../util/nearest.ts'
import { SettingsSchema } from './schema.ts'

/** Secrets of the Worker, and what they are for. */
export const SECRETS = {
  LIST_KEY:
    'The key that the list is sealed with: 64 hex digits. Several, separated by commas, while you change it.',
  WEBHOOK_SECRET:
    'Signs events: `whsec_` and 24 to 64 bytes in base64. Several, separated by spaces, while you change it.',
  API_KEYS: 'Keys of callers that may ask for verdicts and tickets: lines from `hashgate key`.',
  TICKET_KEY: 'Signs tickets: 64 hex digits. Several, separated by commas, while you change it.',
  S3_CLIENT_KEYS: 'Keys that clients sign S3 uploads with: `NAME:SECRET`, separated by commas.',
  S3_ORIGIN_KEY: 'The key that signs requests to the origin: `NAME:SECRET`.',
  ARACHNID_PASSWORD: 'Password for Project Arachnid Shield, of `remote.banks`.',
  TCAP_PASSWORD: 'Password for the hash verification of TCAP, of `remote.banks`.',
} as const

export type SecretName = keyof typeof SECRETS

/** Kinds of bindings, in words, by hashgate's names for them. */
export const BINDING_KINDS = {
  kv: 'a KV namespace',
  r2: 'an R2 bucket',
  'durable-object': 'a Durable Object namespace',
  service: 'a service',
  queue: 'a queue',
  analytics: 'an Analytics Engine dataset',
  images: 'Cloudflare Images',
} as const

export type BindingKind = keyof typeof BINDING_KINDS

/** Bindings of the Worker, and what they are for. */
export const BINDINGS = {
  HASH_LISTS: { kind: 'kv', what: 'The lists. Required.' },
  ORIGIN: { kind: 'service', what: 'The origin, in place of `ORIGIN_URL`.' },
  ORIGIN_BUCKET: { kind: 'r2', what: 'The origin, for trials.' },
  LIST_PIN: {
    kind: 'durable-object',
    className: 'ListPin',
    what: 'Remembers the latest version of the list, so that no older one is accepted.',
  },
  LIST_SHARDS: {
    kind: 'durable-object',
    className: 'ListShard',
    what: 'Holds lists that are too large for an isolate.',
  },
  FLOOD_COUNTERS: {
    kind: 'durable-object',
    className: 'FloodCounter',
    what: 'Counts the matches of an entry across all isolates.',
  },
  IMAGES: {
    kind: 'images',
    what: 'Converts HEIC that is not decoded by `hashgate/heic`, and WebP and AVIF pictures that are too large for the Worker to decode. Each use is billed.',
  },
  QUARANTINE: { kind: 'r2', what: 'Holds quarantined uploads, sealed.' },
  EVENT_QUEUE: { kind: 'queue', what: 'Events, for `events.sinks` with `queue`.' },
  EVENT_ANALYTICS: { kind: 'analytics', what: 'Counts, for `events.sinks` with `analytics`.' },
  OBJECTS: { kind: 'r2', what: 'Receives uploads by ticket.' },
  TICKETS: {
    kind: 'durable-object',
    className: 'TicketUse',
    what: 'Lets each ticket be used once.',
  },
  STAGING: { kind: 'r2', what: 'Holds the parts of uploads that are not complete.' },
  UPLOADS: {
    kind: 'durable-object',
    className: 'StagedUpload',
    what: 'Assembles uploads that arrive in parts.',
  },
} as const satisfies Record<string, { kind: BindingKind; className?: string; what: string }>

export type BindingName = keyof typeof BINDINGS

/** The variables of the Worker. */
export const VARIABLES = ['HASHGATE', 'ORIGIN_URL'] as const

const KNOWN: readonly string[] = [...VARIABLES, ...Object.keys(SECRETS), ...Object.keys(BINDINGS)]

/** Shortest setting name that variables are compared with. A match probably belongs in HASHGATE. */
const LEAST_SETTING_LENGTH = 7

/**
 * Reports each name in an environment that is nearly a known one, with the name that was probably
 * meant. Other names are the operator's own.
 */
export function misspeltNames(env: object): string[] {
  const strange = Object.keys(env).filter((name) => !KNOWN.includes(name))
  return strange.flatMap((name) => {
    const nearest = nearestName(name, KNOWN)
    if (nearest !== undefined)
      return `${name} is not a name that hashgate reads; did you mean ${nearest}?`
    const setting = nearestSetting(name)
    return setting === undefined ? [] : `${name} is not read; did you mean ${setting} in HASHGATE?`
  })
}

/** The setting whose name, with or without its group, is nearly that of a variable. */
function nearestSetting(name: string): string | undefined {
  const paths = new Map<string, string>()
  for (const path of settingPaths(SettingsSchema)) {
    paths.set(path, path)
    const leaf = path.split('.').at(-1) ?? ''
    if (leaf.length >= LEAST_SETTING_LENGTH) paths.set(leaf, path)
  }
  return paths.get(nearestName(name, paths.keys()) ?? '')
}

/** Paths of settings with a name of their own, such as upload.maxBodyBytes. */
function settingPaths(schema: v.GenericSchema): string[] {
  const inner = 'wrapped' in schema ? (schema.wrapped as v.GenericSchema) : schema
  if (!('entries' in inner)) return ['']
  return Object.entries(inner.entries as v.ObjectEntries).flatMap(([key, entry]) =>
    settingPaths(entry as v.GenericSchema).map((path) => (path === '' ? key : `${key}.${path}`)),
  )
}
