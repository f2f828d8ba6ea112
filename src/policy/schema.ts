import * as v from 'valibot'
import { FORMAT_NAMES } from '../scan/format.ts'
import {
  choice,
  described,
  group,
  listOf,
  MAX_BODY_BYTES,
  MAX_FORM_FILES,
  oneOf,
  optionalGroup,
  ServerUrl,
  tableOf,
  wholeNumber,
} from '../util/settings.ts'
import { Name, shortText, TextsSchema } from './texts.ts'

/** What a match leads to. `quarantine` keeps what it blocks, sealed. */
const MATCH_ACTIONS = ['block', 'quarantine', 'flag'] as const
export type MatchAction = (typeof MATCH_ACTIONS)[number]

/**
 * What happens when an entry matches so many distinct uploads an hour that it is probably wrong:
 * only an event, or the entry also only flags for a while. Anyone who sends enough variants of a
 * known picture can make its entry flag.
 */
const FLOOD_CHOICES = ['report', 'flag'] as const
export type FloodChoice = (typeof FLOOD_CHOICES)[number]

/** Largest threshold of a bank. Beyond it, some entry of a large list is that near by chance. */
const MAX_POLICY_THRESHOLD = 64

const ALLOW_OR_REFUSE = ['allow', 'refuse'] as const
const MODES = ['enforce', 'shadow'] as const

const toggle = (description: string) => described(v.boolean('must be true or false'), description)

const threshold = (description: string) => wholeNumber(0, MAX_POLICY_THRESHOLD, description)

const BankSchema = v.pipe(
  group({
    harm: v.optional(
      described(
        Name,
        'Kind of harm. It selects the text for uploaders and appears in events. Default: the name of the bank.',
      ),
    ),
    action: v.optional(choice(MATCH_ACTIONS, 'What a match leads to.'), 'block'),
    threshold: v.optional(
      threshold('Largest distance that matches, in bits. Default: as published.'),
    ),
    review: v.optional(
      described(
        group({
          threshold: threshold(
            'Largest distance of the review band, which begins above the threshold. People review these matches.',
          ),
          action: v.optional(
            choice(MATCH_ACTIONS, 'What a match in the review band leads to.'),
            'flag',
          ),
        }),
        'The review band.',
      ),
    ),
    minQuality: v.optional(
      wholeNumber(
        0,
        100,
        'Images whose quality at full contrast is below this match only very near entries. Default: as published.',
      ),
    ),
    onFlood: v.optional(
      choice(
        FLOOD_CHOICES,
        'What happens when an entry matches too many uploads. `report` only sends an event. `flag` also lets its matches pass for `flood.hours`.',
      ),
      'report',
    ),
    enabled: v.optional(toggle('Whether the bank is searched.'), true),
  }),
  v.forward(
    v.check(
      ({ threshold: least, review }) =>
        review === undefined || (least !== undefined && review.threshold > least),
      'must be above the threshold of the bank, which must be set too',
    ),
    ['review', 'threshold'],
  ),
)

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const PATH_WORDS = 'must be a pattern of a path, such as /upload/*'
const Pattern = v.pipe(
  v.string(PATH_WORDS),
  v.startsWith('/', PATH_WORDS),
  v.check(isPattern, 'is not a pattern that URLPattern reads'),
)

const HOST_WORDS = 'must be a host, or a pattern of one, such as *.example.com'
const Host = v.pipe(v.string(HOST_WORDS), v.regex(/^[a-zA-Z0-9*.:[\]-]+$/, HOST_WORDS))

/** Parsers read other names differently, so such fields are always inspected. */
const FIELD_WORDS = 'must be letters, digits, dots, dashes, underscores or brackets'

/** Which requests a route is for: those that fit all of these. */
const conditions = {
  hosts: v.optional(notEmpty(listOf(Host, 'Hosts: names, or patterns such as `*.example.com`.'))),
  paths: v.optional(
    notEmpty(
      listOf(Pattern, 'Paths: patterns such as `/upload/*` or `/api/:version/media`, in any case.'),
    ),
  ),
  methods: v.optional(notEmpty(listOf(oneOf(METHODS), 'Methods of requests.'))),
}

const RouteSchema = group({
  ...conditions,
  gated: v.optional(
    toggle(
      'Whether its requests are judged. If false, they pass unchanged. Default: by `upload.methods`.',
    ),
  ),
  origin: v.optional(
    described(
      ServerUrl,
      'The server that its requests go to, such as `https://media.example.net`. Default: that of the Worker.',
    ),
  ),
  mode: v.optional(choice(MODES, 'As `policy.mode`, for this route.')),
  onUnscannable: v.optional(choice(ALLOW_OR_REFUSE, 'As `policy.onUnscannable`, for this route.')),
  onFailed: v.optional(choice(ALLOW_OR_REFUSE, 'As `policy.onFailed`, for this route.')),
  maxBodyBytes: v.optional(
    wholeNumber(1, MAX_BODY_BYTES, 'As `upload.maxBodyBytes`, for this route.'),
  ),
  maxFiles: v.optional(wholeNumber(1, MAX_FORM_FILES, 'As `body.maxFiles`, for this route.')),
  skipFields: v.optional(
    listOf(
      v.pipe(shortText(200), v.regex(/^[\w.[\]-]+$/, FIELD_WORDS)),
      'Fields of multipart forms that are not inspected, by their exact names. All other fields are.',
    ),
  ),
  accept: v.optional(
    notEmpty(
      listOf(
        oneOf(FORMAT_NAMES),
        'Formats of files that may be uploaded, recognised by their bytes. Others are refused with 415. Default: any.',
      ),
    ),
  ),
  label: v.optional(
    choice(['public', 'private'], 'Whether uploads here are for everybody. It appears in events.'),
  ),
})

const EXEMPT_WORDS = 'must be a bank and an entry, as bank/entry'
/** An entry, by its bank and its id in it. */
export const EntryName = v.pipe(
  v.string(EXEMPT_WORDS),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,63}\/[^]+$/, EXEMPT_WORDS),
)

/** What the operator wants the gate to do, per bank and per route. */
export const PolicySettings = optionalGroup(
  {
    mode: v.optional(
      choice(
        MODES,
        'In shadow mode uploads are judged and reported, and nothing changes for uploaders.',
      ),
      'enforce',
    ),
    onFailed: v.optional(
      choice(
        ALLOW_OR_REFUSE,
        'What to do with an upload when the list is missing, or a match cannot be confirmed.',
      ),
      'refuse',
    ),
    onUnscannable: v.optional(
      choice(
        ALLOW_OR_REFUSE,
        'What to do with an upload when a file in it is damaged, encrypted, over a limit, or of a format that cannot be read.',
      ),
      'allow',
    ),
    banks: v.optional(
      described(tableOf(Name, BankSchema, 'banks'), 'What matches in a bank lead to, by its name.'),
      {},
    ),
    harms: v.optional(
      described(
        TextsSchema,
        'What refused uploaders read, by kind of harm or by status. `hashgate list texts` changes it without a deployment.',
      ),
      {},
    ),
    exempt: v.optional(
      listOf(
        EntryName,
        'Entries, as bank/entry, whose matches change nothing. `hashgate list exempt` adds some without a deployment.',
      ),
      [],
    ),
    routes: v.optional(
      listOf(RouteSchema, 'What differs for some requests. The first route that fits counts.'),
      [],
    ),
  },
  'What matches lead to, and what differs per route: docs/policy.md.',
)

export type Policy = v.InferOutput<typeof PolicySettings>
export type BankPolicy = Policy['banks'][string]
export type RoutePolicy = Policy['routes'][number]

/** The first bank whose matches may be quarantined, if there is one. */
export function quarantinedBank({ banks }: Pick<Policy, 'banks'>): string | undefined {
  const isKept = ({ action, review }: BankPolicy) =>
    action === 'quarantine' || review?.action === 'quarantine'
  return Object.entries(banks).find(([, bank]) => isKept(bank))?.[0]
}

function notEmpty<const T extends v.GenericSchema<unknown[], unknown[]>>(list: T) {
  return v.pipe(list, v.minLength(1, 'must not be empty'))
}

function isPattern(pathname: string): boolean {
  try {
    return new URLPattern({ pathname }).pathname !== ''
  } catch {
    return false
  }
}
