import * as v from 'valibot'
import { optional } from '../../util/settings.ts'
import { BadAnswerError } from './errors.ts'
import type {
  Account,
  Ask,
  EntryOpinion,
  Exchange,
  ExchangePage,
  ListedRecord,
  PageRecords,
  World,
} from './exchange.ts'
import { ask, checkedAnswer, urlUnder } from './http.ts'
import { baseUrl, secretName, type SettingsOf } from './https/settings.ts'
import { readRecords, skip } from './normalise.ts'

export const StopNciiSettingsSchema = {
  kind: v.literal('stopncii'),
  base: baseUrl('Its API.', 'https://api.stopncii.org/v1'),
  functionsSecret: secretName('Name of the secret for x-functions-key.', 'STOPNCII_FUNCTIONS_KEY'),
  secret: secretName(
    'Name of the secret for Ocp-Apim-Subscription-Key.',
    'STOPNCII_SUBSCRIPTION_KEY',
  ),
  feedbackSecret: optional(
    v.string(),
    'Name of the secret for x-functions-key of SubmitFeedback, which has its own.',
  ),
  regions: optional(
    v.array(v.string()),
    'Regions whose hashes are imported, along with those without a region; all by default.',
  ),
}

export type StopNciiSettings = SettingsOf<typeof StopNciiSettingsSchema>

const WHAT = 'StopNCII'
const UNFIT = 'record: no type or hash'
/** Where a first run begins. The service accepts 10, but not 0. */
const FIRST_START = 10
const PAGE_SIZE = 800
/** Maximum unreadable records of one run. */
const MAX_HOLES = 5
/** Largest step for skipping one: the service's times are seconds or milliseconds. */
const MAX_STEP = 2 ** 42

/** Nothing in it is strict: an unknown value must not drop a record. */
const RecordSchema = v.looseObject({
  signalType: v.string(),
  hashValue: v.string(),
  hashStatus: v.nullish(v.string(), ''),
  lastModtimestamp: v.nullish(v.number(), 0),
  caseNumbers: v.nullish(v.record(v.string(), v.unknown()), {}),
  CSPFeedbacks: v.nullish(v.array(v.looseObject({ feedbackValue: v.nullish(v.string(), '') })), []),
  hashRegions: v.nullish(v.array(v.string()), []),
})

const AnswerSchema = v.looseObject({
  hasMoreRecords: v.boolean(),
  nextPageToken: v.nullish(v.string(), ''),
  nextSetTimestamp: v.nullish(v.number(), 0),
  hashRecords: v.array(v.unknown()),
})
type FetchedHashes = v.InferOutput<typeof AnswerSchema>

/** StopNCII's names for opinions. */
const FEEDBACK = { confirmed: 'Blocked', disputed: 'NotBlocked', seen: 'PendingReview' } as const

/** StopNCII: hashes that people made of their own pictures. */
export class StopNciiExchange implements Exchange<StopNciiCheckpoint> {
  readonly staleDays = 30
  readonly #settings: StopNciiSettings
  readonly #keys: StopNciiKeys
  readonly #world: World

  constructor(settings: StopNciiSettings, keys: StopNciiKeys, world: World) {
    this.#settings = settings
    this.#keys = keys
    this.#world = world
  }

  async whoAmI(): Promise<Account> {
    await this.#fetch(from(FIRST_START), 1)
    const { feedback } = this.#keys
    const details = feedback !== undefined && {
      feedback: 'has a key that can only be tested by using it',
    }
    return { name: 'the subscription', can: ['read'], ...(details && { details }) }
  }

  feedback({ hash, decision }: EntryOpinion): Ask | undefined {
    const { feedback } = this.#keys
    if (hash === undefined || feedback === undefined) return undefined
    const hashFeedbacks = [{ hashValue: hash, tags: [], feedbackValue: FEEDBACK[decision] }]
    return {
      what: WHAT,
      url: urlUnder(this.#settings.base, '/SubmitFeedback'),
      method: 'POST',
      headers: { ...this.#headers(feedback), 'content-type': 'application/json' },
      body: JSON.stringify({ count: 1, hashFeedbacks }),
    }
  }

  /**
   * An unreadable record ends neither this run nor later ones. What follows it is read. The run
   * then fails at its end and says so, and the next run begins before that record again.
   */
  async *pages(
    checkpoint: StopNciiCheckpoint | undefined,
  ): AsyncGenerator<ExchangePage<StopNciiCheckpoint>, void> {
    let at = checkpoint ?? from(FIRST_START)
    for (let holes = 0; ;) {
      const answer = await this.#readable(at)
      if (!answer) {
        if (++holes > MAX_HOLES) throw unreadable()
        at = await this.#beyond(at)
        continue
      }
      const latest = Math.max(0, ...answer.hashRecords.map(timeOf))
      const seen = Math.max(at.seen, latest, answer.nextSetTimestamp ?? 0)
      const token = answer.nextPageToken ?? ''
      const isLast = !answer.hasMoreRecords
      if (!isLast && (token === '' || token === at.token)) {
        throw new BadAnswerError(WHAT, 'claims to have more, but does not say where')
      }
      const end = at.hole ?? seen
      const position = Math.max(at.position, latest)
      const next = isLast ? from(end) : { ...at, seen, position, token }
      const isComplete = isLast && at.hole === undefined
      const add = (record: Record_, records: PageRecords) => this.#add(record, records)
      const records = readRecords(answer.hashRecords, RecordSchema, UNFIT, add)
      yield { ...records, checkpoint: next, isComplete }
      if (isLast && !isComplete) throw unreadable()
      if (isComplete) return
      at = next
    }
  }

  /**
   * The page at a token, with fewer records if it is unreadable; `undefined` if its first record is
   * the cause.
   */
  async #readable(at: StopNciiCheckpoint): Promise<FetchedHashes | undefined> {
    for (let size = PAGE_SIZE; size >= 1; size = Math.floor(size / 2)) {
      try {
        return await this.#fetch(at, size)
      } catch (error) {
        if (!(error instanceof BadAnswerError)) throw error
      }
    }
    return undefined
  }

  /** The earliest time after an unreadable record from which the next one can be read. */
  async #beyond({ start: begin, position, hole }: StopNciiCheckpoint): Promise<StopNciiCheckpoint> {
    const isReadable = async (start: number) => {
      try {
        await this.#fetch(from(start), 1)
        return true
      } catch (error) {
        if (error instanceof BadAnswerError) return false
        throw error
      }
    }
    let [low, high] = [position, position + 1]
    for (let step = 1; !(await isReadable(high)); step *= 2) {
      if (step > MAX_STEP) throw unreadable()
      ;[low, high] = [high, high + step]
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (await isReadable(middle)) high = middle
      else low = middle
    }
    return { ...from(high), hole: hole ?? begin }
  }

  async #fetch({ start, token }: StopNciiCheckpoint, pageSize: number): Promise<FetchedHashes> {
    const url = urlUnder(this.#settings.base, '/FetchHashes')
    url.searchParams.set('startTimestamp', String(start))
    url.searchParams.set('pageSize', String(pageSize))
    if (token !== undefined) url.searchParams.set('nextPageToken', token)
    const headers = this.#headers(this.#keys.functions)
    return checkedAnswer(AnswerSchema, await ask(this.#world, { what: WHAT, url, headers }), WHAT)
  }

  #headers(functions: string): Record<string, string> {
    return {
      'x-functions-key': functions,
      'ocp-apim-subscription-key': this.#keys.subscription,
    }
  }

  #add(record: Record_, { upserts, deletes, skipped }: PageRecords): void {
    const key = `${record.signalType} ${record.hashValue.toLowerCase()}`
    const updated = record.lastModtimestamp ?? 0
    if (isWithdrawn(record)) deletes.push({ key, updated })
    else if (this.#isTaken(record.hashRegions ?? [])) upserts.push(listedHash(record, key, updated))
    else {
      deletes.push({ key, updated })
      skip(skipped, 'record: of another region')
    }
  }

  #isTaken(regions: readonly string[]): boolean {
    const { regions: taken } = this.#settings
    return !taken || regions.length === 0 || regions.some((region) => taken.includes(region))
  }
}

/** How far the hashes have been read. Times are the service's. */
export interface StopNciiCheckpoint {
  /** Beginning of the window: the latest time that a complete run saw. */
  start: number
  /** The next page of the current window. */
  token?: string
  /** The latest time seen in this window: a page may report an earlier one than the page before. */
  seen: number
  /** Time of the previous page's last record. */
  position: number
  /** Beginning of the window with an unreadable record: the next run begins there again. */
  hole?: number
}

/** Keys of its API: each function has its own. */
export interface StopNciiKeys {
  functions: string
  subscription: string
  feedback?: string
}

type Record_ = v.InferOutput<typeof RecordSchema>

function from(start: number): StopNciiCheckpoint {
  return { start, seen: start, position: start }
}

function timeOf(item: unknown): number {
  const parsed = v.safeParse(RecordSchema, item)
  return parsed.success ? (parsed.output.lastModtimestamp ?? 0) : 0
}

function unreadable(): BadAnswerError {
  return new BadAnswerError(
    WHAT,
    'has records that cannot be read; the records after them were read, and the next run tries these again',
  )
}

/** Withdrawn: the hash itself, or every case that it belongs to. */
function isWithdrawn({ hashStatus, caseNumbers }: Record_): boolean {
  const isGone = (status: unknown) => /^(withdrawn|deleted)$/i.test(String(status))
  const cases = Object.values(caseNumbers ?? {})
  return isGone(hashStatus) || (cases.length > 0 && cases.every(isGone))
}

/**
 * The tier says what other providers decided: many hashes are of people's pictures that no one has
 * reviewed.
 */
function listedHash(record: Record_, key: string, updated: number): ListedRecord {
  const values = (record.CSPFeedbacks ?? []).map(({ feedbackValue }) => feedbackValue ?? '')
  const blocked = values.filter((value) => value === 'Blocked').length
  const notBlocked = values.filter((value) => value === 'NotBlocked').length
  const tier = notBlocked > blocked ? 'not-blocked' : blocked > 0 ? 'blocked' : 'unreviewed'
  return {
    key,
    hashes: [{ kind: record.signalType, value: record.hashValue }],
    labels: { status: record.hashStatus ?? '' },
    tier,
    updated,
  }
}
