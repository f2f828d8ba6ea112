import * as v from 'valibot'
import type { Database, Statement } from '../desk/ledger/database.ts'
import type { CloudflareApi } from './remote-store.ts'

const AnswerSchema = v.object({
  success: v.literal(true),
  result: v.array(v.looseObject({ results: v.nullish(v.array(v.unknown()), []) })),
})

/** D1 at Cloudflare, through its API. */
export class RemoteDatabase implements Database {
  readonly #api: CloudflareApi
  readonly #path: string

  constructor(api: CloudflareApi, account: string, database: string) {
    this.#api = api
    this.#path = `accounts/${account}/d1/database/${database}/query`
  }

  prepare(sql: string): Statement {
    return new RemoteStatement(this, { sql, params: [] })
  }

  /** Sends a batch as one transaction. Repeating a batch whose answer was lost changes nothing. */
  async batch(statements: Statement[]): Promise<{ results: unknown[] }[]> {
    return this.send(statements.map((statement) => (statement as RemoteStatement).query))
  }

  /** @throws {CloudflareError} */
  async send(queries: readonly SqlQuery[]): Promise<{ results: unknown[] }[]> {
    const body = JSON.stringify(queries.length === 1 ? queries[0] : { batch: queries })
    const { result } = await this.#api.call(AnswerSchema, 'POST', this.#path, { body })
    return result.map(({ results }) => ({ results: results ?? [] }))
  }
}

type SqlValue = string | number | null

/** A statement as Cloudflare's API expects it. */
interface SqlQuery {
  sql: string
  params: readonly SqlValue[]
}

class RemoteStatement implements Statement {
  readonly query: SqlQuery
  readonly #database: RemoteDatabase

  constructor(database: RemoteDatabase, query: SqlQuery) {
    this.#database = database
    this.query = query
  }

  bind(...params: SqlValue[]): Statement {
    return new RemoteStatement(this.#database, { sql: this.query.sql, params })
  }

  async all(): Promise<{ results: unknown[] }> {
    const [first] = await this.#database.send([this.query])
    return first ?? { results: [] }
  }

  async first(): Promise<unknown> {
    return (await this.all()).results[0] ?? null
  }

  async run(): Promise<unknown> {
    return this.all()
  }
}
