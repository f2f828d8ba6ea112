import { HashgateError } from '../util/errors.ts'

/** A request that brings a part of a file, of which nobody can tell what it is. */
export class PartError extends HashgateError {
  readonly code = 'part'

  constructor(how: string) {
    super(`the request belongs to an upload in parts: ${how}`)
  }
}

/**
 * Headers of uploads in parts: Content-Range (RFC 9110, Google), tus, the IETF's draft of resumable uploads, and sessions of Google and of
 * Firebase.
 */
const HEADERS = [
  'content-range',
  'tus-resumable',
  'upload-offset',
  'upload-complete',
  'upload-incomplete',
  'upload-draft-interop-version',
  'x-goog-resumable',
  'x-goog-upload-command',
  'x-goog-upload-protocol',
  'x-upload-content-length',
]

/** Parameters of parts of S3, with any value, and of blocks and pages of Azure, with these. */
const PARAMETERS: Record<string, RegExp> = {
  uploads: /^/,
  uploadid: /^/,
  partnumber: /^/,
  comp: /^(block|blocklist|appendblock|page)$/i,
}

/** By what a request tells that it is of an upload in parts; `undefined` if by nothing that is known. */
export function partBy({ headers, url }: Pick<Request, 'headers' | 'url'>): string | undefined {
  const header = HEADERS.find((name) => headers.has(name))
  if (header !== undefined) return header
  const type = headers.get('content-type') ?? ''
  if (/^\s*application\/(offset\+octet-stream|partial-upload)\b/i.test(type)) return 'content-type'
  for (const [name, value] of new URL(url).searchParams) {
    const key = name.toLowerCase()
    if (Object.hasOwn(PARAMETERS, key) && PARAMETERS[key]?.test(value)) return key
  }
  return undefined
}
