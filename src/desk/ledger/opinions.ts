import { type Database, rowOf, rowsOf } from './database.ts'
import type { Ledger } from './ledger.ts'
import { hashesOf } from './record.ts'

/**
 * What someone thinks of an entry. `confirmed`: it is what the list says. `disputed`: it is not.
 * `seen`: it matched, and no one has looked yet. An accidental match is not an opinion on the
 * entry, which may well be right.
 */
export const DECISIONS = ['confirmed', 'disputed', 'seen'] as const
export type Decision = (typeof DECISIONS)[number]

export interface Opinion {
  source: string
  /** The entry, as events name it. */
  entry: string
  decision: Decision
  /** Kind of the hash that matched. */
  kind: string
  /** The reason of a dispute, in the provider's terms. */
  reason?: string
}

/** An opinion that has not been sent yet. */
export interface QueuedOpinion extends Opinion {
  /** Why the last attempt to send it failed. */
  error: string | undefined
}

/** Stores an opinion until it is sent. One that was sent is not sent again. */
export async function addOpinion(db: Database, opinion: Opinion, now: number): Promise<void> {
  const { source, entry, decision, kind, reason = null } = opinion
  const sql =
    'INSERT OR IGNORE INTO opinion (source, entry, decision, kind, reason, at) VALUES (?, ?, ?, ?, ?, ?)'
  await db.prepare(sql).bind(source, entry, decision, kind, reason, now).run()
}

/** Unsent opinions of a source, the oldest first. */
export async function waitingOpinions(
  db: Database,
  source: string,
  limit: number,
): Promise<QueuedOpinion[]> {
  const sql =
    'SELECT source, entry, decision, kind, reason, error FROM opinion WHERE source = ? AND sent_at IS NULL ORDER BY at LIMIT ?'
  type Row = Omit<QueuedOpinion, 'reason' | 'error'> & {
    reason: string | null
    error: string | null
  }
  const rows = await rowsOf<Row>(db, sql, source, limit)
  return rows.map(({ reason, error, ...row }) =>
    Object.assign(row, reason !== null && { reason }, { error: error ?? undefined }),
  )
}

/** Records the outcome of an opinion. */
export async function noteOpinion(
  db: Database,
  { source, entry, decision }: Opinion,
  outcome: { sentAt: number } | { error: string },
): Promise<void> {
  const { sentAt = null, error = null } = outcome as { sentAt?: number; error?: string }
  const sql =
    'UPDATE opinion SET sent_at = ?, error = ? WHERE source = ? AND entry = ? AND decision = ?'
  await db.prepare(sql).bind(sentAt, error, source, entry, decision).run()
}

/**
 * The hash of an entry that the ledger named itself, as `r-` and its row; `undefined` for other
 * entries, or if it is gone.
 */
export async function hashOfEntry(ledger: Ledger, entry: string): Promise<string | undefined> {
  const digits = /^r-([0-9a-f]{16})$/.exec(entry)?.[1]
  if (digits === undefined) return undefined
  const row = String(BigInt(`0x${digits}`))
  const sql =
    'SELECT lower(hex(sealed)) AS sealed FROM record WHERE id = CAST(? AS INTEGER) AND deleted = 0'
  const found = await rowOf<{ sealed: string }>(ledger.db, sql, row)
  return found && hashesOf(ledger.key, row, found.sealed)[0]?.value
}
