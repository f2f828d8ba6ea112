import * as v from 'valibot'
import { type ApiConfig, API_SETTINGS, readApiConfig } from '../api/settings.ts'
import { HashgateError } from '../util/errors.ts'
import { QUEUE_CHOICES, SINK_NAMES, type SinkSettings } from '../events/settings.ts'
import { type Webhook, WebhookSecrets, WebhookUrl } from '../events/webhook.ts'
import { MAX_LIST_ENTRIES } from '../list/manifest.ts'
import { type Policy, PolicyVariable } from '../policy/schema.ts'
import { parseRecipients, RECIPIENTS_WORDS } from '../quarantine/recipients.ts'
import type { FileFormat } from '../scan/format.ts'
import { parseProbeSet, PROBE_SET_WORDS, type ProbeSet } from '../scan/probes/sets.ts'

/** What to do with an upload that could not be judged. */
const AllowOrRefuse = v.picklist(['allow', 'refuse'], 'must be allow or refuse')

const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** A whole number, as a number or as the text that an environment variable is. */
function wholeNumber(min: number, max: number, fallback: number) {
  const message = `must be a whole number from ${min} to ${max}`
  const range = v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  )
  const text = v.pipe(v.string(message), v.regex(/^\d+$/, message), v.transform(Number), range)
  return v.optional(v.union([range, text], message), fallback)
}

/** A path without a slash at its end. */
const PathOrEmpty = v.pipe(
  v.string(),
  v.regex(
    /^((\/[\w.~-]+)+)?$/,
    'must be a path such as /files, without a slash at its end, or empty',
  ),
)

/** Origins of pages, with commas. */
const CorsOrigins = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').flatMap((origin) => origin.trim() || [])),
  v.array(
    v.pipe(
      v.string(),
      v.regex(/^(\*|https?:\/\/[^/?#\s]+)$/, 'must list origins, such as https://app.example.com'),
    ),
  ),
)

const SINKS_MESSAGE = `must list ${SINK_NAMES.join(', ')}, and not analytics alone`

const EventSinks = v.pipe(
  v.string(SINKS_MESSAGE),
  v.transform((text) => text.split(',').map((name) => name.trim().toLowerCase())),
  v.array(v.picklist(SINK_NAMES, SINKS_MESSAGE)),
  v.check((names) => names.some((name) => name !== 'analytics'), SINKS_MESSAGE),
)

const ConfigSchema = v.object({
  /** Where allowed uploads go, if neither to a service binding, a bucket nor the route's own origin. */
  ORIGIN_URL: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^https?:\/\/[^/?#]+\/?$/, 'must be http:// or https:// and a host, without a path'),
      v.url('must be an absolute URL'),
    ),
  ),
  /** Methods whose requests are gated. */
  GATED_METHODS: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => text.split(',').map((method) => method.trim().toUpperCase())),
      v.array(
        v.picklist(['POST', 'PUT', 'PATCH', 'DELETE'], 'must list POST, PUT, PATCH or DELETE'),
      ),
    ),
    'POST, PUT, PATCH',
  ),
  /** Longest body of a gated request, in bytes. Plans of Cloudflare have limits of their own, from 100 MB on. */
  MAX_BODY_BYTES: wholeNumber(1, 5 * GIB, 512 * MIB),
  /** Longest body that is held whole until its verdict, in bytes. Of a longer one, only the end is held back. */
  MAX_BUFFERED_BYTES: wholeNumber(1, 64 * MIB, 16 * MIB),
  /** What a body is answered that does not say its length, and is longer than that. */
  ON_UNKNOWN_LENGTH: v.optional(
    v.picklist(['length-required', 'too-large'], 'must be length-required or too-large'),
    'length-required',
  ),
  /** Most bytes of bodies that one isolate of 128 MB holds, beside up to 64 MB of list and some decoders. */
  MAX_HELD_BYTES: wholeNumber(1, 100 * MIB, 32 * MIB),
  /** Most uploads of an isolate that are decoded while they come, at 2 to 24 MB each; others, when they have come. */
  MAX_DECODERS: wholeNumber(1, 16, 3),
  /** Seconds for which an upload waits for room. */
  MAX_WAIT_SECONDS: wholeNumber(1, 120, 30),
  /** Seconds in which a client must send 64 KiB, or the rest. */
  CLIENT_STALL_SECONDS: wholeNumber(1, 120, 60),
  /** Seconds in which an origin must take what it is sent, and then answer. */
  ORIGIN_TIMEOUT_SECONDS: wholeNumber(1, 120, 100),
  /** Most files of a multipart body. */
  MAX_FILES: wholeNumber(1, 1000, 100),
  /** Names of fields in JSON and urlencoded bodies that hold files in base64, whatever these begin like. */
  BASE64_FIELDS: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => text.split(',').flatMap((name) => name.trim() || [])),
    ),
    '',
  ),
  /** What images are probed for beside what they show: a set of probe families. */
  PROBES: v.optional(
    v.pipe(
      v.string(PROBE_SET_WORDS),
      v.transform((text) => parseProbeSet(text)),
      v.custom<ProbeSet>((set) => set !== undefined, PROBE_SET_WORDS),
    ),
    'default',
  ),
  /** Seconds after which the list's manifest is looked at again. KV answers no fresher than 30. */
  LIST_REFRESH_SECONDS: wholeNumber(1, 86_400, 60),
  /** Seconds for which a list may be used that could not be confirmed to be the latest; then it is stale. */
  LIST_MAX_AGE_SECONDS: wholeNumber(60, 86_400, 3600),
  /** When the list is stale: use it, or take it for missing. */
  ON_STALE: v.optional(v.picklist(['use', 'fail'], 'must be use or fail'), 'use'),
  /** Most perceptual hashes that an isolate holds: 16 bytes each. Durable Objects hold more, if they are bound. */
  MAX_LIST_ENTRIES: wholeNumber(1, 5 << 20, MAX_LIST_ENTRIES),
  /** Most perceptual hashes of a list that gets tables: 46 bytes more each, and many needles cost a tenth. */
  MAX_TABLE_ENTRIES: wholeNumber(0, 5 << 18, 1 << 20),
  /** Distinct uploads that an entry may match in an hour before it is taken for a mistake, and only flags; 0 for any number. */
  FLOOD_BOUND: wholeNumber(0, 10_000, 100),
  /** Hours for which it then only flags. */
  FLOOD_HOURS: wholeNumber(1, 720, 24),
  /** What is wanted per bank and per route: an object, or JSON. */
  POLICY: v.optional(PolicyVariable, {}),
  /** Public keys of age that bodies of quarantined uploads are sealed to; empty for no quarantine. */
  QUARANTINE_RECIPIENTS: v.optional(
    v.pipe(
      v.string(RECIPIENTS_WORDS),
      v.transform((text) => parseRecipients(text)),
      v.custom<string[]>((recipients) => recipients !== undefined, RECIPIENTS_WORDS),
    ),
    '',
  ),
  /** Days for which they are kept. */
  QUARANTINE_DAYS: wholeNumber(1, 400, 30),
  /** Path at which GET tells how the list stands; empty for none. */
  HEALTH_PATH: v.optional(
    v.pipe(v.string(), v.regex(/^(\/[^?#]*)?$/, 'must be a path that begins with /, or empty')),
    '/healthz',
  ),
  ...API_SETTINGS,
  /** Path under which objects are uploaded by ticket. */
  OBJECTS_PATH: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(\/[\w.-]+)+$/, 'must be a path such as /objects, without a slash at its end'),
    ),
    '/objects',
  ),
  /** Origins of pages that may upload there from another host, with commas. */
  OBJECTS_CORS_ORIGINS: v.optional(CorsOrigins, ''),
  /** Path under which uploads come by the tus protocol; empty for none. */
  TUS_PATH: v.optional(PathOrEmpty, ''),
  /** Path of the origin that gets them, whole, by POST; the same, if empty. */
  TUS_ORIGIN_PATH: v.optional(PathOrEmpty, ''),
  /** Origins of pages that may upload so from another host, with commas. */
  TUS_CORS_ORIGINS: v.optional(CorsOrigins, ''),
  /** Region that requests to an origin of S3 are signed for. */
  S3_REGION: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[a-z\d-]{1,32}$/, 'must be a region such as eu-central-1, or auto'),
    ),
    'auto',
  ),
  /** Hours after which an upload that came in parts, and is not whole, is deleted. */
  STAGING_HOURS: wholeNumber(1, 720, 24),
  /** When the list is missing or unreadable. */
  ON_FAILED: v.optional(AllowOrRefuse, 'refuse'),
  /** When a file is damaged, or of a format that cannot be read. */
  ON_UNSCANNABLE: v.optional(AllowOrRefuse, 'allow'),
  /** When a request brings a piece of a file, and is not put together here. */
  ON_PIECES: v.optional(AllowOrRefuse, 'allow'),
  /** Where events go. What only counts does not take them. */
  EVENT_SINKS: v.optional(EventSinks, 'console'),
  /** Which of them the queue takes: all, or all but uploads that were passed on with nothing found. */
  QUEUE_EVENTS: v.optional(v.picklist(QUEUE_CHOICES, 'must be all or notable'), 'all'),
  /** Where events that come from the queue are delivered to, and what they are signed with. */
  WEBHOOK_URL: v.optional(WebhookUrl),
  WEBHOOK_SECRET: v.optional(WebhookSecrets),
  /** Seconds in which the receiver must answer. */
  WEBHOOK_TIMEOUT_SECONDS: wholeNumber(1, 30, 15),
  /** Seconds until an event is tried a second time; they double with each attempt. */
  WEBHOOK_RETRY_SECONDS: wholeNumber(1, 3000, 5),
})

/** Settings of the gate. */
export interface Config extends SinkSettings {
  originUrl: URL | undefined
  gatedMethods: ReadonlySet<string>
  maxBodyBytes: number
  maxBufferedBytes: number
  onUnknownLength: 'length-required' | 'too-large'
  maxHeldBytes: number
  maxDecoders: number
  maxWaitMs: number
  maxStallMs: number
  maxOriginMs: number
  maxFiles: number
  base64Fields: ReadonlySet<string>
  probes: ProbeSet
  listRefreshSeconds: number
  listMaxAgeSeconds: number
  onStale: 'use' | 'fail'
  maxListEntries: number
  maxTableEntries: number
  floodBound: number
  floodMs: number
  policy: Policy
  /** Fields of forms that need no look. */
  skipFields?: ReadonlySet<string> | undefined
  /** Formats of files that may be uploaded; any, if absent. */
  accept?: ReadonlySet<FileFormat> | undefined
  quarantineRecipients: readonly string[]
  quarantineDays: number
  healthPath: string
  objectsPath: string
  objectsCorsOrigins: readonly string[]
  tusPath: string
  tusOriginPath: string
  tusCorsOrigins: readonly string[]
  s3Region: string
  stagingMs: number
  onFailed: 'allow' | 'refuse'
  onUnscannable: 'allow' | 'refuse'
  onPieces: 'allow' | 'refuse'
  webhook: Webhook | undefined
  /** Absent: nobody may ask for verdicts. */
  api?: ApiConfig
}

/** Settings, and the secrets that they need. */
const SECRETS = { WEBHOOK_URL: 'WEBHOOK_SECRET' }
/** What is neither in wrangler.toml nor ever printed. */
const SECRET_NAMES: ReadonlySet<string> = new Set([...Object.values(SECRETS), 'API_KEYS'])

/** A setting that cannot be used. */
export class BadConfigError extends HashgateError {
  readonly code = 'bad-config'

  constructor(problems: readonly string[]) {
    super(`bad configuration: ${problems.join('; ')}`)
  }
}

/**
 * Settings by name, as they are in effect: what is not set has its default.
 * @throws {BadConfigError}
 */
export function settingsInEffect(env: object): { name: string; value: unknown; isSet: boolean }[] {
  readConfig(env)
  const values: Record<string, unknown> = v.parse(ConfigSchema, env)
  const names = Object.keys(ConfigSchema.entries).filter((name) => !SECRET_NAMES.has(name))
  return names.map((name) => {
    const value = values[name]
    const isSet = Object.hasOwn(env, name)
    return { name, value: value instanceof Set ? [...(value as Set<unknown>)] : value, isSet }
  })
}

/**
 * Sees that secrets are there with the settings that need them: in the Worker, since only it has them.
 * @throws {BadConfigError}
 */
export function checkSecrets(env: object): void {
  for (const [name, secret] of Object.entries(SECRETS)) {
    if (name in env !== secret in env) {
      throw new BadConfigError([`${name} and ${secret} must be set together`])
    }
  }
}

/**
 * Reads the settings from a Worker's environment.
 * @throws {BadConfigError} with each setting that is wrong, and what is allowed
 */
export function readConfig(env: object): Config {
  const result = v.safeParse(ConfigSchema, env)
  if (!result.success) {
    throw new BadConfigError(
      result.issues.map((issue) => `${v.getDotPath(issue) ?? 'environment'} ${issue.message}`),
    )
  }
  const vars = result.output
  if (vars.MAX_HELD_BYTES < vars.MAX_BUFFERED_BYTES) {
    throw new BadConfigError(['MAX_HELD_BYTES must be at least MAX_BUFFERED_BYTES'])
  }
  const longest = [vars.MAX_BODY_BYTES, ...vars.POLICY.routes.map((one) => one.maxBodyBytes ?? 0)]
  if (Math.max(...longest) > vars.MAX_BUFFERED_BYTES && vars.MAX_HELD_BYTES < MIB) {
    throw new BadConfigError(['MAX_HELD_BYTES must be at least 1048576 for long uploads'])
  }
  if (vars.LIST_MAX_AGE_SECONDS < vars.LIST_REFRESH_SECONDS) {
    throw new BadConfigError(['LIST_MAX_AGE_SECONDS must be at least LIST_REFRESH_SECONDS'])
  }
  if (vars.WEBHOOK_URL !== undefined && !vars.EVENT_SINKS.includes('queue')) {
    throw new BadConfigError(['EVENT_SINKS must list queue if WEBHOOK_URL is set'])
  }
  const api = readApiConfig(vars)
  if (typeof api === 'string') throw new BadConfigError([api])
  if (vars.TUS_PATH !== '' && !vars.GATED_METHODS.includes('POST')) {
    throw new BadConfigError(['GATED_METHODS must list POST if TUS_PATH is set'])
  }
  return {
    ...(api && { api }),
    originUrl: vars.ORIGIN_URL === undefined ? undefined : new URL(vars.ORIGIN_URL),
    gatedMethods: new Set(vars.GATED_METHODS),
    maxBodyBytes: vars.MAX_BODY_BYTES,
    maxBufferedBytes: vars.MAX_BUFFERED_BYTES,
    onUnknownLength: vars.ON_UNKNOWN_LENGTH,
    maxHeldBytes: vars.MAX_HELD_BYTES,
    maxDecoders: vars.MAX_DECODERS,
    maxWaitMs: vars.MAX_WAIT_SECONDS * 1000,
    maxStallMs: vars.CLIENT_STALL_SECONDS * 1000,
    maxOriginMs: vars.ORIGIN_TIMEOUT_SECONDS * 1000,
    maxFiles: vars.MAX_FILES,
    base64Fields: new Set(vars.BASE64_FIELDS),
    probes: vars.PROBES,
    listRefreshSeconds: vars.LIST_REFRESH_SECONDS,
    listMaxAgeSeconds: vars.LIST_MAX_AGE_SECONDS,
    onStale: vars.ON_STALE,
    maxListEntries: vars.MAX_LIST_ENTRIES,
    maxTableEntries: vars.MAX_TABLE_ENTRIES,
    floodBound: vars.FLOOD_BOUND,
    floodMs: vars.FLOOD_HOURS * 3_600_000,
    policy: vars.POLICY,
    quarantineRecipients: vars.QUARANTINE_RECIPIENTS,
    quarantineDays: vars.QUARANTINE_DAYS,
    healthPath: vars.HEALTH_PATH,
    objectsPath: vars.OBJECTS_PATH,
    objectsCorsOrigins: vars.OBJECTS_CORS_ORIGINS,
    tusPath: vars.TUS_PATH,
    tusOriginPath: vars.TUS_ORIGIN_PATH || vars.TUS_PATH,
    tusCorsOrigins: vars.TUS_CORS_ORIGINS,
    s3Region: vars.S3_REGION,
    stagingMs: vars.STAGING_HOURS * 3_600_000,
    onFailed: vars.ON_FAILED,
    onUnscannable: vars.ON_UNSCANNABLE,
    onPieces: vars.ON_PIECES,
    eventSinks: new Set(vars.EVENT_SINKS),
    queueEvents: vars.QUEUE_EVENTS,
    webhook: webhookOf(vars),
  }
}

function webhookOf(vars: v.InferOutput<typeof ConfigSchema>): Webhook | undefined {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secrets } = vars
  if (url === undefined || secrets === undefined) return undefined
  return {
    url,
    secrets,
    timeoutMs: vars.WEBHOOK_TIMEOUT_SECONDS * 1000,
    retrySeconds: vars.WEBHOOK_RETRY_SECONDS,
  }
}
