import { make as makeMultipart, type MultipartError } from 'multipasta'
import { HashgateError } from '../errors.ts'
import { FileScanner, type ScanContext, type ScannedFile } from '../scan/scanner.ts'
import { sniffFormat } from '../scan/format.ts'
import type { Config } from './config.ts'
import type { HeldBody } from './held-bytes.ts'

/** A body that is longer than a gated one may be. */
export class BodyTooLargeError extends HashgateError {
  readonly code = 'too-large'

  constructor(maxBytes: number) {
    super(`the body is longer than ${maxBytes} bytes`)
  }
}

/** A body that is not what its Content-Type says. */
export class MalformedBodyError extends HashgateError {
  readonly code = 'malformed'

  constructor(problem: string) {
    super(`the body is malformed: ${problem}`)
  }
}

/**
 * Reads a request's body to its end, into `held`, and scans the files in it: the parts of `multipart/form-data`, or the body
 * itself, whatever its type. An image is decoded while it arrives.
 * @throws {BodyTooLargeError | MalformedBodyError | BusyError}
 */
export async function takeIn(
  request: Request,
  held: HeldBody,
  context: ScanContext,
  config: Config,
): Promise<ScannedFile[]> {
  const type = request.headers.get('content-type') ?? ''
  const isMultipart = /^\s*multipart\/form-data\b/i.test(type)
  const scanner = isMultipart ? undefined : new FileScanner(context)
  await readBody(request, held, config.maxBodyBytes, (piece) => scanner?.write(piece))
  const files = scanner
    ? [await scanner.end()]
    : await scanParts(held.whole(), type, context, config)
  return files.filter(({ bytes }) => bytes > 0)
}

/** Bytes that are read at once. The default reader gives 4 KiB, and takes ten times as long. */
const READ_BYTES = 64 * 1024

/** Reads a body to its end, telling each piece of it, which stays where it is. */
async function readBody(
  request: Request,
  held: HeldBody,
  maxBytes: number,
  onPiece: (piece: Uint8Array) => void,
): Promise<void> {
  const header = request.headers.get('content-length')
  const length = header === null ? undefined : Number(header)
  if (length !== undefined && length > maxBytes) throw new BodyTooLargeError(maxBytes)
  if (!request.body) return
  if (length !== undefined) held.expect(length)
  const reader = request.body.getReader({ mode: 'byob' })
  let scratch = new ArrayBuffer(READ_BYTES)
  for (;;) {
    const { done, value } = await reader.readAtLeast(READ_BYTES, new Uint8Array(scratch))
    if (value && value.length > 0) {
      if (held.length + value.length > maxBytes) throw new BodyTooLargeError(maxBytes)
      onPiece(held.append(value))
    }
    if (done || !value) break
    scratch = value.buffer
  }
  if (length !== undefined && held.length !== length) {
    throw new MalformedBodyError(`it has ${held.length} bytes of ${length}`)
  }
}

/** Scans the files of a multipart body, one after another: each has a decoder's memory for itself. */
async function scanParts(
  body: Uint8Array,
  type: string,
  context: ScanContext,
  config: Config,
): Promise<ScannedFile[]> {
  const scanned: ScannedFile[] = []
  for (const pieces of splitFiles(body, type, config)) {
    const scanner = new FileScanner(context)
    for (const piece of pieces) scanner.write(piece)
    scanned.push(await scanner.end())
  }
  return scanned
}

/**
 * Splits a `multipart/form-data` body into its files, each in pieces that are views of the body. A part is a file if it
 * has a filename, or content that begins like an image: an origin may take that for one too.
 * @throws {MalformedBodyError} it cannot be parsed, or has more files than allowed
 */
function splitFiles(body: Uint8Array, type: string, config: Config): Uint8Array[][] {
  const files: Uint8Array[][] = []
  let problem: string | undefined
  let isWhole = false
  const parser = makeMultipart({
    headers: { 'content-type': type },
    maxFieldSize: config.maxBodyBytes,
    maxPartSize: config.maxBodyBytes,
    onFile: () => {
      const pieces: Uint8Array[] = []
      files.push(pieces)
      return (piece) => {
        if (piece) pieces.push(piece)
      }
    },
    onField: (_, value) => {
      if (sniffFormat(value)) files.push([value])
    },
    onError: (error) => {
      problem ??= describe(error)
    },
    onDone: () => {
      isWhole = true
    },
  })
  // The parser copies the first piece that it is given, so that one is the first boundary alone.
  const boundaryEnd = Math.max(0, body.subarray(0, MAX_BOUNDARY_LINE).indexOf(CARRIAGE_RETURN))
  parser.write(body.subarray(0, boundaryEnd))
  parser.write(body.subarray(boundaryEnd))
  parser.end()
  if (problem === undefined && !isWhole) problem = 'it ends before its last boundary'
  if (files.length > config.maxFiles) {
    problem ??= `it has ${files.length} files, and ${config.maxFiles} are allowed`
  }
  if (problem !== undefined) throw new MalformedBodyError(problem)
  return files
}

const CARRIAGE_RETURN = 13
/** Two hyphens and a boundary of at most 70 characters (RFC 2046, 5.1.1), generously. */
const MAX_BOUNDARY_LINE = 256

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
