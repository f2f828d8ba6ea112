import { type Database, rowOf, statements } from './database.ts'
import type { Lease } from './lease.ts'
import type { Source } from './source.ts'

const DAY_MS = 86_400_000
/** Days for which a deleted record's row is kept, so that an older state cannot come back. */
const KEPT_DAYS = 90
/** Rows deleted at a time. */
const ROWS = 5000

/**
 * Deletes rows of records that were withdrawn long ago, once a day. Anything that may still be on
 * the published list stays.
 * @returns the number of rows
 */
export async function prune(
  db: Database,
  lease: Lease,
  { id }: Pick<Source, 'id'>,
  now: number,
): Promise<number> {
  const day = Math.floor(now / DAY_MS)
  const sql = 'SELECT 1 FROM day WHERE source = ? AND day = ?'
  if (await rowOf(db, sql, id, day)) return 0
  let pruned = 0
  for (let count = ROWS; count === ROWS; pruned += count) {
    const found = await rowOf<{ count: number }>(
      db,
      `SELECT count(*) AS count ${OLD}`,
      id,
      day,
      ROWS,
    )
    count = found?.count ?? 0
    const remove = `DELETE FROM record WHERE id IN (SELECT id ${OLD})`
    if (count > 0) await lease.write(statements(db, [remove, id, day, ROWS]))
  }
  await lease.write(
    statements(
      db,
      ['DELETE FROM day WHERE source = ? AND day < ?', id, day - 2 * KEPT_DAYS],
      ['INSERT INTO day (source, day, seq) SELECT ?, ?, seq FROM ledger', id, day],
    ),
  )
  return pruned
}

/** Deleted records of source ?1, as of KEPT_DAYS before day ?2. */
const OLD = `FROM (
    SELECT record.id FROM record JOIN source ON source.id = record.source
    WHERE record.source = ?1 AND record.deleted = 1 AND record.seq <= source.published_seq
    AND record.seq <= (SELECT max(seq) FROM day WHERE day.source = ?1 AND day <= ?2 - ${KEPT_DAYS})
    AND NOT EXISTS (SELECT 1 FROM retired WHERE retired.source = ?1 AND retired.id = record.id)
    ORDER BY record.seq LIMIT ?3
  )`
