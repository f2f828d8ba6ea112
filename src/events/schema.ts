// What an event is: the types of the code and, by `npm run schema`, docs/schema/events-v1.json for
// receivers. Only the types are in the Worker.

import * as v from 'valibot'
import { described, optional } from '../util/settings.ts'

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0))

/** A whole number from 0 to `max`. */
const upTo = (max: number, text: string) => described(v.pipe(wholeNumber, v.maxValue(max)), text)
const uuid = (text: string) => v.pipe(v.string(), v.uuid(), v.description(text))
const utcTime = (text: string) => v.pipe(v.string(), v.isoTimestamp(), v.description(text))
/** Absent or true. */
const mark = (text: string) => optional(v.literal(true), text)

const stamp = {
  schema: described(
    v.literal(1),
    'Version of this schema. Fields, events and values may be added within one.',
  ),
  id: uuid('Identifies the event. A repeated delivery has the same id: ignore it.'),
  time: utcTime('When it happened, in UTC.'),
}

/** Default time of the examples. */
const EXAMPLE_TIME = '2026-11-23T09:30:00.000Z'

function event<const Name extends string, const Fields extends v.ObjectEntries>(
  name: Name,
  text: string,
  fields: Fields,
  ...examples: (v.InferOutput<v.ObjectSchema<Fields, undefined>> & { id: string; time?: string })[]
) {
  const schema = v.object({ ...stamp, event: v.literal(name), ...fields })
  const whole = examples.map(({ id, time = EXAMPLE_TIME, ...rest }) =>
    Object.assign({ schema: 1, id, time, event: name }, rest),
  )
  type One = v.InferOutput<typeof schema>
  const shown = v.examples<One, One[]>(whole as unknown as One[])
  return v.pipe(schema, v.title(name), v.description(text), shown)
}

const ErrorText = described(v.string(), 'What failed, in words.')
const Method = described(v.string(), 'Method of the request.')
const Path = v.pipe(
  v.string(),
  v.maxLength(2048),
  v.description(
    'Path of the request as sent, without its query; truncated if it is longer. The uploader chose it, so show it as text only.',
  ),
)
const BankName = described(v.string(), 'The bank of the list.')
const EntryId = described(v.string(), 'Id of the entry within its bank. Never its hash.')
const Caller = described(
  v.string(),
  'The caller of the API: the name of a key, or the name in a token of Access.',
)
const ListVersion = described(
  wholeNumber,
  'Version of the list that was used; absent if there was none.',
)

/** What an event says about a failed request. */
const failedRequest = { error: ErrorText, method: Method, path: Path }

const LIMITS = ['pattern', 'low-quality', 'blank'] as const

const MatchSchema = described(
  v.object({
    bank: BankName,
    harm: described(v.string(), 'Kind of harm.'),
    action: described(v.picklist(['block', 'quarantine', 'flag']), "Its bank's action."),
    entry: EntryId,
    source: optional(v.string(), 'Where the entry comes from.'),
    distance: upTo(256, 'Bits between the entry and the nearest needle; 0 for a digest.'),
    threshold: upTo(
      256,
      'Largest distance that matches: the threshold of the bank, plus what the probe adds.',
    ),
    margin: upTo(256, 'threshold - distance.'),
    probe: described(
      v.string(),
      'How the needle was derived (identity, mirrors, …), or the kind of digest.',
    ),
    limited: optional(
      v.picklist([...LIMITS, 'entry']),
      'Why the threshold is lower than that of the bank. A match of a blank picture only flags. entry: the publisher lowered it, because other pictures are near it.',
    ),
    isFlooded: mark(
      'The entry only flags: it matches so many uploads that it is probably wrong, and its bank has onFlood "flag".',
    ),
    isReview: mark("It lies in the bank's review band."),
    isExempt: mark('Its entry is exempt, so that the match changes nothing.'),
    classification: optional(v.string(), 'How the service of a remote bank classifies the entry.'),
    isTest: mark('The entry is for tests. Do not report it to an authority.'),
  }),
  'An entry that a file matches.',
)

const FileSchema = described(
  v.object({
    within: optional(
      v.picklist(['zip', 'gzip', 'zlib', 'tar', 'pdf', 'embedded', 'text']),
      'What it was found in, or how, if it is not itself a file of the upload.',
    ),
    coverage: described(v.picklist(['scanned', 'unscannable']), 'Whether it could be scanned.'),
    reason: optional(v.string(), 'Why it could not.'),
    format: optional(v.string(), 'Format of its content.'),
    width: optional(wholeNumber, 'Pixels.'),
    height: optional(wholeNumber, 'Pixels.'),
    bytes: optional(
      wholeNumber,
      'Length in bytes. Absent for an image that was found by its signature.',
    ),
    unscannableEntries: optional(wholeNumber, 'Entries of an archive that were not scanned.'),
    quality: v.exactOptional(upTo(100, 'PDQ quality of the image as it is stored.')),
    limited: optional(
      v.picklist(LIMITS),
      'Why it matches only very near entries: its hash says little about the picture, or nothing if it is blank. Absent if nothing limits it.',
    ),
    limitedTo: v.exactOptional(
      upTo(
        256,
        'Largest distance at which it matches as it is, if limited. Probes that guess then match nothing.',
      ),
    ),
    isPatterned: mark('It is a pattern, whatever its quality: see limited.'),
    isPartial: mark(
      'Frames or probes were left out because of a limit, or rows are missing or broken.',
    ),
    matches: v.exactOptional(
      v.pipe(
        v.array(MatchSchema),
        v.minLength(1),
        v.maxLength(16),
        v.description('Nearest first.'),
      ),
    ),
  }),
  'A file of an upload, or one found within such a file.',
)

const KeptSchema = described(
  v.variant('kept', [
    v.object({
      kept: described(v.literal(true), 'Whether it was kept.'),
      key: described(v.string(), 'Key of the object in the bucket.'),
      bytes: described(wholeNumber, 'Length of the sealed object.'),
      expires: utcTime('When it is deleted.'),
    }),
    v.object({
      kept: described(v.literal(false), 'Whether it was kept.'),
      reason: described(
        v.picklist(['not-configured', 'too-long', 'not-sealed', 'not-stored']),
        'Why it was not.',
      ),
      error: v.exactOptional(ErrorText),
    }),
  ]),
  'What became of the body, if it was to be kept.',
)

const VerdictSchema = event(
  'verdict',
  'An upload was judged, or could not be.',
  {
    caseId: uuid('Identifies the case. The answer to a refused upload contains it, too.'),
    action: described(
      v.picklist(['allow', 'flag', 'refuse', 'quarantine', 'block']),
      'allow and flag: it was passed on. refuse, quarantine and block: it was not.',
    ),
    reason: described(
      v.picklist([
        'match',
        'no-match',
        'unscannable',
        'failed',
        'too-large',
        'length-required',
        'malformed',
        'unaccepted-format',
        'busy',
        'client-stalled',
        'client-gone',
        'origin-stalled',
      ]),
      'Why.',
    ),
    method: Method,
    path: Path,
    caller: v.exactOptional(Caller),
    isShadow: mark('It was passed on whatever the action, which is what would have happened.'),
    label: optional(v.picklist(['public', 'private']), 'Whether uploads there are for everybody.'),
    listVersion: v.exactOptional(ListVersion),
    afterLastByteMs: optional(
      wholeNumber,
      'Milliseconds from the last byte of the body to the verdict, as far as the clock advances.',
    ),
    files: v.pipe(
      v.array(FileSchema),
      v.maxLength(200),
      v.description('If there are too many to list, those that match come first.'),
    ),
    otherFiles: optional(wholeNumber, 'Number of files that are not listed.'),
    quarantine: v.exactOptional(KeptSchema),
    error: v.exactOptional(ErrorText),
  },
  {
    id: '0b5f4a2e-6a0c-4a55-9d4e-5a3c1a0f7f10',
    caseId: '7e0c1b52-3f5b-4f0e-8a54-0c9d0a6d2b11',
    action: 'block',
    reason: 'match',
    method: 'PUT',
    path: '/files/1',
    listVersion: 12,
    afterLastByteMs: 3,
    files: [
      {
        coverage: 'scanned',
        format: 'jpeg',
        width: 640,
        height: 480,
        bytes: 48213,
        quality: 100,
        matches: [
          {
            bank: 'csam',
            harm: 'csam',
            action: 'block',
            entry: 'a-17',
            source: 'exchange',
            distance: 4,
            threshold: 31,
            margin: 27,
            probe: 'identity',
          },
        ],
      },
    ],
  },
  {
    id: '7a2e9d4c-1b3f-4e5a-9c6d-8f0b1a2c3d91',
    time: '2026-11-23T09:30:00.500Z',
    caseId: 'd1b2c3a4-5e6f-4a7b-8c9d-0e1f2a3b4c13',
    action: 'quarantine',
    reason: 'match',
    method: 'POST',
    path: '/albums/7',
    label: 'public',
    listVersion: 12,
    files: [
      {
        coverage: 'scanned',
        format: 'png',
        width: 800,
        height: 600,
        bytes: 120482,
        quality: 100,
        matches: [
          {
            bank: 'terror',
            harm: 'terrorism',
            action: 'quarantine',
            entry: 't-3',
            distance: 31,
            threshold: 34,
            margin: 3,
            probe: 'crops',
          },
        ],
      },
    ],
    quarantine: {
      kept: true,
      key: '2026-11-23-d1b2c3a4-5e6f-4a7b-8c9d-0e1f2a3b4c13.tar.age',
      bytes: 123904,
      expires: '2026-12-23T09:30:00.000Z',
    },
  },
  {
    id: '5f0d6c3b-0a71-4c1f-b3a0-2f1b7f6f8e21',
    time: '2026-11-23T09:30:01.000Z',
    caseId: 'c0f7b0a4-54d5-4f0c-9b8c-7a1f0e2d3c12',
    action: 'refuse',
    reason: 'failed',
    method: 'POST',
    path: '/files',
    files: [],
    error: 'list-missing: no hash list has been published here',
  },
)

const FloodSchema = event(
  'flood',
  'An entry matches so many distinct uploads an hour that it is probably wrong. Its bank decides what happens.',
  {
    bank: BankName,
    entry: EntryId,
    bound: described(wholeNumber, 'Distinct uploads that an entry may match in an hour.'),
    action: optional(
      v.picklist(['report', 'flag']),
      'report: nothing but this event. flag: the entry also only flags for a while. Absent in events of hashgate before 0.2, where it is flag.',
    ),
    until: utcTime('Until when the entry is not reported again and, with action flag, only flags.'),
  },
  {
    id: '8d9b1f7c-8f5e-4a5b-8f0d-3b1f5a7c9e31',
    bank: 'csam',
    entry: 'a-17',
    action: 'report',
    bound: 100,
    until: '2026-11-24T09:30:00.000Z',
  },
)

const SweepSchema = event(
  'quarantine-sweep',
  'Expired quarantined uploads were deleted, or could not be.',
  {
    deleted: optional(wholeNumber, 'Objects that had expired.'),
    left: optional(wholeNumber, 'Objects that are not due yet.'),
    others: optional(
      wholeNumber,
      'Objects that do not belong to the quarantine. They are left alone.',
    ),
    isWhole: optional(v.boolean(), 'Whether all objects were checked.'),
    error: v.exactOptional(ErrorText),
  },
  {
    id: '4f1c2b3a-6d5e-4c7b-8a9f-2e1d0c3b4a81',
    time: '2026-11-23T09:17:00.000Z',
    deleted: 2,
    left: 15,
    others: 0,
    isWhole: true,
  },
)

const ListErrorSchema = event(
  'list-error',
  'The list could not be read, or has not been refreshed for too long. The last version that was read stays in use.',
  {
    error: ErrorText,
    listVersion: optional(wholeNumber, 'The version that stays in use; absent if there is none.'),
  },
  {
    id: '2c1a9e5d-7b3f-4d6a-9c8e-1f0b2d4a6c41',
    error: 'list-missing: no hash list has been published here',
  },
)

const OriginErrorSchema = event(
  'origin-error',
  'The origin could not be reached, or did not answer in time.',
  failedRequest,
  {
    id: '6e4b8d2a-1c9f-4e7b-a5d3-9f0c1b2a3d51',
    error: 'TypeError',
    method: 'GET',
    path: '/files/1',
  },
)

const LookupSchema = event(
  'lookup',
  'A hash or a file was looked up through a route of hasher-matcher-actioner.',
  {
    caller: Caller,
    method: Method,
    path: Path,
    listVersion: v.exactOptional(ListVersion),
    matches: described(
      v.array(
        v.object({
          ...MatchSchema.pipe[0].entries,
          contentId: described(wholeNumber, 'The content id that the caller got.'),
        }),
      ),
      'All matches, including those in banks that the caller did not ask about.',
    ),
    error: v.exactOptional(ErrorText),
  },
  {
    id: '1d7e6f5a-4b3c-4a2d-9e1f-0c9b8a7d6e01',
    caller: 'moderation-tool',
    method: 'GET',
    path: '/m/lookup',
    listVersion: 12,
    matches: [
      {
        bank: 'csam',
        harm: 'csam',
        action: 'block',
        entry: '1042',
        distance: 6,
        threshold: 31,
        margin: 25,
        probe: 'identity',
        contentId: 1042,
      },
    ],
  },
)

const ApiErrorSchema = event(
  'api-error',
  'A request to the API could not be answered: tokens could not be verified, or something broke.',
  failedRequest,
  {
    id: '2e8f7a6b-5c4d-4b3e-8f2a-1d0c9b8e7f11',
    error: 'key-set-unavailable: the key set could not be reached',
    method: 'POST',
    path: '/v1/verdict',
  },
)

const StagingErrorSchema = event(
  'staging-error',
  'A part of an upload could not be stored or read: the bucket or the Durable Object failed. The client got 503.',
  failedRequest,
  {
    id: '5b1d9c3e-7f2a-4c6b-9d8e-0a1b2c3d4e5f',
    error: 'Error',
    method: 'PATCH',
    path: '/uploads/8f3c',
  },
)

const SinkErrorSchema = event(
  'sink-error',
  'A sink did not accept an event. Only in the log.',
  {
    sink: described(
      v.picklist(['queue', 'analytics', 'onEvent', 'onVerdict']),
      'What did not accept it: a sink, or an option of the library.',
    ),
    eventId: uuid('The event, which is in the log instead.'),
    error: ErrorText,
  },
  {
    id: '3a7d5c1e-9b2f-4f8a-8e6c-0d1b2c3a4f61',
    sink: 'queue',
    eventId: '0b5f4a2e-6a0c-4a55-9d4e-5a3c1a0f7f10',
    error: 'sink-stalled: the sink did not accept the event within 10 seconds',
  },
)

const DeliveryErrorSchema = event(
  'delivery-error',
  'The webhook did not accept an event, which stays in the queue. Only in the log.',
  {
    eventId: v.exactOptional(
      uuid('The event. Absent if the message in the queue is not an event.'),
    ),
    attempt: described(wholeNumber, '1 for the first.'),
    retrySeconds: described(
      wholeNumber,
      'Seconds until the next attempt, unless it was the last that the queue allows.',
    ),
    status: optional(wholeNumber, 'What the receiver answered.'),
    error: ErrorText,
  },
  {
    id: '9c8b7a6d-5e4f-4a3b-9c2d-1e0f9a8b7c71',
    eventId: '0b5f4a2e-6a0c-4a55-9d4e-5a3c1a0f7f10',
    attempt: 3,
    retrySeconds: 20,
    status: 503,
    error: 'not-accepted: the receiver answered 503',
  },
)

const ExchangeName = described(v.string(), "Name of the source in the desk's settings.")

const ExchangeSyncSchema = event(
  'exchange-sync',
  'The desk read a source of hashes, and published what changed.',
  {
    exchange: ExchangeName,
    state: described(
      v.picklist(['complete', 'more', 'failed']),
      'Whether the source was read to its end.',
    ),
    records: described(wholeNumber, 'Records that were read.'),
    deleted: described(wholeNumber, 'Records that the provider withdrew.'),
    skipped: described(
      wholeNumber,
      'Hashes and records that could not be read, or were filtered out.',
    ),
    isHeld: described(
      v.boolean(),
      'So many records vanished that nothing from the source is published.',
    ),
    listVersion: optional(wholeNumber, 'The version that was published, if any.'),
    error: v.exactOptional(ErrorText),
  },
  {
    id: '4f1e2d3c-6b5a-4c7d-8e9f-0a1b2c3d4e61',
    time: '2026-11-26T09:30:00.000Z',
    exchange: 'ncmec',
    state: 'complete',
    records: 1200,
    deleted: 14,
    skipped: 3,
    isHeld: false,
    listVersion: 42,
  },
)

const ExchangeStaleSchema = event(
  'exchange-stale',
  'A source was not read to its end for longer than its settings allow.',
  {
    exchange: ExchangeName,
    ageSeconds: optional(
      wholeNumber,
      'Seconds since its last complete run; absent if there was none.',
    ),
    maxAgeHours: described(wholeNumber, 'Hours that may pass between complete runs.'),
    error: v.exactOptional(ErrorText),
  },
  {
    id: '5a2f3e4d-7c6b-4d8e-9f0a-1b2c3d4e5f72',
    time: '2026-11-26T09:30:00.000Z',
    exchange: 'ncmec',
    ageSeconds: 97_200,
    maxAgeHours: 26,
    error: 'not-authorized: NCMEC does not accept the credentials (401)',
  },
)

const RemoteErrorSchema = event(
  'remote-error',
  'A remote service that is asked about hashes gave no answer.',
  {
    bank: BankName,
    error: ErrorText,
    pausedSeconds: optional(
      v.number(),
      'Seconds for which the service is not asked, and its bank fails.',
    ),
  },
  {
    id: '6b3f4e5d-8d7c-4e9f-8a1b-2c3d4e5f6a83',
    time: '2026-11-26T09:30:00.000Z',
    bank: 'arachnid',
    error: 'remote-failed: no answer in 1500 ms',
    pausedSeconds: 60,
  },
)

const LateAnswerSchema = event(
  'late-answer',
  'A service that gave no answer about an upload was asked again. The upload had passed, so review what it matches.',
  {
    caseId: uuid('The case of the upload, which had passed.'),
    bank: BankName,
    isGivenUp: mark('No answer came for a week, so the service is not asked again.'),
    matches: described(v.array(MatchSchema), 'What the upload matches, nearest first.'),
  },
  {
    id: '7c4a5f6e-9e8d-4fa0-9b2c-3d4e5f6a7b94',
    time: '2026-11-26T09:35:00.000Z',
    caseId: 'c0f7b0a4-54d5-4f0c-9b8c-7a1f0e2d3c12',
    bank: 'arachnid',
    matches: [
      {
        bank: 'arachnid',
        harm: 'csam',
        action: 'block',
        entry: 'r-4f1e2d3c6b5a4c7d',
        source: 'arachnid',
        distance: 4,
        threshold: 31,
        margin: 27,
        probe: 'identity',
        classification: 'csam',
      },
    ],
  },
)

/** Schemas of all events, by name. */
export const EVENT_SCHEMAS = {
  verdict: VerdictSchema,
  flood: FloodSchema,
  'quarantine-sweep': SweepSchema,
  'list-error': ListErrorSchema,
  'origin-error': OriginErrorSchema,
  lookup: LookupSchema,
  'api-error': ApiErrorSchema,
  'staging-error': StagingErrorSchema,
  'sink-error': SinkErrorSchema,
  'delivery-error': DeliveryErrorSchema,
  'exchange-sync': ExchangeSyncSchema,
  'exchange-stale': ExchangeStaleSchema,
  'remote-error': RemoteErrorSchema,
  'late-answer': LateAnswerSchema,
}

/** Schemas that make up those of the events, by name. */
export const PART_SCHEMAS = { file: FileSchema, match: MatchSchema }

export const EventSchema = v.variant('event', Object.values(EVENT_SCHEMAS))

/** An event as the operator receives it. It never contains a hash. */
export type GateEvent = v.InferOutput<(typeof EVENT_SCHEMAS)[keyof typeof EVENT_SCHEMAS]>
/** The event about an upload that was judged. */
export type VerdictEvent = Extract<GateEvent, { event: 'verdict' }>
/** What a verdict says about an entry that a file matches. */
export type MatchEvent = v.InferOutput<typeof MatchSchema>
/** What a verdict says about a file. */
export type FileEvent = v.InferOutput<typeof FileSchema>

type Unstamped<E> = E extends GateEvent ? Omit<E, keyof typeof stamp> : never

/** An event as it is created, before it gets its id. */
export type Happening = Unstamped<GateEvent>
/** The event of this name, before it gets its id. */
export type HappeningOf<Name extends GateEvent['event']> = Extract<Happening, { event: Name }>
