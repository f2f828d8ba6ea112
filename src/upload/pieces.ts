import { HashgateError } from '../util/errors.ts'

/** A request that brings a piece of a file, of which nobody can tell what it is. */
export class PieceError extends HashgateError {
  readonly code = 'piece'

  constructor(how: string) {
    super(`the request is of an upload in pieces: ${how}`)
  }
}

/**
 * Headers of uploads in pieces: Content-Range (RFC 9110, Google), tus, the IETF's draft of resumable uploads, and sessions of Google and of
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

/** By what a request tells that it is of an upload in pieces; `undefined` if by nothing that is known. */
export function pieceBy({ headers, url }: Pick<Request, 'headers' | 'url'>): string | undefined {
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
