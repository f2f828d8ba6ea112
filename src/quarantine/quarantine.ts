import { Encrypter } from 'age-encryption'
import { within } from '../util/within.ts'
import { HashgateError } from '../util/errors.ts'
import { objectKey, metadataOf, readObject } from './objects.ts'
import {
  FORMAT,
  type Kept,
  type QuarantineFacts,
  type QuarantineRecord,
  type Swept,
} from './record.ts'
import { type HeldBytes, seal } from './seal.ts'

/** Milliseconds in which a body must be stored: it is held meanwhile, and a Worker that has answered ends after 30 s. */
const MAX_KEEP_MS = 20_000
/** How often a body is stored at most, until it is. */
const MAX_TRIES = 2
const DAY_MS = 86_400_000

/** Most objects of a page, and of a deletion: R2 takes no more. */
const PAGE_OBJECTS = 1000
/** Most pages of one sweep, each a listing and perhaps a deletion: a Worker of the free plan may ask 50 times. */
const MAX_PAGES = 20

/** What is used of an R2 bucket. */
export interface QuarantineBucket {
  put(
    key: string,
    value: ReadableStream<Uint8Array>,
    options: { customMetadata: Record<string, string> },
  ): Promise<unknown>
  list(options: {
    limit: number
    include: 'customMetadata'[]
    cursor?: string
  }): Promise<QuarantinePage>
  delete(keys: string[]): Promise<void>
}

type QuarantinePage = {
  objects: { key: string; size: number; customMetadata?: Record<string, string> }[]
} & ({ truncated: false } | { truncated: true; cursor: string })

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

/** Keeps the bodies of refused uploads in a bucket, sealed to keys that are not here: what is kept cannot be read back. */
export class Quarantine {
  readonly #options: QuarantineOptions
  readonly #encrypter = new Encrypter()
  readonly #now: () => number

  /** @throws if a recipient is none */
  constructor(options: QuarantineOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    for (const recipient of options.recipients) this.#encrypter.addRecipient(recipient)
  }

  /** Seals and stores a body, which must stay as it is until this is done. Never throws. */
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

  /** Stores what is sealed: all of it, or nothing. Returns its key. */
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
      // What R2 does not take any more is not waited for: it may never be taken.
      failed.abort()
    }
  }

  /** Deletes what has expired, the oldest days first, in no more than MAX_PAGES pages. @throws what R2 fails by */
  async deleteExpired(): Promise<Swept> {
    const { bucket } = this.#options
    const now = this.#now()
    const swept: Swept = { deleted: 0, left: 0, others: 0, isWhole: false }
    let cursor: string | undefined
    for (let page = 0; page < MAX_PAGES && !swept.isWhole; page++) {
      const listed = await bucket.list({
        limit: PAGE_OBJECTS,
        include: ['customMetadata'],
        ...(cursor !== undefined && { cursor }),
      })
      const objects = listed.objects.map(({ key, size, customMetadata }) =>
        readObject(key, size, customMetadata),
      )
      const ours = objects.filter((object) => object !== undefined)
      const expired = ours.filter(({ expires }) => Date.parse(expires) <= now)
      if (expired.length > 0) await bucket.delete(expired.map(({ key }) => key))
      swept.deleted += expired.length
      swept.left += ours.length - expired.length
      swept.others += objects.length - ours.length
      if (listed.truncated) cursor = listed.cursor
      else swept.isWhole = true
    }
    return swept
  }
}

/** An error in words that may be logged: of R2's, its class and number. */
function describeFailure(error: unknown): string {
  if (error instanceof HashgateError) return `${error.code}: ${error.message}`
  if (!(error instanceof Error)) return 'unknown error'
  const number = /\((\d{5})\)/.exec(error.message)?.[1]
  return number === undefined ? error.name : `${error.name} ${number}`
}
