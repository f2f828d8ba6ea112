import type { GenericSchema, InferOutput } from 'valibot'
import * as v from 'valibot'
import { ClientStalledError, readChunks } from '../../upload/body-source.ts'
import { clientLimitsOf } from '../../upload/client-limits.ts'
import { parseJson } from '../../util/json.ts'
import { readAtMost } from '../../util/read-at-most.ts'
import { ApiError } from './errors.ts'
import type { Call } from './route.ts'

/** Longest JSON body, in bytes. */
const MAX_BYTES = 64 * 1024

/** Most problems in one answer. */
const MAX_ISSUES = 20

const MISMATCH = 'The request body does not match the schema'

/** Types of schemas, in words. */
const TYPES: Record<string, string> = {
  Object: 'an object',
  Array: 'an array',
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
}

/** @throws {ApiError} 400, 408 or 413: it is not JSON, arrives too slowly, or is too long */
export async function readJsonBody({
  request,
  uploads,
}: Pick<Call, 'request' | 'uploads'>): Promise<unknown> {
  const limits = clientLimitsOf(uploads.settings.upload)
  const body = await readAtMost(readChunks(request, limits), MAX_BYTES).catch((error: unknown) => {
    throw error instanceof ClientStalledError
      ? new ApiError(408, 'The request took too long.')
      : error
  })
  if (!body) throw new ApiError(413, `The JSON is longer than ${MAX_BYTES} bytes.`)
  const json = parseJson(body)
  if (json === undefined) throw new ApiError(400, 'The body is not valid JSON.')
  return json
}

/** JSON that does not match its schema: what is wrong, and where. */
export class BadFieldsError extends ApiError {
  override readonly code = 'bad-fields'
  readonly issues: { path: string; message: string }[]

  constructor(issues: { path: string; message: string }[]) {
    const [{ path, message } = { path: '', message: 'is empty' }] = issues
    super(400, `${MISMATCH}: ${path === '' ? 'it' : `\`${path}\``} ${message}.`)
    this.issues = issues
  }
}

/** Whether a body says that it is JSON. */
export function isJson({ headers }: Request): boolean {
  return /^\s*application\/json\s*(;|$)/i.test(headers.get('content-type') ?? '')
}

/** @throws {BadFieldsError} */
export function checkFields<Schema extends GenericSchema>(
  schema: Schema,
  input: unknown,
): InferOutput<Schema> {
  const result = v.safeParse(schema, input, { message: issueText })
  if (result.success) return result.output
  const issues = result.issues.slice(0, MAX_ISSUES)
  throw new BadFieldsError(
    issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message })),
  )
}

/** The message for a schema that has none. It does not repeat the input, which may be a hash. */
function issueText({ expected, received }: v.BaseIssue<unknown>): string {
  if (received === 'undefined') return 'is missing'
  if (expected === 'never') return 'is not a known field'
  return `must be ${TYPES[expected ?? ''] ?? expected ?? 'something else'}`
}
