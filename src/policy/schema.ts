import * as v from 'valibot'
import { FORMAT_NAMES } from '../scan/format.ts'

/** What a match leads to. `quarantine` keeps what it blocks, sealed. */
const MATCH_ACTIONS = ['block', 'quarantine', 'flag'] as const
export type MatchAction = (typeof MATCH_ACTIONS)[number]

/** Largest threshold of a bank: from about there on, pictures of a large list lie as near to any by chance. */
export const MAX_POLICY_THRESHOLD = 64

function words<const T extends readonly string[]>(options: T) {
  return v.picklist(options, `must be ${options.join(' or ')}`)
}

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  )
}

/** An object that has no other keys: a setting that is misspelt must not be passed over. */
function settings<const T extends v.ObjectEntries>(entries: T) {
  const names = Object.keys(entries).join(', ')
  return v.pipe(
    v.unknown(),
    v.check((value) => !Array.isArray(value), 'must be an object'),
    v.strictObject(entries, ({ expected }) =>
      expected === 'never' ? `is no setting; there are ${names}` : 'must be an object',
    ),
  )
}

const text = (max: number) =>
  v.pipe(
    v.string('must be text'),
    v.minLength(1, 'must not be empty'),
    v.maxLength(max, `must have ${max} characters at most`),
  )

const Url = v.pipe(
  v.string('must be an https:// URL'),
  v.url('must be an https:// URL'),
  v.startsWith('https://', 'must be an https:// URL'),
)

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const NAME_WORDS =
  'must be named by lower-case letters, digits, dots, hyphens and underscores, 64 at most, and begin with a letter or digit'
const Name = v.pipe(v.string(NAME_WORDS), v.regex(NAME, NAME_WORDS))

const Threshold = wholeNumber(0, MAX_POLICY_THRESHOLD)

const BankSchema = v.pipe(
  settings({
    /** Kind of harm, which names what the uploader is told, and stands in events; the bank's name, if absent. */
    harm: v.optional(Name),
    action: v.optional(words(MATCH_ACTIONS), 'block'),
    /** Largest distance that matches, in bits; the published one, if absent. */
    threshold: v.optional(Threshold),
    /** Distances above the threshold that are for people to look at. */
    review: v.optional(
      settings({ threshold: Threshold, action: v.optional(words(MATCH_ACTIONS), 'flag') }),
    ),
    /** Smallest quality, 0 to 100, of a needle that may match; the published one, if absent. */
    minQuality: v.optional(wholeNumber(0, 100)),
    enabled: v.optional(v.boolean('must be true or false'), true),
  }),
  v.forward(
    v.check(
      ({ threshold, review }) =>
        review === undefined || (threshold !== undefined && review.threshold > threshold),
      'must be above the threshold of the bank, which must be set, too',
    ),
    ['review', 'threshold'],
  ),
)

const HarmSchema = settings({
  /** A URI that names the problem (RFC 9457). */
  type: v.optional(Url),
  title: v.optional(text(200)),
  /** What else is said. */
  text: v.optional(text(2000)),
  /** Where the decision can be appealed; `{caseId}` in it is the case. */
  appealUrl: v.optional(Url),
})

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const Pattern = v.pipe(
  v.string('must be a pattern of a path, such as /upload/*'),
  v.startsWith('/', 'must be a pattern of a path, such as /upload/*'),
  v.check(isPattern, 'is no pattern that URLPattern reads'),
)

const HOST_WORDS = 'must be a host, or a pattern of one, such as *.example.com'
const Host = v.pipe(v.string(HOST_WORDS), v.regex(/^[a-z0-9*.:[\]-]+$/i, HOST_WORDS))

const MIB = 1024 * 1024

const RouteSchema = settings({
  /** Which requests it is for: those that all of these fit. */
  hosts: v.optional(v.pipe(v.array(Host), v.minLength(1, 'must not be empty'))),
  paths: v.optional(v.pipe(v.array(Pattern), v.minLength(1, 'must not be empty'))),
  methods: v.optional(v.pipe(v.array(words(METHODS)), v.minLength(1, 'must not be empty'))),
  /** Whether they are gated; as GATED_METHODS says, if absent. */
  gated: v.optional(v.boolean('must be true or false')),
  mode: v.optional(words(['enforce', 'shadow'])),
  onUnscannable: v.optional(words(['allow', 'refuse'])),
  onFailed: v.optional(words(['allow', 'refuse'])),
  maxBodyBytes: v.optional(wholeNumber(1, 5 * 1024 * MIB)),
  maxFiles: v.optional(wholeNumber(1, 1000)),
  /** Fields of forms that need no look, by their exact names. All others are looked at. */
  skipFields: v.optional(v.array(text(200))),
  /** Formats of files that may be uploaded, as their bytes tell; any, if absent. */
  accept: v.optional(v.pipe(v.array(words(FORMAT_NAMES)), v.minLength(1, 'must not be empty'))),
  /** Whether what is uploaded here is for everybody or for some: stands in events. */
  label: v.optional(words(['public', 'private'])),
})

export const PolicySchema = settings({
  /** `shadow`: all is judged and told, and nothing changes for the uploader. */
  mode: v.optional(words(['enforce', 'shadow']), 'enforce'),
  banks: v.optional(v.record(Name, BankSchema), {}),
  /** What uploaders are told, by kind of harm. */
  harms: v.optional(v.record(Name, HarmSchema), {}),
  /** Entries, as bank/entry, whose matches change nothing, and stand in events. */
  exempt: v.optional(
    v.array(
      v.pipe(
        v.string(),
        v.regex(/^[a-z0-9][a-z0-9._-]{0,63}\/.+$/s, 'must be a bank and an entry, as bank/entry'),
      ),
    ),
    [],
  ),
  /** The first that fits a request counts. */
  routes: v.optional(v.array(RouteSchema), []),
})

/** A policy as an object, or as the JSON that a variable is. */
export const PolicyVariable = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    if (typeof value !== 'string') return value
    try {
      return JSON.parse(value) as unknown
    } catch {
      addIssue({ message: 'must be an object, or JSON' })
      return NEVER
    }
  }),
  PolicySchema,
)

/** What an operator wants of the gate, per bank and per route. */
export type Policy = v.InferOutput<typeof PolicySchema>
export type BankPolicy = Policy['banks'][string]
export type HarmPolicy = Policy['harms'][string]
export type RoutePolicy = Policy['routes'][number]

function isPattern(pathname: string): boolean {
  try {
    return new URLPattern({ pathname }).pathname !== ''
  } catch {
    return false
  }
}
