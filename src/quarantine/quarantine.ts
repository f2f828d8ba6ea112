import { Encrypter } from 'age-encryption'
import { within } from '../util/within.ts'
import { describeError, HashgateError } from '../util/errors.ts'
import { listPage, type QuarantineBucket } from './bucket.ts'
import { metadataOf, objectKey } from './objects.ts'
import {
  FORMAT,
  type Kept,
  type QuarantineFacts,
  type QuarantineRecord,
  type Swept,
} from './record.ts'
import { type HeldBytes, seal } from './seal.ts'

/**
 * Milliseconds in which a body must be stored. It is held meanwhile, and the platform ends a Worker
 * 30 s after its answer.
 */
const MAX_KEEP_MS = 20_000
/** Most attempts to store a body. */
const MAX_TRIES = 2
const DAY_MS = 86_400_000

/**
 * Most pages of one sweep. Each is a listing and perhaps a deletion, and a Worker on the free plan
 * may make 50 requests.
 */
const MAX_PAGES = 20

/**
 * Keeps the bodies of refused uploads in a bucket, sealed to keys that are not here: the Worker
 * cannot read them back.
 */
export class Quarantine {
  readonly #options: QuarantineOptions
  readonly #encrypter = new Encrypter()
  readonly #now: () => number

  /** @throws if a recipient is invalid */
  constructor(options: QuarantineOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    for (const recipient of options.recipients) this.#encrypter.addRecipient(recipient)
  }

  /** Seals and stores a body, which must not change until this is done. Never throws. */
  async keep(facts: QuarantineFacts, body: HeldBytes): Promise<Kept> {
    const { days, maxKeepMs = MAX_KEEP_MS } = this.#options
    const now = this.#now()
    const record: QuarantineRecord = {
      format: FORMAT,
      time: new Date(now).toISOString(),
      expires: new Date(now + days * DAY_MS).toISOString(),
      bytes: body.length,
      ...facts,
    }
    const aborter = new AbortController()
    const storing = this.#tryToStore(record, body, aborter.signal)
    try {
      return await within(storing, maxKeepMs, () => new QuarantineTimeoutError(maxKeepMs))
    } catch (error) {
      return { kept: false, reason: 'not-stored', error: describeFailure(error) }
    } finally {
      aborter.abort()
    }
  }

  async #tryToStore(record: QuarantineRecord, body: HeldBytes, signal: AbortSignal): Promise<Kept> {
    for (let tries = 1; ; tries++) {
      const sealed = await seal(record, body, this.#encrypter).catch((error: unknown) => ({
        error,
      }))
      if ('error' in sealed) {
        return { kept: false, reason: 'not-sealed', error: describeFailure(sealed.error) }
      }
      const { readable, bytes } = sealed
      try {
        const key = await this.#store(record, readable, bytes, signal)
        return { kept: true, key, bytes, expires: record.expires }
      } catch (error) {
        if (tries === MAX_TRIES || signal.aborted) throw error
      }
    }
  }

  /** Stores what is sealed, all of it or nothing. Returns its key. */
  async #store(
    record: QuarantineRecord,
    sealed: ReadableStream<Uint8Array>,
    bytes: number,
    signal: AbortSignal,
  ): Promise<string> {
    const key = objectKey(record.caseId, record.time)
    const { readable, writable } = new FixedLengthStream(bytes)
    const failed = new AbortController()
    const piping = sealed.pipeTo(writable, { signal: AbortSignal.any([signal, failed.signal]) })
    try {
      const putting = this.#options.bucket.put(key, readable, {
        customMetadata: metadataOf(record),
      })
      await Promise.all([putting, piping])
      return key
    } finally {
      // Do not wait for R2 to read the rest: it may never do so.
      failed.abort()
    }
  }

  /** Deletes what has expired, oldest days first, in up to MAX_PAGES pages. @throws R2's error */
  async deleteExpired(): Promise<Swept> {
    const { bucket } = this.#options
    const now = this.#now()
    const swept: Swept = { deleted: 0, left: 0, others: 0, isWhole: false }
    let cursor: string | undefined
    for (let page = 0; page < MAX_PAGES && !swept.isWhole; page++) {
      const listed = await listPage(bucket, cursor)
      const { objects } = listed
      const ours = objects.filter((object) => object !== undefined)
      const expired = ours.filter(({ expires }) => Date.parse(expires) <= now)
      if (expired.length > 0) await bucket.delete(expired.map(({ key }) => key))
      swept.deleted += expired.length
      swept.left += ours.length - expired.length
      swept.others += objects.length - ours.length
      cursor = listed.cursor
      swept.isWhole = cursor === undefined
    }
    return swept
  }
}

export interface QuarantineOptions {
  bucket: QuarantineBucket
  /** age public keys, at least one. */
  recipients: readonly string[]
  days: number
  /** Milliseconds in which a body must be stored. */
  maxKeepMs?: number
  now?: () => number
}

/** R2 did not store a body in time. */
class QuarantineTimeoutError extends HashgateError {
  readonly code = 'quarantine-timeout'

  constructor(ms: number) {
    super(`R2 did not store the body in ${ms} ms`)
  }
}

/** An error in words that may be logged. R2's errors are reduced to class and number. */
function describeFailure(error: unknown): string {
  const isForeign = error instanceof Error && !(error instanceof HashgateError)
  const number = isForeign ? /\((\d{5})\)/.exec(error.message)?.[1] : undefined
  return number === undefined ? describeError(error) : `${describeError(error)} ${number}`
}
