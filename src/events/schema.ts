// What an event is: the types of the code, and by `npm run schema` docs/schema/events-v1.json for those who receive them.
// Nothing of this is in the Worker but the types.

import * as v from 'valibot'

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0))

const stamp = {
  schema: v.pipe(
    v.literal(1),
    v.description('Version of this schema. Fields, events and values may be added within one.'),
  ),
  id: v.pipe(
    v.string(),
    v.uuid(),
    v.description('Names the event: one that comes again has the same, and is to be passed over.'),
  ),
  time: v.pipe(v.string(), v.isoTimestamp(), v.description('When it happened, in UTC.')),
}

const ErrorText = v.pipe(v.string(), v.description('What failed, in words.'))
const Method = v.pipe(v.string(), v.description('Method of the request.'))
const Path = v.pipe(
  v.string(),
  v.maxLength(2048),
  v.description(
    'Path of the request as it was sent, without its query; cut off if it is longer. Text of the uploader: to be shown as text.',
  ),
)
const BankName = v.pipe(v.string(), v.description('The bank of the list.'))
const EntryId = v.pipe(
  v.string(),
  v.description('Id of the entry within its bank. Never its hash.'),
)
const Caller = v.pipe(
  v.string(),
  v.description('Who asked for it by the API: the name of a key, or whom a token of Access names.'),
)
const ListVersion = v.pipe(
  wholeNumber,
  v.description('Version of the list that was asked; absent if there was none.'),
)

const LIMITS = ['pattern', 'low-quality', 'blank'] as const

const MatchSchema = v.pipe(
  v.object({
    bank: BankName,
    harm: v.pipe(v.string(), v.description('Kind of harm.')),
    action: v.pipe(
      v.picklist(['block', 'quarantine', 'flag']),
      v.description('What it leads to by its bank.'),
    ),
    entry: EntryId,
    source: v.exactOptional(v.pipe(v.string(), v.description('Where the entry comes from.'))),
    distance: v.pipe(
      wholeNumber,
      v.maxValue(256),
      v.description('Bits between the entry and the needle that was nearest; 0 for a digest.'),
    ),
    threshold: v.pipe(
      wholeNumber,
      v.maxValue(256),
      v.description("Largest distance that matches: the bank's, and what the probe adds to it."),
    ),
    margin: v.pipe(wholeNumber, v.maxValue(256), v.description('threshold - distance.')),
    probe: v.pipe(
      v.string(),
      v.description('How the needle was derived (identity, mirrors, …), or the kind of digest.'),
    ),
    limited: v.exactOptional(
      v.pipe(
        v.picklist([...LIMITS, 'entry']),
        v.description(
          'Why the threshold is lower than that of the bank. A match of a blank picture only flags. entry: the publisher lowered it, since other pictures lie near it.',
        ),
      ),
    ),
    isFlooded: v.exactOptional(
      v.pipe(
        v.literal(true),
        v.description(
          'The entry only flags: it matches more uploads than one that is right would, and its bank has onFlood "flag".',
        ),
      ),
    ),
    isReview: v.exactOptional(
      v.pipe(v.literal(true), v.description("It lies in the bank's review band.")),
    ),
    isExempt: v.exactOptional(
      v.pipe(v.literal(true), v.description('Its entry is exempt, so that it changes nothing.')),
    ),
    classification: v.exactOptional(
      v.pipe(v.string(), v.description('How a service classifies the entry, of a remote bank.')),
    ),
    isTest: v.exactOptional(
      v.pipe(
        v.literal(true),
        v.description('The entry is for tests. Report nothing of it to an authority.'),
      ),
    ),
  }),
  v.description('An entry that a file matches.'),
)

const FileSchema = v.pipe(
  v.object({
    within: v.exactOptional(
      v.pipe(
        v.picklist(['zip', 'gzip', 'zlib', 'tar', 'pdf', 'embedded', 'text']),
        v.description('What it was found in or by, if it is not itself a file of the upload.'),
      ),
    ),
    coverage: v.pipe(
      v.picklist(['scanned', 'unscannable']),
      v.description('Whether it could be looked at.'),
    ),
    reason: v.exactOptional(v.pipe(v.string(), v.description('Why it could not.'))),
    format: v.exactOptional(v.pipe(v.string(), v.description('What its content is.'))),
    width: v.exactOptional(v.pipe(wholeNumber, v.description('Pixels.'))),
    height: v.exactOptional(v.pipe(wholeNumber, v.description('Pixels.'))),
    bytes: v.exactOptional(
      v.pipe(wholeNumber, v.description('Absent for an image that was found by its signature.')),
    ),
    unscannableEntries: v.exactOptional(
      v.pipe(wholeNumber, v.description('Entries of an archive that were passed over.')),
    ),
    quality: v.exactOptional(
      v.pipe(
        wholeNumber,
        v.maxValue(100),
        v.description('PDQ quality of the image as it is stored.'),
      ),
    ),
    limited: v.exactOptional(
      v.pipe(
        v.picklist(LIMITS),
        v.description(
          'Why it matches only what is very near: its hash says little about the picture, or nothing if it is blank. Absent if nothing limits it.',
        ),
      ),
    ),
    limitedTo: v.exactOptional(
      v.pipe(
        wholeNumber,
        v.maxValue(256),
        v.description(
          'Largest distance at which it matches as it is, if limited. Probes that guess do not match then.',
        ),
      ),
    ),
    isPatterned: v.exactOptional(
      v.pipe(v.literal(true), v.description('It is a pattern, whatever its quality: see limited.')),
    ),
    isPartial: v.exactOptional(
      v.pipe(
        v.literal(true),
        v.description('Frames or probes were left out for a limit, or rows are missing or broken.'),
      ),
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
  v.description('A file of an upload, or one found within such a file.'),
)

const KeptSchema = v.pipe(
  v.variant('kept', [
    v.object({
      kept: v.pipe(v.literal(true), v.description('Whether it was kept.')),
      key: v.pipe(v.string(), v.description('Of the object in the bucket.')),
      bytes: v.pipe(wholeNumber, v.description('Sealed.')),
      expires: v.pipe(v.string(), v.isoTimestamp(), v.description('When it is deleted.')),
    }),
    v.object({
      kept: v.pipe(v.literal(false), v.description('Whether it was kept.')),
      reason: v.pipe(
        v.picklist(['not-configured', 'too-long', 'not-sealed', 'not-stored']),
        v.description('Why it was not.'),
      ),
      error: v.exactOptional(ErrorText),
    }),
  ]),
  v.description('What became of the body, if it was to be kept.'),
)

const VerdictSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('verdict'),
    caseId: v.pipe(
      v.string(),
      v.uuid(),
      v.description('Names the case: the answer to an upload that is not passed on tells it too.'),
    ),
    action: v.pipe(
      v.picklist(['allow', 'flag', 'refuse', 'quarantine', 'block']),
      v.description('allow and flag: it was passed on. refuse, quarantine and block: it was not.'),
    ),
    reason: v.pipe(
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
      v.description('Why.'),
    ),
    method: Method,
    path: Path,
    caller: v.exactOptional(Caller),
    isShadow: v.exactOptional(
      v.pipe(
        v.literal(true),
        v.description('It was passed on whatever the action is: this tells what would have been.'),
      ),
    ),
    label: v.exactOptional(
      v.pipe(
        v.picklist(['public', 'private']),
        v.description('Whether what is uploaded there is for everybody or for some.'),
      ),
    ),
    listVersion: v.exactOptional(ListVersion),
    afterLastByteMs: v.exactOptional(
      v.pipe(
        wholeNumber,
        v.description(
          'Milliseconds from the last byte of the body to the verdict, as far as the clock goes on.',
        ),
      ),
    ),
    files: v.pipe(
      v.array(FileSchema),
      v.maxLength(200),
      v.description('If there are too many to tell, those that match come first.'),
    ),
    otherFiles: v.exactOptional(
      v.pipe(wholeNumber, v.description('Number of files that are not told.')),
    ),
    quarantine: v.exactOptional(KeptSchema),
    error: v.exactOptional(ErrorText),
  }),
  v.title('verdict'),
  v.description('An upload was judged, or could not be.'),
  v.examples([
    {
      schema: 1,
      id: '0b5f4a2e-6a0c-4a55-9d4e-5a3c1a0f7f10',
      time: '2026-11-23T09:30:00.000Z',
      event: 'verdict',
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
      schema: 1,
      id: '7a2e9d4c-1b3f-4e5a-9c6d-8f0b1a2c3d91',
      time: '2026-11-23T09:30:00.500Z',
      event: 'verdict',
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
      schema: 1,
      id: '5f0d6c3b-0a71-4c1f-b3a0-2f1b7f6f8e21',
      time: '2026-11-23T09:30:01.000Z',
      event: 'verdict',
      caseId: 'c0f7b0a4-54d5-4f0c-9b8c-7a1f0e2d3c12',
      action: 'refuse',
      reason: 'failed',
      method: 'POST',
      path: '/files',
      files: [],
      error: 'list-missing: no hash list has been published here',
    },
  ]),
)

const FloodSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('flood'),
    bank: BankName,
    entry: EntryId,
    bound: v.pipe(
      wholeNumber,
      v.description('Distinct uploads within an hour that were too many.'),
    ),
    action: v.exactOptional(
      v.pipe(
        v.picklist(['report', 'flag']),
        v.description(
          'report: this event is all that follows. flag: the entry only flags until then. Absent in events of hashgate before 0.2, where it is flag.',
        ),
      ),
    ),
    until: v.pipe(
      v.string(),
      v.isoTimestamp(),
      v.description(
        'Until when the entry is not reported again and, with action flag, only flags.',
      ),
    ),
  }),
  v.title('flood'),
  v.description(
    'An entry matches more distinct uploads an hour than one that is right would. What follows is the choice of its bank.',
  ),
  v.examples([
    {
      schema: 1,
      id: '8d9b1f7c-8f5e-4a5b-8f0d-3b1f5a7c9e31',
      time: '2026-11-23T09:30:00.000Z',
      event: 'flood',
      bank: 'csam',
      entry: 'a-17',
      action: 'report',
      bound: 100,
      until: '2026-11-24T09:30:00.000Z',
    },
  ]),
)

const SweepSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('quarantine-sweep'),
    deleted: v.exactOptional(v.pipe(wholeNumber, v.description('Objects that had expired.'))),
    left: v.exactOptional(v.pipe(wholeNumber, v.description('Objects that are not due yet.'))),
    others: v.exactOptional(
      v.pipe(
        wholeNumber,
        v.description('Objects that do not belong to the quarantine. They are left alone.'),
      ),
    ),
    isWhole: v.exactOptional(
      v.pipe(v.boolean(), v.description('Whether all objects were looked at.')),
    ),
    error: v.exactOptional(ErrorText),
  }),
  v.title('quarantine-sweep'),
  v.description('What had expired in the quarantine was deleted, or could not be.'),
  v.examples([
    {
      schema: 1,
      id: '4f1c2b3a-6d5e-4c7b-8a9f-2e1d0c3b4a81',
      time: '2026-11-23T09:17:00.000Z',
      event: 'quarantine-sweep',
      deleted: 2,
      left: 15,
      others: 0,
      isWhole: true,
    },
  ]),
)

const ListErrorSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('list-error'),
    error: ErrorText,
    listVersion: v.exactOptional(
      v.pipe(wholeNumber, v.description('The version that stays in use; absent if there is none.')),
    ),
  }),
  v.title('list-error'),
  v.description(
    'The list could not be read, or not for too long; what was read before stays in use.',
  ),
  v.examples([
    {
      schema: 1,
      id: '2c1a9e5d-7b3f-4d6a-9c8e-1f0b2d4a6c41',
      time: '2026-11-23T09:30:00.000Z',
      event: 'list-error',
      error: 'list-missing: no hash list has been published here',
    },
  ]),
)

const OriginErrorSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('origin-error'),
    error: ErrorText,
    method: Method,
    path: Path,
  }),
  v.title('origin-error'),
  v.description('The origin could not be reached, or did not answer in time.'),
  v.examples([
    {
      schema: 1,
      id: '6e4b8d2a-1c9f-4e7b-a5d3-9f0c1b2a3d51',
      time: '2026-11-23T09:30:00.000Z',
      event: 'origin-error',
      error: 'TypeError',
      method: 'GET',
      path: '/files/1',
    },
  ]),
)

const LookupSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('lookup'),
    caller: Caller,
    method: Method,
    path: Path,
    listVersion: v.exactOptional(ListVersion),
    matches: v.pipe(
      v.array(
        v.object({
          ...MatchSchema.pipe[0].entries,
          contentId: v.pipe(wholeNumber, v.description('The number that the caller was told.')),
        }),
      ),
      v.description('All there are, also in banks that the caller did not ask about.'),
    ),
    error: v.exactOptional(ErrorText),
  }),
  v.title('lookup'),
  v.description('A hash or a file was looked up by a route of hasher-matcher-actioner.'),
  v.examples([
    {
      schema: 1,
      id: '1d7e6f5a-4b3c-4a2d-9e1f-0c9b8a7d6e01',
      time: '2026-11-23T09:30:00.000Z',
      event: 'lookup',
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
  ]),
)

const ApiErrorSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('api-error'),
    error: ErrorText,
    method: Method,
    path: Path,
  }),
  v.title('api-error'),
  v.description(
    'A request of the API could not be answered: tokens could not be verified, or something broke.',
  ),
  v.examples([
    {
      schema: 1,
      id: '2e8f7a6b-5c4d-4b3e-8f2a-1d0c9b8e7f11',
      time: '2026-11-23T09:30:00.000Z',
      event: 'api-error',
      error: 'key-set-unavailable: the key set could not be reached',
      method: 'POST',
      path: '/v1/verdict',
    },
  ]),
)

const StagingErrorSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('staging-error'),
    error: ErrorText,
    method: Method,
    path: Path,
  }),
  v.title('staging-error'),
  v.description(
    'A part of an upload could not be stored or read: the bucket or the Durable Object failed. The client got 503.',
  ),
  v.examples([
    {
      schema: 1,
      id: '5b1d9c3e-7f2a-4c6b-9d8e-0a1b2c3d4e5f',
      time: '2026-11-23T09:30:00.000Z',
      event: 'staging-error',
      error: 'Error',
      method: 'PATCH',
      path: '/uploads/8f3c',
    },
  ]),
)

const SinkErrorSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('sink-error'),
    sink: v.pipe(
      v.picklist(['queue', 'analytics', 'onEvent', 'onVerdict']),
      v.description('What did not take it: a sink, or an option of the library.'),
    ),
    eventId: v.pipe(v.string(), v.uuid(), v.description('The event, which is in the log instead.')),
    error: ErrorText,
  }),
  v.title('sink-error'),
  v.description('A sink did not take an event. Only in the log.'),
  v.examples([
    {
      schema: 1,
      id: '3a7d5c1e-9b2f-4f8a-8e6c-0d1b2c3a4f61',
      time: '2026-11-23T09:30:00.000Z',
      event: 'sink-error',
      sink: 'queue',
      eventId: '0b5f4a2e-6a0c-4a55-9d4e-5a3c1a0f7f10',
      error: 'sink-stalled: the sink did not take it within 10 seconds',
    },
  ]),
)

const DeliveryErrorSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('delivery-error'),
    eventId: v.exactOptional(
      v.pipe(
        v.string(),
        v.uuid(),
        v.description('The event. Absent if the message in the queue is not an event.'),
      ),
    ),
    attempt: v.pipe(wholeNumber, v.description('1 for the first.')),
    retrySeconds: v.pipe(
      wholeNumber,
      v.description(
        'When it is tried again, unless it has been tried as often as the queue allows.',
      ),
    ),
    status: v.exactOptional(v.pipe(wholeNumber, v.description('What the receiver answered.'))),
    error: ErrorText,
  }),
  v.title('delivery-error'),
  v.description('The webhook did not take an event, which stays in the queue. Only in the log.'),
  v.examples([
    {
      schema: 1,
      id: '9c8b7a6d-5e4f-4a3b-9c2d-1e0f9a8b7c71',
      time: '2026-11-23T09:30:00.000Z',
      event: 'delivery-error',
      eventId: '0b5f4a2e-6a0c-4a55-9d4e-5a3c1a0f7f10',
      attempt: 3,
      retrySeconds: 20,
      status: 503,
      error: 'not-accepted: the receiver answered 503',
    },
  ]),
)

const ExchangeName = v.pipe(v.string(), v.description("Name of the source in the desk's settings."))

const ExchangeSyncSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('exchange-sync'),
    exchange: ExchangeName,
    state: v.pipe(
      v.picklist(['complete', 'more', 'failed']),
      v.description('Whether the source was read to its end.'),
    ),
    records: v.pipe(wholeNumber, v.description('Records that were read.')),
    deleted: v.pipe(wholeNumber, v.description('Records that the provider took back.')),
    skipped: v.pipe(wholeNumber, v.description('What could not be read, or was filtered out.')),
    isHeld: v.pipe(
      v.boolean(),
      v.description('So many records vanished that nothing of the source is published.'),
    ),
    listVersion: v.exactOptional(
      v.pipe(wholeNumber, v.description('The version that was published, if any.')),
    ),
    error: v.exactOptional(ErrorText),
  }),
  v.title('exchange-sync'),
  v.description('The desk read a source of hashes, and published what changed.'),
  v.examples([
    {
      schema: 1,
      id: '4f1e2d3c-6b5a-4c7d-8e9f-0a1b2c3d4e61',
      time: '2026-11-26T09:30:00.000Z',
      event: 'exchange-sync',
      exchange: 'ncmec',
      state: 'complete',
      records: 1200,
      deleted: 14,
      skipped: 3,
      isHeld: false,
      listVersion: 42,
    },
  ]),
)

const ExchangeStaleSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('exchange-stale'),
    exchange: ExchangeName,
    ageSeconds: v.exactOptional(
      v.pipe(
        wholeNumber,
        v.description('Seconds since its last complete run; absent if there was none.'),
      ),
    ),
    maxAgeHours: v.pipe(wholeNumber, v.description('Hours that may pass.')),
    error: v.exactOptional(ErrorText),
  }),
  v.title('exchange-stale'),
  v.description('A source was not read to its end for longer than its settings allow.'),
  v.examples([
    {
      schema: 1,
      id: '5a2f3e4d-7c6b-4d8e-9f0a-1b2c3d4e5f72',
      time: '2026-11-26T09:30:00.000Z',
      event: 'exchange-stale',
      exchange: 'ncmec',
      ageSeconds: 97_200,
      maxAgeHours: 26,
      error: 'not-authorized: NCMEC does not accept the credentials (401)',
    },
  ]),
)

const RemoteErrorSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('remote-error'),
    bank: BankName,
    error: ErrorText,
    pausedSeconds: v.exactOptional(
      v.pipe(
        v.number(),
        v.description(
          'Seconds for which the service is not asked any more. Its bank fails for so long.',
        ),
      ),
    ),
  }),
  v.title('remote-error'),
  v.description('A service that is asked about hashes gave no answer.'),
  v.examples([
    {
      schema: 1,
      id: '6b3f4e5d-8d7c-4e9f-8a1b-2c3d4e5f6a83',
      time: '2026-11-26T09:30:00.000Z',
      event: 'remote-error',
      bank: 'arachnid',
      error: 'remote-failed: no answer in 1500 ms',
      pausedSeconds: 60,
    },
  ]),
)

const LateAnswerSchema = v.pipe(
  v.object({
    ...stamp,
    event: v.literal('late-answer'),
    caseId: v.pipe(
      v.string(),
      v.uuid(),
      v.description('The case of the upload, which had passed.'),
    ),
    bank: BankName,
    isGivenUp: v.exactOptional(
      v.pipe(
        v.literal(true),
        v.description('No answer came for a week, and none is asked for any more.'),
      ),
    ),
    matches: v.pipe(v.array(MatchSchema), v.description('What the upload matches, nearest first.')),
  }),
  v.title('late-answer'),
  v.description(
    'A service that gave no answer about an upload was asked again. The upload had passed: look at what it matches.',
  ),
  v.examples([
    {
      schema: 1,
      id: '7c4a5f6e-9e8d-4fa0-9b2c-3d4e5f6a7b94',
      time: '2026-11-26T09:35:00.000Z',
      event: 'late-answer',
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
  ]),
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

/** Schemas that those of the events are made of, by name. */
export const PART_SCHEMAS = { file: FileSchema, match: MatchSchema }

export const EventSchema = v.variant('event', Object.values(EVENT_SCHEMAS))

/** What the operator is told. Never a hash. */
export type GateEvent = v.InferOutput<(typeof EVENT_SCHEMAS)[keyof typeof EVENT_SCHEMAS]>
/** The event of an upload that was judged. */
export type VerdictEvent = Extract<GateEvent, { event: 'verdict' }>
/** What a verdict says of an entry that a file matches. */
export type MatchEvent = v.InferOutput<typeof MatchSchema>
/** What a verdict says of a file. */
export type FileEvent = v.InferOutput<typeof FileSchema>

type Unstamped<E> = E extends GateEvent ? Omit<E, keyof typeof stamp> : never

/** An event as it is made, before it has its id. */
export type Happening = Unstamped<GateEvent>
/** The event of some name, before it has its id. */
export type HappeningOf<Name extends GateEvent['event']> = Extract<Happening, { event: Name }>
