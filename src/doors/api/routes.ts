import * as v from 'valibot'
import { HashesAnswer, VerdictAnswer } from './answers.ts'
import { HashesSchema } from './hashes.ts'
import { describedProblem, openApiDocument } from './openapi.ts'
import { jsonAnswer } from '../respond.ts'
import type { AnswerDescription, Route } from './route.ts'
import { answerVerdict } from './verdict.ts'

const CASE_ID = '0b9d2a5e-8a0f-4a57-9a34-0a4f6f1d2c3b'
const MATCH = {
  bank: 'csam',
  entry: '1042',
  source: 'exchange',
  distance: 6,
  threshold: 31,
  margin: 25,
  probe: 'identity',
  harm: 'csam',
  action: 'block',
}
const FILE = {
  coverage: 'scanned',
  format: 'jpeg',
  width: 640,
  height: 480,
  bytes: 48_213,
  quality: 100,
}
const FOUND = { caseId: CASE_ID, reason: 'match', listVersion: 7 }
const HASH = 'f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22'

/** A verdict is on a file or on hashes. */
const EitherAnswer = v.union([VerdictAnswer, HashesAnswer])

const VERDICT: Route = {
  method: 'POST',
  path: '/v1/verdict',
  scope: 'verdict',
  summary: 'The verdict on a file, or on hashes',
  description:
    'Scans and judges a body like an upload: a plain file, or the files of a form. If it is application/json, judges hashes that the caller computed. An event is logged, as for uploads.',
  bodies: [
    { type: 'application/octet-stream', schema: 'file' },
    { type: 'multipart/form-data', schema: 'file' },
    {
      type: 'application/json',
      schema: HashesSchema,
      example: {
        hashes: [{ pdq: HASH, quality: 100 }, { md5: 'd41d8cd98f00b204e9800998ecf8427e' }],
      },
    },
  ],
  answers: {
    200: {
      description: 'Nothing known was found, as far as the body could be scanned: see reason.',
      schema: EitherAnswer,
      example: {
        caseId: CASE_ID,
        verdict: 'allow',
        reason: 'no-match',
        listVersion: 7,
        files: [FILE],
      },
    },
    202: {
      description: 'A match for people to review.',
      schema: EitherAnswer,
      example: {
        ...FOUND,
        verdict: 'flag',
        files: [{ ...FILE, matches: [{ ...MATCH, isFlooded: true }] }],
      },
    },
    400: describedProblem('Bad request', 400, {
      detail: 'The request body does not match the schema: `hashes.0.pdq` must be 64 hex digits.',
      errors: [{ path: 'hashes.0.pdq', message: 'must be 64 hex digits' }],
    }),
    408: refused('This upload took too long.', 408, 'client-stalled'),
    411: refused('This upload must say how long it is.', 411, 'length-required'),
    413: refused('This upload is too large.', 413, 'too-large'),
    422: refused('This upload cannot be processed.', 422, 'unscannable'),
    451: {
      description: 'A match.',
      schema: EitherAnswer,
      example: {
        ...FOUND,
        verdict: 'block',
        hashes: [
          { kind: 'pdq', matches: [MATCH] },
          { kind: 'md5', matches: [] },
        ],
      },
    },
    503: refused('Uploads are not available at the moment.', 503, 'failed'),
  },
  errors: 'problem',
  handle: answerVerdict,
}

/**
 * All routes of the API.
 * @param others routes beside those for verdicts
 * @param base prefix of their paths
 */
export function routesWith(others: readonly Route[], base: string): readonly Route[] {
  const routes: readonly Route[] = [
    VERDICT,
    ...others,
    openApi(() => openApiDocument(routes, base)),
  ]
  return routes
}

function refused(title: string, status: number, reason: string): AnswerDescription {
  return describedProblem(title, status, { caseId: CASE_ID, verdict: 'refuse', reason, files: [] })
}

function openApi(documentOf: () => object): Route {
  return {
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This description',
    description: 'The API in OpenAPI 3.1.',
    answers: {
      200: {
        description: 'An OpenAPI document.',
        schema: v.looseObject({ openapi: v.literal('3.1.1') }),
        example: { openapi: '3.1.1' },
      },
    },
    errors: 'problem',
    handle: async () => jsonAnswer(documentOf()),
  }
}
