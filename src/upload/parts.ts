import { HashgateError } from '../util/errors.ts'

/** A request with a part of a file, which cannot be judged by itself. */
export class PartError extends HashgateError {
  readonly code = 'part'

  constructor(how: string) {
    super(`the request belongs to an upload in parts: ${how}`)
  }
}

/**
 * Headers of uploads in parts: Content-Range (RFC 9110, Google), tus, the IETF draft of resumable
 * uploads, and sessions of Google and Firebase.
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

/** Parameters of S3 parts, with any value, and of Azure blocks and pages, with these values. */
const PARAMETERS: Record<string, RegExp> = {
  uploads: /^/,
  uploadid: /^/,
  partnumber: /^/,
  comp: /^(block|blocklist|appendblock|page)$/i,
}

/** What marks a request as part of an upload in parts; `undefined` if nothing known does. */
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
