import * as v from 'valibot'
import { choice, described } from '../../util/settings.ts'
import { NotAuthorizedError } from './errors.ts'
import type { Account, Exchange, ExchangePage, PageRecords, World } from './exchange.ts'
import { ask, checkedAnswer, nextUrl, urlUnder } from './http.ts'
import { baseUrl, secretName, type SettingsOf } from './https/settings.ts'
import { readRecords } from './normalise.ts'

/** Settings of the Terrorist Content Analytics Platform. */
export const TcapSettingsSchema = {
  kind: v.literal('tcap'),
  base: baseUrl('Its host.', 'https://app.terrorismanalytics.org'),
  listPath: v.optional(
    described(v.string(), 'Path of the list. Its documentation has two.'),
    '/api/hash-list/v2/all',
  ),
  ideology: v.optional(
    choice(['all', 'islamist', 'far-right'], 'Which hashes are imported.'),
    'all',
  ),
  user: v.pipe(v.string(), v.minLength(1), v.description('User name that TCAP gave you.')),
  secret: secretName('Name of the secret.', 'TCAP_PASSWORD'),
}

export type TcapSettings = SettingsOf<typeof TcapSettingsSchema>

const WHAT = 'TCAP'
const UNFIT = 'record: no id, algorithm or hash'

const RecordSchema = v.looseObject({
  id: v.union([v.number(), v.string()]),
  hash_digest: v.string(),
  algorithm: v.string(),
  ideology: v.nullish(v.string(), ''),
  file_type: v.nullish(v.string(), ''),
  deleted: v.nullish(v.boolean(), false),
  updated_on: v.nullish(v.union([v.number(), v.string()]), 0),
})

const AnswerSchema = v.looseObject({
  count: v.nullish(v.number()),
  next: v.nullish(v.string()),
  checkpoint: v.nullish(v.string()),
  results: v.array(v.unknown()),
})

const LoginSchema = v.looseObject({ token: v.pipe(v.string(), v.minLength(1)) })

/** Terrorist Content Analytics Platform, by Tech Against Terrorism. */
export class TcapExchange implements Exchange<TcapCheckpoint> {
  readonly #settings: TcapSettings
  readonly #secret: string
  readonly #world: World
  #token: string | undefined

  constructor(settings: TcapSettings, secret: string, world: World) {
    this.#settings = settings
    this.#secret = secret
    this.#world = world
  }

  async whoAmI(): Promise<Account> {
    await this.#login()
    const url = this.#firstPage(undefined)
    url.searchParams.set('limit', '1')
    const headers = { authorization: `Bearer ${this.#token}` }
    const response = await ask(this.#world, { what: WHAT, url, headers, accept: [401, 403] })
    await response.body?.cancel()
    return { name: this.#settings.user, can: response.ok ? ['read'] : [] }
  }

  async *pages(
    from: TcapCheckpoint | undefined,
  ): AsyncGenerator<ExchangePage<TcapCheckpoint>, void> {
    let at: TcapCheckpoint = from ?? {}
    for (;;) {
      const answer = await this.#list(at)
      const next = answer.next ?? undefined
      const isComplete = next === undefined
      const after = later(at.after, answer.checkpoint ?? undefined)
      const checkpoint: TcapCheckpoint = isComplete
        ? { ...(after !== undefined && { after }) }
        : { ...(at.after !== undefined && { after: at.after }), next }
      const expected = at.next === undefined ? (answer.count ?? undefined) : undefined
      const records = readRecords(answer.results, RecordSchema, UNFIT, addRecord)
      yield { ...records, checkpoint, isComplete, expected }
      if (isComplete) return
      at = checkpoint
    }
  }

  async #list({ after, next }: TcapCheckpoint): Promise<v.InferOutput<typeof AnswerSchema>> {
    // The next page's address is used unchanged: it has all parameters.
    const url =
      next === undefined
        ? this.#firstPage(after)
        : nextUrl(next, new URL(this.#settings.base), WHAT)
    return checkedAnswer(AnswerSchema, await this.#ask(url), WHAT)
  }

  #firstPage(after: string | undefined): URL {
    const url = urlUnder(this.#settings.base, this.#settings.listPath)
    url.searchParams.set('ideology', this.#settings.ideology)
    url.searchParams.set('order', 'asc')
    if (after !== undefined) url.searchParams.set('after', after)
    return url
  }

  /** Sends a request with the current token, and with a new one if that has expired. */
  async #ask(url: URL): Promise<Response> {
    const isNew = this.#token === undefined
    const token = this.#token ?? (await this.#login())
    try {
      return await ask(this.#world, {
        what: WHAT,
        url,
        headers: { authorization: `Bearer ${token}` },
      })
    } catch (error) {
      if (!(error instanceof NotAuthorizedError) || isNew) throw error
      this.#token = undefined
      return this.#ask(url)
    }
  }

  async #login(): Promise<string> {
    const response = await ask(this.#world, {
      what: WHAT,
      url: urlUnder(this.#settings.base, '/token-auth/tcap/'),
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: this.#settings.user, password: this.#secret }),
    })
    const { token } = await checkedAnswer(LoginSchema, response, WHAT, 'has no token')
    this.#token = token
    return token
  }
}

/** How far the list has been read. */
export interface TcapCheckpoint {
  /** Where the last complete run ended: a time and an id. */
  after?: string
  /** The next page of the current run. */
  next?: string
}

/** The later of two checkpoints: they never go back. */
function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return b ?? a
  return Number.parseFloat(b) >= Number.parseFloat(a) ? b : a
}

function addRecord(record: v.InferOutput<typeof RecordSchema>, records: PageRecords): void {
  const { id, hash_digest: value, algorithm, ideology, file_type: file } = record
  const key = String(id)
  // In seconds, with a fraction.
  const updated = Math.round(Number(record.updated_on ?? 0) * 1000)
  if (record.deleted) records.deletes.push({ key, updated })
  else
    records.upserts.push({
      key,
      id: key,
      hashes: [{ kind: algorithm, value }],
      labels: { file: file ?? '' },
      tier: ideology ?? '',
      updated,
    })
}
