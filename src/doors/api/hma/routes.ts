import * as v from 'valibot'
import { described } from '../../../util/settings.ts'
import { MessageAnswer } from '../answers.ts'
import type { AnswerDescription, QueryParameter, Route } from '../route.ts'
import { answerCompare } from './compare.ts'
import { answerHash, answerHashUrl } from './hash.ts'
import { answerFileLookup, answerLookup, answerRawLookup } from './lookup.ts'
import { answerStatus } from './status.ts'

const HASH = 'f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22'

const Distance = v.pipe(v.string(), v.regex(/^\d{1,3}$/))
const ContentId = v.pipe(v.number(), v.integer())
const BankMatchAnswer = v.strictObject({ bank_content_id: ContentId, distance: Distance })
const ByBankAnswer = v.record(v.string(), v.array(BankMatchAnswer))
const RawAnswer = v.strictObject({ matches: v.array(v.union([ContentId, BankMatchAnswer])) })
const HashAnswer = v.record(v.string(), v.pipe(v.string(), v.regex(/^([0-9a-f]{32,64})?$/)))
const PairsSchema = v.record(v.string(), v.strictTuple([v.string(), v.string()]))
const CompareAnswer = v.record(
  v.string(),
  v.strictTuple([v.boolean(), v.strictObject({ distance: v.optional(v.number()) })]),
)
const FormSchema = v.object({
  photo: v.optional(described(v.string(), 'An image.')),
  video: v.optional(described(v.string(), 'Any other file.')),
})

const MATCHES = { csam: [{ bank_content_id: 1042, distance: '6' }] }
const FORM = [{ type: 'multipart/form-data', schema: FormSchema }]

const SIGNAL: readonly QueryParameter[] = [
  { name: 'signal', description: 'A hash, as hex digits.' },
  { name: 'signal_type', description: 'pdq, md5 (or video_md5), sha1 or sha256.' },
]
const BANKS: QueryParameter = { name: 'banks', description: 'Banks, separated by commas.' }
const TYPES: QueryParameter = { name: 'types', description: 'Signal types, separated by commas.' }
const NO_CHANCE: readonly QueryParameter[] = [
  { name: 'seed', description: 'No effect: every bank is always asked.' },
  { name: 'bypass_coinflip', description: 'No effect: every bank is always asked.' },
]
const URL_PARAMETER: QueryParameter = {
  name: 'url',
  description: 'Refused: content is not fetched.',
}

function message(description: string, text: string): AnswerDescription {
  return { description, schema: MessageAnswer, example: { message: text } }
}

const BAD = message('The request is not valid.', 'invalid signal: invalid PDQ hash')
const TOO_LARGE = message('The body is too long.', 'This upload is too large.')
const NOT_READY = message('The list is not available.', 'index not yet ready')
const FILE_ERRORS = {
  400: message(
    'The file is missing, or cannot be read.',
    'Missing multipart/form-data file upload',
  ),
  408: message('The file arrived too slowly.', 'This upload took too long.'),
  411: message('The length is not known.', 'This upload must say how long it is.'),
  413: TOO_LARGE,
}

const COMMON = { scope: 'lookup', errors: 'message' } as const

/** Routes that clients of facebook's hasher-matcher-actioner (HMA) use, with its parameters, answers and status codes. */
export const HMA_ROUTES: readonly Route[] = [
  {
    ...COMMON,
    method: 'GET',
    path: '/h/hash',
    summary: 'HMA: hashes of content by its URL',
    description: 'Always refused: content is not fetched. POST it.',
    query: [{ ...URL_PARAMETER, isRequired: true }],
    answers: {
      400: message('Always.', 'Invalid or unsafe URL provided: content is not fetched; POST it'),
    },
    handle: answerHashUrl,
  },
  {
    ...COMMON,
    method: 'POST',
    path: '/h/hash',
    summary: 'HMA: hashes of a file',
    description:
      'Name the part of the form after its content type: photo or video. A PDQ hash with a quality below 50 is empty.',
    query: [TYPES],
    bodies: FORM,
    answers: {
      200: { description: 'Hashes by signal type.', schema: HashAnswer, example: { pdq: HASH } },
      ...FILE_ERRORS,
      503: message('There is no room for the file.', 'Uploads are not available at the moment.'),
    },
    handle: answerHash,
  },
  {
    ...COMMON,
    method: 'GET',
    path: '/m/raw_lookup',
    summary: 'HMA: content that a hash matches',
    description: 'Ids of content, with distances on request. At most 16.',
    query: [
      ...SIGNAL.map((parameter) => ({ ...parameter, isRequired: true })),
      { name: 'include_distance', description: 'true or false.' },
      BANKS,
    ],
    answers: {
      200: { description: 'Matches.', schema: RawAnswer, example: { matches: [1042] } },
      400: BAD,
      503: NOT_READY,
    },
    handle: answerRawLookup,
  },
  {
    ...COMMON,
    method: 'GET',
    path: '/m/lookup',
    summary: 'HMA: what a hash matches, by bank',
    description: 'Both signal and signal_type are required. At most 16 matches.',
    query: [...SIGNAL, BANKS, ...NO_CHANCE, URL_PARAMETER],
    answers: {
      200: { description: 'Matches by bank.', schema: ByBankAnswer, example: MATCHES },
      400: BAD,
      503: NOT_READY,
    },
    handle: answerLookup,
  },
  {
    ...COMMON,
    method: 'POST',
    path: '/m/lookup',
    summary: 'HMA: what a file matches, by signal type and bank',
    description:
      'Name the part of the form after its content type: photo or video. The file is scanned like an upload, with probes and files within it.',
    query: [TYPES, BANKS, ...NO_CHANCE],
    bodies: FORM,
    answers: {
      200: {
        description: 'Matches by signal type and bank.',
        schema: v.record(v.string(), ByBankAnswer),
        example: { pdq: MATCHES },
      },
      ...FILE_ERRORS,
      503: NOT_READY,
    },
    handle: answerFileLookup,
  },
  {
    ...COMMON,
    method: 'POST',
    path: '/m/compare',
    summary: 'HMA: whether hashes are alike',
    description: 'Pairs of hashes by signal type. The list is not asked.',
    bodies: [{ type: 'application/json', schema: PairsSchema, example: { pdq: [HASH, HASH] } }],
    answers: {
      200: {
        description: 'Whether they are alike, and the distance of PDQ hashes.',
        schema: CompareAnswer,
        example: { pdq: [true, { distance: 0 }] },
      },
      400: message('The request is not valid.', 'Request input was not a dict'),
      408: message('The body arrived too slowly.', 'The request took too long.'),
      413: message('The body is too long.', 'The JSON is longer than 65536 bytes.'),
      415: message(
        'The Content-Type is not that of JSON.',
        "the request Content-Type was not 'application/json'",
      ),
    },
    handle: answerCompare,
  },
  {
    ...COMMON,
    method: 'GET',
    path: '/status',
    summary: 'HMA: whether hashes can be looked up',
    description: 'I-AM-ALIVE, INDEX-NOT-LOADED or INDEX-STALE.',
    answers: {
      200: {
        description: 'They can.',
        type: 'text/plain',
        schema: v.literal('I-AM-ALIVE'),
        example: 'I-AM-ALIVE',
      },
      503: {
        description: 'They cannot, or only in an old list.',
        type: 'text/plain',
        schema: v.picklist(['INDEX-NOT-LOADED', 'INDEX-STALE']),
        example: 'INDEX-STALE',
      },
    },
    handle: answerStatus,
  },
]
