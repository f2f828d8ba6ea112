import type * as v from 'valibot'
import { nearestName } from '../util/nearest.ts'
import { SettingsSchema } from './schema.ts'

/** Secrets of the Worker, and what they are for. */
export const SECRETS = {
  LIST_KEY:
    'The key that the list is sealed with: 64 hex digits. Several with commas while you change it.',
  WEBHOOK_SECRET:
    'Signs events: `whsec_` and 24 to 64 bytes in base64. Several with spaces while you change it.',
  API_KEYS: 'Who may ask for verdicts and tickets: lines of `hashgate key`.',
  TICKET_KEY: 'Signs tickets: 64 hex digits. Several with commas while you change it.',
  S3_CLIENT_KEYS: 'Keys by which clients sign S3 multipart uploads: `NAME:SECRET`, with commas.',
  S3_ORIGIN_KEY: 'The key by which the origin wants them signed: `NAME:SECRET`.',
  ARACHNID_PASSWORD: 'Password for Project Arachnid Shield, of `remote.banks`.',
  TCAP_PASSWORD: 'Password for the hash verification of TCAP, of `remote.banks`.',
} as const

export type SecretName = keyof typeof SECRETS

/** Kinds of bindings, with what wrangler's configuration calls them. */
export const BINDING_KINDS = {
  kv: 'a KV namespace',
  r2: 'an R2 bucket',
  'durable-object': 'a namespace of Durable Objects',
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
  ORIGIN_BUCKET: { kind: 'r2', what: 'The origin, for trying things out.' },
  LIST_PIN: {
    kind: 'durable-object',
    className: 'ListPin',
    what: 'Knows the latest version of the list, so that no older one passes for it.',
  },
  LIST_SHARDS: {
    kind: 'durable-object',
    className: 'ListShard',
    what: 'Lists that are too large for an isolate.',
  },
  FLOOD_COUNTERS: {
    kind: 'durable-object',
    className: 'FloodCounter',
    what: 'Counts matches of an entry for all isolates together.',
  },
  IMAGES: {
    kind: 'images',
    what: 'Converts HEIC that is not decoded by `hashgate/heic`, and WebP and AVIF pictures that are too large to be decoded here. Each use is billed.',
  },
  QUARANTINE: { kind: 'r2', what: 'What is quarantined.' },
  EVENT_QUEUE: { kind: 'queue', what: 'Events, for `events.sinks` with `queue`.' },
  EVENT_ANALYTICS: { kind: 'analytics', what: 'Counts, for `events.sinks` with `analytics`.' },
  OBJECTS: { kind: 'r2', what: 'Uploads by ticket.' },
  TICKETS: { kind: 'durable-object', className: 'TicketUse', what: 'Uploads by ticket.' },
  STAGING: { kind: 'r2', what: 'Uploads that arrive in parts.' },
  UPLOADS: {
    kind: 'durable-object',
    className: 'StagedUpload',
    what: 'Uploads that arrive in parts.',
  },
} as const satisfies Record<string, { kind: BindingKind; className?: string; what: string }>

export type BindingName = keyof typeof BINDINGS

/** The variables of the Worker. */
export const VARIABLES = ['HASHGATE', 'ORIGIN_URL'] as const

const KNOWN: readonly string[] = [...VARIABLES, ...Object.keys(SECRETS), ...Object.keys(BINDINGS)]

/** A variable that is called just like a setting is one that somebody has put beside HASHGATE. */
const LEAST_SETTING_LENGTH = 7

/** Says of each name of an environment that is nearly a known one what was probably meant. Other names are the operator's own. */
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

/** The setting whose name, with or without its group, a variable nearly has. */
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
