import { type Database, rowOf, type Statement, statements } from './database.ts'
import { LeaseLostError, LeaseTakenError } from './errors.ts'

/** Milliseconds after which another process may continue the work. Each step renews them. */
export const LEASE_MS = 120_000

/**
 * Renews a lease. If it is not held, this writes a value that is not JSON: the statement fails, and
 * the transaction with it.
 */
const FENCE = `INSERT INTO lease (name, token, expires)
  SELECT ?1, iif(EXISTS (SELECT 1 FROM lease WHERE name = ?1 AND token = ?2), ?2, json('lease lost')), ?3
  WHERE true ON CONFLICT (name) DO UPDATE SET expires = excluded.expires`

/**
 * The right to work on something. Each holder has its own token, and every write is fenced by it.
 */
export class Lease {
  readonly name: string
  readonly #db: Database
  readonly #token: string
  readonly #now: () => number

  private constructor(db: Database, name: string, token: string, now: () => number) {
    this.#db = db
    this.name = name
    this.#token = token
    this.#now = now
  }

  /** @throws {LeaseTakenError} */
  static async take(db: Database, name: string, now: () => number): Promise<Lease> {
    const token = crypto.randomUUID()
    const at = now()
    const [, found] = await db.batch(
      statements(
        db,
        [
          `INSERT INTO lease (name, token, expires) VALUES (?1, ?2, ?3) ON CONFLICT (name)
           DO UPDATE SET token = excluded.token, expires = excluded.expires WHERE lease.expires <= ?4`,
          name,
          token,
          at + LEASE_MS,
          at,
        ],
        ['SELECT token, expires FROM lease WHERE name = ?', name],
      ),
    )
    const row = found?.results[0] as { token: string; expires: number } | undefined
    if (row?.token === token) return new Lease(db, name, token, now)
    throw new LeaseTakenError(name, Math.ceil(((row?.expires ?? at) - at) / 1000))
  }

  /**
   * Runs statements as one transaction if the lease is still held, and renews it.
   * @throws {LeaseLostError} nothing was written
   */
  async write(rows: Statement[]): Promise<void> {
    const fence = statements(this.#db, [FENCE, this.name, this.#token, this.#now() + LEASE_MS])
    try {
      await this.#db.batch([...fence, ...rows])
    } catch (error) {
      if (!(await this.isHeld())) throw new LeaseLostError(this.name)
      throw error
    }
  }

  async isHeld(): Promise<boolean> {
    const sql = 'SELECT 1 FROM lease WHERE name = ? AND token = ?'
    return (await rowOf(this.#db, sql, this.name, this.#token)) !== undefined
  }

  async release(): Promise<void> {
    const sql = 'DELETE FROM lease WHERE name = ? AND token = ?'
    await this.#db.prepare(sql).bind(this.name, this.#token).run()
  }
}
