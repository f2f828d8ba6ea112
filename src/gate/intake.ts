import { HashgateError } from '../errors.ts'
import type { ScanContext } from '../scan/context.ts'
import type { ScannedFile } from '../scan/scanned.ts'
import { FileScanner } from '../scan/scanner.ts'
import type { Config } from './config.ts'
import type { HeldBody } from './held-bytes.ts'
import { checkContentType, isFormData, MalformedBodyError, splitFiles } from './multipart.ts'

/** A body that is longer than a gated one may be. */
export class BodyTooLargeError extends HashgateError {
  readonly code = 'too-large'

  constructor(maxBytes: number) {
    super(`the body is longer than ${maxBytes} bytes`)
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
  checkContentType(type)
  const scanner = isFormData(type) ? undefined : new FileScanner(context)
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
  for (const pieces of splitFiles(body, type, config.maxFiles)) {
    const scanner = new FileScanner(context)
    for (const piece of pieces) scanner.write(piece)
    scanned.push(await scanner.end())
  }
  return scanned
}
