import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { AwsChunkedReader, isAwsChunked } from '../../body/aws-chunked.ts'
import type { BodyReader } from '../../body/types.ts'
import { ClientGoneError, CHUNK_BYTES, readChunks } from '../body-source.ts'
import { ChecksumError } from './errors.ts'
import { newKey } from './part-writer.ts'
import type { StagedPart } from './staged-upload.ts'
import type { StagingDeps } from './staging.ts'

/** Bytes of memory that a part holds on its way into the bucket. */
export const PASSING_BYTES = 4 * CHUNK_BYTES

/**
 * Puts the body of a request into the bucket while it arrives, and checks the digests that came
 * with it.
 * @throws {ClientGoneError | ClientStalledError | MalformedBodyError | ChecksumError | BusyError}
 * and leaves nothing in the bucket
 */
export async function receivePart(
  request: Request,
  id: string,
  number: number,
  length: number,
  { bucket, bytes, client }: StagingDeps,
): Promise<StagedPart> {
  const permit = await bytes.acquire(PASSING_BYTES)
  const key = newKey(id, number)
  const { readable, writable } = new FixedLengthStream(length)
  const writer = writable.getWriter()
  writer.closed.catch(() => undefined) // write and close report what goes wrong
  const putting = bucket.put(key, readable)
  // Otherwise writes would wait forever for a bucket that has stopped reading.
  let failure: { error: unknown } | undefined
  putting.catch((error: unknown) => {
    failure = { error }
    return writer.abort(error).catch(() => undefined)
  })
  try {
    const body = new PartBody(request.headers)
    let received = 0
    for await (const chunk of readChunks(request, client)) {
      permit.touch()
      for (const decoded of body.take(chunk.slice())) {
        received += decoded.length
        if (received > length) throw new ClientGoneError()
        await writer.write(decoded)
      }
    }
    body.end()
    if (received !== length) throw new ClientGoneError()
    await writer.close()
    await putting
    return { number, key, bytes: length, md5: body.check() }
  } catch (caught) {
    const { error } = failure ?? { error: caught }
    await writer.abort(error).catch(() => undefined)
    await putting.catch(() => undefined)
    await bucket.delete(key)
    throw error
  } finally {
    permit.release()
  }
}

/** The length of a part, without the framing of chunks; `undefined` if not stated. */
export function partLengthOf({ headers }: Request): number | undefined {
  const name = isAwsChunked(headers) ? 'x-amz-decoded-content-length' : 'content-length'
  const length = headers.get(name)
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

/** The bytes of a part, without the framing of chunks, and their digests. */
export class PartBody {
  readonly #headers: Headers
  readonly #md5 = createHash('md5')
  readonly #sha256 = createHash('sha256')
  readonly #reader: BodyReader
  #decoded: Uint8Array[] = []
  #crc32 = 0

  constructor(headers: Headers) {
    this.#headers = headers
    const plain: BodyReader = { write: (chunk) => this.#take(chunk), end: () => undefined }
    this.#reader = isAwsChunked(headers) ? new AwsChunkedReader(plain) : plain
  }

  take(chunk: Uint8Array): Uint8Array[] {
    this.#reader.write(chunk)
    return this.#decoded.splice(0)
  }

  end(): void {
    this.#reader.end()
  }

  /** Compares the digests with the client's. Returns the MD5. @throws {ChecksumError} */
  check(): string {
    const md5 = this.#md5.digest()
    const sha256 = this.#sha256.digest()
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(this.#crc32)
    const header = (name: string) => this.#headers.get(name)
    const payload = header('x-amz-content-sha256') ?? ''
    const isRight =
      (header('content-md5') ?? md5.toString('base64')) === md5.toString('base64') &&
      (!/^[\da-f]{64}$/.test(payload) || payload === sha256.toString('hex')) &&
      (header('x-amz-checksum-sha256') ?? sha256.toString('base64')) ===
        sha256.toString('base64') &&
      (header('x-amz-checksum-crc32') ?? crc.toString('base64')) === crc.toString('base64')
    if (!isRight) throw new ChecksumError()
    return md5.toString('hex')
  }

  #take(chunk: Uint8Array): void {
    this.#md5.update(chunk)
    this.#sha256.update(chunk)
    this.#crc32 = crc32(chunk, this.#crc32)
    if (chunk.length > 0) this.#decoded.push(chunk)
  }
}
