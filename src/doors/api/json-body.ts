import type { GenericSchema, InferOutput } from 'valibot'
import * as v from 'valibot'
import { readBoundedText } from './bounded.ts'
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

/** JSON that does not match its schema: what is wrong, and where. */
export class BadFieldsError extends ApiError {
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

/** @throws {ApiError} 400, 408 or 413: it is not JSON, arrives too slowly, or is too long */
export async function readJsonBody({
  request,
  uploads,
}: Pick<Call, 'request' | 'uploads'>): Promise<unknown> {
  const maxStallMs = uploads.settings.upload.clientStallSeconds * 1000
  const stalled = () => new ApiError(408, 'The request took too long.')
  const text = await readBoundedText(request.body, MAX_BYTES, maxStallMs, stalled)
  if (text === undefined) throw new ApiError(413, `The JSON is longer than ${MAX_BYTES} bytes.`)
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError(400, 'The body is not valid JSON.')
  }
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
