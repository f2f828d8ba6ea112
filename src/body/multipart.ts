import { defaultIsFile, make as makeParser, type MultipartError, type PartInfo } from 'multipasta'
import { HashgateError } from '../errors.ts'
import { sniffFile } from '../scan/format.ts'

/** A body that is not what its Content-Type says, or that an origin may read otherwise than the gate does. */
export class MalformedBodyError extends HashgateError {
  readonly code = 'malformed'

  constructor(problem: string) {
    super(`the body is malformed: ${problem}`)
  }
}

/** Whether a Content-Type is that of a form with files. */
export function isFormData(type: string): boolean {
  return /^\s*multipart\/form-data\s*(;|$)/i.test(type)
}

/**
 * Refuses a Content-Type that names a form without being one: two headers in one, which an origin may read either way.
 * @throws {MalformedBodyError}
 */
export function checkContentType(type: string): void {
  if (/multipart\/form-data/i.test(type) && !isFormData(type)) {
    throw new MalformedBodyError('its Content-Type is two at once')
  }
}

/** Fields of a form beside its files: a bound on parts that cost little to send. */
const MAX_FIELDS = 1000

/**
 * Splits a `multipart/form-data` body into its files, each in pieces that are views of the body. A part is a file if it
 * has a filename, a disposition that cannot be read, or content that begins like an image or an archive: an origin may take it for one.
 * @throws {MalformedBodyError} it cannot be parsed in one way only, or has more files than allowed
 */
export function splitFiles(body: Uint8Array, type: string, maxFiles: number): Uint8Array[][] {
  checkFraming(body, readBoundary(type))
  const files: Uint8Array[][] = []
  let problem: string | undefined
  let isWhole = false
  const parser = makeParser({
    headers: { 'content-type': type },
    maxParts: maxFiles + MAX_FIELDS,
    maxFieldSize: body.length,
    maxPartSize: body.length,
    isFile: (info) => info.contentDisposition !== 'form-data' || defaultIsFile(info),
    onFile: (info) => {
      problem ??= problemOfPart(info)
      const pieces: Uint8Array[] = []
      files.push(pieces)
      return (piece) => {
        if (piece) pieces.push(piece)
      }
    },
    onField: (info: PartInfo | undefined, value) => {
      problem ??= problemOfPart(info)
      if (sniffFile(value)) files.push([value])
    },
    onError: (error) => {
      problem ??= describe(error)
    },
    onDone: () => {
      isWhole = true
    },
  })
  try {
    // The parser copies the first piece that it is given, so that one is the first boundary alone.
    const lineEnd = Math.max(0, body.subarray(0, MAX_BOUNDARY_LINE).indexOf(CARRIAGE_RETURN))
    parser.write(body.subarray(0, lineEnd))
    parser.write(body.subarray(lineEnd))
    parser.end()
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause
    problem ??= 'a name in it is encoded wrongly'
  }
  if (problem === undefined && !isWhole) problem = 'it ends before its last boundary'
  if (files.length > maxFiles) {
    problem ??= `it has ${files.length} files, and ${maxFiles} are allowed`
  }
  if (problem !== undefined) throw new MalformedBodyError(problem)
  return files
}

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const HYPHEN = 45
/** Two hyphens and a boundary of at most 70 characters (RFC 2046, 5.1.1), generously. */
const MAX_BOUNDARY_LINE = 256

/**
 * The boundary, if the Content-Type has just one, of the characters that RFC 2046 allows.
 * @throws {MalformedBodyError}
 */
function readBoundary(type: string): string {
  const named = type.match(/boundary\s*=/gi) ?? []
  const found =
    /;\s*boundary=(?:"([\w'()+,\-./:=? ]{1,70})"|([\w'()+\-./:?]{1,70}))\s*(?:;|$)/i.exec(type)
  const boundary = found?.[1] ?? found?.[2]
  if (named.length !== 1 || boundary === undefined || boundary.endsWith(' ')) {
    throw new MalformedBodyError('its Content-Type has no usable boundary')
  }
  return boundary
}

/**
 * Sees that the boundary stands only where every parser takes it for one: at the start of a line that ends with CR LF, and
 * once, as the last, with two hyphens behind it. Parsers differ in what else they let pass, and would find other parts.
 * @throws {MalformedBodyError}
 */
function checkFraming(body: Uint8Array, boundary: string): void {
  const mark = new TextEncoder().encode(`--${boundary}`)
  let isEnded = false
  let partStart = 0
  for (const at of findAll(body, mark)) {
    const behind = at + mark.length
    const beginsLine = at === 0 || (at - 2 >= partStart && isLineEnd(body, at - 2))
    const isLast = body[behind] === HYPHEN && body[behind + 1] === HYPHEN
    if (isEnded || !beginsLine || !(isLast || isLineEnd(body, behind))) {
      throw new MalformedBodyError('its boundary stands where parsers differ')
    }
    isEnded = isLast
    partStart = behind + 2
  }
  if (!isEnded) throw new MalformedBodyError('it ends before its last boundary')
}

function isLineEnd(body: Uint8Array, at: number): boolean {
  return body[at] === CARRIAGE_RETURN && body[at + 1] === LINE_FEED
}

/**
 * Where a mark stands in a body, without overlaps: Knuth, Morris and Pratt's search, whose time is in proportion to the body
 * whatever is in it.
 */
function* findAll(body: Uint8Array, mark: Uint8Array): Generator<number> {
  const borders = bordersOf(mark)
  const [first = 0] = mark
  let matched = 0
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]
    if (matched === 0 && byte !== first) continue
    while (matched > 0 && byte !== mark[matched]) matched = borders[matched - 1] ?? 0
    if (byte === mark[matched]) matched++
    if (matched < mark.length) continue
    yield at + 1 - mark.length
    matched = 0
  }
}

/** Of each beginning of a mark, the length of its longest proper beginning that is also its end. */
function bordersOf(mark: Uint8Array): Uint8Array {
  const borders = new Uint8Array(mark.length)
  for (let at = 1, length = 0; at < mark.length; at++) {
    while (length > 0 && mark[at] !== mark[length]) length = borders[length - 1] ?? 0
    if (mark[at] === mark[length]) length++
    borders[at] = length
  }
  return borders
}

/** What an origin may read in a part otherwise than the gate. */
function problemOfPart(info: PartInfo | undefined): string | undefined {
  if (!info) return 'a part has no headers'
  const { headers } = info
  if (Object.values(headers).some((value) => Array.isArray(value)))
    return 'a part has a header twice'
  const encoding = headers['content-transfer-encoding']
  if (encoding !== undefined && !/^(7bit|8bit|binary)$/i.test(String(encoding).trim())) {
    return 'a part has a Content-Transfer-Encoding'
  }
  return undefined
}

function describe(error: MultipartError): string {
  switch (error._tag) {
    case 'InvalidBoundary':
      return 'its Content-Type has no usable boundary'
    case 'InvalidDisposition':
      return 'a part has no name'
    case 'EndNotReached':
      return 'it ends before its last boundary'
    case 'ReachedLimit':
      return `it is over the parser's limit ${error.limit}`
    case 'BadHeaders':
      return 'the headers of a part cannot be read'
  }
}
