import { createHash } from 'node:crypto'
import type { Claim } from '../semaphore.ts'
import { ClientGoneError, ClientStalledError, readPieces } from '../body-source.ts'
import { BeyondEndError, ChecksumError, UploadChangedError } from './errors.ts'
import { PART_BYTES, PartWriter } from './part-writer.ts'
import type { StagedPart, UploadState } from './staged-upload.ts'
import type { StagingTools, UploadHandle } from './staging.ts'

/** A checksum of a body. */
export interface Checksum {
  algorithm: 'sha1' | 'sha256' | 'md5'
  digest: Uint8Array
}

/**
 * Puts the body of a request behind what is staged of an upload, and tells each part as it is there: what came counts, if the
 * connection breaks. With a checksum, all of it counts or nothing. Returns how the upload stands then.
 * @throws {BusyError | ClientGoneError | ClientStalledError | BeyondEndError | ChecksumError | UploadChangedError}
 */
export async function stageBody(
  request: Request,
  upload: UploadHandle,
  state: UploadState,
  tools: StagingTools,
  checksum?: Checksum,
): Promise<UploadState> {
  const claim = await tools.bytes.claim(PART_BYTES)
  const staging = new Staging(upload, state, tools, checksum !== undefined)
  try {
    return await receive(request, staging, claim, tools.maxStallMs, checksum)
  } catch (error) {
    await staging.discard()
    throw error
  } finally {
    claim.release()
  }
}

async function receive(
  request: Request,
  staging: Staging,
  claim: Claim,
  maxStallMs: number,
  checksum: Checksum | undefined,
): Promise<UploadState> {
  const hash = checksum && createHash(checksum.algorithm)
  try {
    for await (const piece of readPieces(request, maxStallMs)) {
      claim.touch()
      hash?.update(piece)
      await staging.write(piece)
    }
  } catch (error) {
    const isBroken = error instanceof ClientGoneError || error instanceof ClientStalledError
    if (isBroken && !checksum) await staging.end()
    throw error
  }
  if (checksum && !hash?.digest().equals(checksum.digest)) throw new ChecksumError()
  return staging.end()
}

/** Parts on their way into an upload. */
class Staging {
  readonly #upload: UploadHandle
  readonly #tools: StagingTools
  readonly #isAtOnce: boolean
  #state: UploadState
  #writer: PartWriter | undefined
  #received = 0
  /** Parts in the bucket that were not told. */
  #pending: StagedPart[] = []

  /** @param isAtOnce whether parts are told all at once, at the end */
  constructor(upload: UploadHandle, state: UploadState, tools: StagingTools, isAtOnce: boolean) {
    this.#upload = upload
    this.#state = state
    this.#tools = tools
    this.#isAtOnce = isAtOnce
  }

  async write(piece: Uint8Array): Promise<void> {
    const { facts, offset } = this.#state
    this.#received += piece.length
    if (facts.length !== undefined && offset + this.#received > facts.length)
      throw new BeyondEndError(facts.length)
    this.#writer ??= await this.#begin()
    this.#pending.push(...(await this.#writer.write(piece)))
    if (!this.#isAtOnce) await this.#tell()
  }

  /** Puts and tells what is left. */
  async end(): Promise<UploadState> {
    this.#pending.push(...((await this.#writer?.end()) ?? []))
    await this.#tell()
    return this.#state
  }

  /** Deletes what is not told. */
  async discard(): Promise<void> {
    const keys = this.#pending.splice(0).map(({ key }) => key)
    if (keys.length > 0) await this.#tools.bucket.delete(keys)
  }

  async #begin(): Promise<PartWriter> {
    const parts = await this.#upload.stub.parts()
    return PartWriter.after(parts.at(-1), this.#tools.bucket, this.#upload.id)
  }

  async #tell(): Promise<void> {
    if (this.#pending.length === 0) return
    const before = this.#state.offset
    const state = await this.#upload.stub.append(before, this.#pending)
    if (!state) throw new UploadChangedError()
    this.#pending = []
    this.#received -= state.offset - before
    this.#state = state
  }
}
