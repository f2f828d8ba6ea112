import { createHash, type Hash } from 'node:crypto'
import type { Permit } from '../../util/semaphore.ts'
import {
  ClientGoneError,
  type ClientLimits,
  ClientStalledError,
  lengthOf,
  readChunks,
} from '../body-source.ts'
import { BeyondEndError, ChecksumError, UploadChangedError } from './errors.ts'
import { PART_BYTES, PartWriter } from './part-writer.ts'
import { PASSING_BYTES } from './receive-part.ts'
import type { StagedPart, UploadState } from './staged-upload.ts'
import type { StagingDeps, UploadHandle } from './staging.ts'

/**
 * Appends the body of a request to an upload, and records each part once it is stored: what arrived
 * counts if the connection breaks. With a checksum, either all of it counts or nothing. Returns the
 * new state.
 * @throws {BusyError | ClientGoneError | ClientStalledError | BeyondEndError | ChecksumError | UploadChangedError}
 */
export async function stageBody(
  request: Request,
  upload: UploadHandle,
  state: UploadState,
  deps: StagingDeps,
  checksum?: Checksum,
): Promise<UploadState> {
  const permit = await deps.bytes.acquire(PART_BYTES)
  const isLast = state.offset + (lengthOf(request) ?? NaN) === state.facts.length
  const staging = new BodyStaging(upload, state, deps, { isAtOnce: checksum !== undefined, isLast })
  try {
    return await receiveToStage(request, staging, permit, deps.client, checksum)
  } catch (error) {
    await staging.discard()
    throw error
  } finally {
    permit.release()
  }
}

/** A checksum of a body. */
export interface Checksum {
  algorithm: 'sha1' | 'sha256' | 'md5'
  digest: Uint8Array
}

async function receiveToStage(
  request: Request,
  staging: BodyStaging,
  permit: Permit,
  client: ClientLimits,
  checksum: Checksum | undefined,
): Promise<UploadState> {
  const hash = checksum && createHash(checksum.algorithm)
  try {
    for await (const chunk of readChunks(request, client)) {
      permit.touch()
      hash?.update(chunk)
      await staging.write(chunk)
    }
  } catch (error) {
    const isBroken = error instanceof ClientGoneError || error instanceof ClientStalledError
    if (isBroken && !checksum) await staging.end()
    throw error
  }
  if (checksum && !hash?.digest().equals(checksum.digest)) throw new ChecksumError()
  return staging.end()
}

/**
 * Reads a body that completes an upload, though another request may have completed it first.
 * Returns its SHA-256 in hex digits.
 * @throws {BusyError | ClientGoneError | ClientStalledError}
 */
export async function digestBody(
  request: Request,
  { bytes, client }: Pick<StagingDeps, 'bytes' | 'client'>,
): Promise<string> {
  const permit = await bytes.acquire(PASSING_BYTES)
  try {
    const hash = createHash(ENDING)
    for await (const chunk of readChunks(request, client)) {
      permit.touch()
      hash.update(chunk)
    }
    return hash.digest('hex')
  } finally {
    permit.release()
  }
}

/** The digest that identifies the body that completes an upload. */
const ENDING = 'sha256'

interface StagingOptions {
  /** Whether all parts are recorded together, at the end. */
  isAtOnce: boolean
  /** Whether the body completes the upload. */
  isLast: boolean
}

/** Parts on their way into an upload. */
class BodyStaging {
  readonly #upload: UploadHandle
  readonly #deps: StagingDeps
  readonly #isAtOnce: boolean
  readonly #hash: Hash | undefined
  /** Whether another request came first. The rest is then read only for its digest. */
  #isLate = false
  #state: UploadState
  #writer: PartWriter | undefined
  #received = 0
  /** Parts in the bucket that are not recorded yet. */
  #pending: StagedPart[] = []

  constructor(
    upload: UploadHandle,
    state: UploadState,
    deps: StagingDeps,
    { isAtOnce, isLast }: StagingOptions,
  ) {
    this.#upload = upload
    this.#state = state
    this.#deps = deps
    this.#isAtOnce = isAtOnce
    this.#hash = isLast ? createHash(ENDING) : undefined
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { facts, offset } = this.#state
    this.#hash?.update(chunk)
    if (this.#isLate) return
    this.#received += chunk.length
    if (facts.length !== undefined && offset + this.#received > facts.length)
      throw new BeyondEndError(facts.length)
    this.#writer ??= await this.#begin()
    this.#pending.push(...(await this.#writer.write(chunk)))
    if (!this.#isAtOnce) await this.#append()
  }

  /** Stores and records the rest. */
  async end(): Promise<UploadState> {
    if (!this.#isLate) {
      this.#pending.push(...((await this.#writer?.end()) ?? []))
      await this.#append()
    }
    if (this.#isLate) throw new UploadChangedError(this.#hash?.digest('hex'))
    return this.#state
  }

  /** Deletes the parts that are not recorded. */
  async discard(): Promise<void> {
    const keys = this.#pending.splice(0).map(({ key }) => key)
    if (keys.length > 0) await this.#deps.bucket.delete(keys)
  }

  async #begin(): Promise<PartWriter> {
    const parts = await this.#upload.stub.parts()
    return PartWriter.after(parts.at(-1), this.#deps.bucket, this.#upload.id)
  }

  async #append(): Promise<void> {
    if (this.#pending.length === 0) return
    const before = this.#state.offset
    const ending = this.#hash?.copy().digest('hex')
    const state = await this.#upload.stub.append(before, this.#pending, ending)
    if (!state && !this.#hash) throw new UploadChangedError()
    if (!state) {
      this.#isLate = true
      return this.discard()
    }
    this.#pending = []
    this.#received -= state.offset - before
    this.#state = state
  }
}
