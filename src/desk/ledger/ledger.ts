import {
  type Database,
  MAX_PARAMETER_BYTES,
  rowOf,
  type Statement,
  statements,
} from './database.ts'
import { OtherDeskKeyError, RecordTooLargeError } from './errors.ts'
import { LedgerKey } from './ledger-key.ts'
import type { Lease } from './lease.ts'
import { migrate } from './migrations.ts'
import {
  buryRecord,
  type LedgerRecord,
  type LedgerRow,
  sealRecord,
  type Tombstone,
} from './record.ts'
import type { Source } from './source.ts'

/** Maximum records of one statement. */
const PAGE_RECORDS = 1000

/** What providers list, in D1. */
export class Ledger {
  readonly db: Database
  readonly key: LedgerKey

  private constructor(db: Database, key: LedgerKey) {
    this.db = db
    this.key = key
  }

  /**
   * Opens the ledger, creating or upgrading its tables.
   * @throws {BadDeskKeyError | OtherDeskKeyError}
   */
  static async open(db: Database, deskKey: string | undefined): Promise<Ledger> {
    const key = LedgerKey.parse(deskKey)
    await migrate(db)
    await db.prepare('UPDATE ledger SET key_id = ? WHERE key_id IS NULL').bind(key.id).run()
    const row = await rowOf<{ key_id: string }>(db, 'SELECT key_id FROM ledger')
    if (row?.key_id !== key.id) throw new OtherDeskKeyError(row?.key_id ?? 'unknown')
    return new Ledger(db, key)
  }

  /**
   * Applies a page of changes. Its last part and `also`, which has the checkpoint, are one
   * transaction, so a page that is cut off is applied again. A state older than the known one
   * changes nothing.
   */
  async apply(lease: Lease, source: Source, page: PageChanges, also: Statement[]): Promise<void> {
    const parts = inParts(latest(this.#rowsOf(source, page)))
    for (const [i, part] of parts.entries()) {
      const isLast = i === parts.length - 1
      await lease.write([...this.#applyRows(source, part), ...(isLast ? also : [])])
    }
    if (parts.length === 0) await lease.write(also)
  }

  #rowsOf({ name }: Source, { upserts, deletes }: PageChanges): LedgerRow[] {
    return [
      ...upserts.map((record) => sealRecord(this.key, name, record)),
      ...deletes.map((gone) => buryRecord(this.key, name, gone)),
    ]
  }

  #applyRows({ id, generation }: Source, { rows, texts }: FittingRows): Statement[] {
    const slim = JSON.stringify(
      rows.map(({ row, updated, content, deleted, kinds, tier }) => [
        row,
        updated,
        content,
        deleted,
        kinds,
        tier,
      ]),
    )
    return statements(
      this.db,
      ['UPDATE ledger SET seq = seq + 1'],
      [TALLY_PAGE, slim, id],
      [RETIRE_CHANGED, slim],
      [UPSERT, `[${texts.join()}]`, id, generation],
      [MARK_SEEN, slim, generation],
    )
  }

  /**
   * Withdraws all records that the current run did not list, in transactions of a few thousand.
   * @returns the number of records
   */
  async sweep(lease: Lease, { id, generation }: Source): Promise<number> {
    let swept = 0
    for (let after = '-1'; ;) {
      const found = await rowOf<SweepRange>(this.db, SWEEP_RANGE, id, generation, after)
      if (!found?.last) return swept
      const range = JSON.stringify([id, generation, after, found.last])
      await lease.write(
        statements(
          this.db,
          ['UPDATE ledger SET seq = seq + 1'],
          [TALLY_SWEPT, range],
          [RETIRE_SWEPT, range],
          [BURY_SWEPT, range],
        ),
      )
      swept += found.count
      after = found.last
    }
  }
}

export interface PageChanges {
  upserts: readonly LedgerRecord[]
  deletes: readonly Tombstone[]
}

/** A range of ids that a sweep deletes. */
interface SweepRange {
  /** The last of them; null if there are none. */
  last: string | null
  count: number
}

const NEW_SEQ = '(SELECT seq FROM ledger)'

/** Ids of records that a run did not list, of which ?1 has [source, generation, after, last]. */
const SWEPT_IDS = `SELECT id FROM record WHERE source = ?1 ->> 0 AND generation <> ?1 ->> 1 AND deleted = 0
  AND id > CAST(?1 ->> 2 AS INTEGER) AND id <= CAST(?1 ->> 3 AS INTEGER)`

/** What counts as a change of a record: a different state that is not older. */
const CHANGES = `excluded.updated >= record.updated
  AND (excluded.content <> record.content OR excluded.deleted <> record.deleted)`

/** Records of a page, of which ?1 has [id, updated, content, deleted, kinds, tier] of each. */
const PAGE = `(
    SELECT CAST(value ->> 0 AS INTEGER) AS id, value ->> 1 AS updated, value ->> 2 AS content,
      value ->> 3 AS deleted, value ->> 4 AS kinds, value ->> 5 AS tier
    FROM json_each(?1)
  ) AS excluded`

/**
 * Counts before a page is applied: replaced contents are no longer live, and new ones are.
 * Unchanged records cost no write.
 */
const TALLY_PAGE = `INSERT INTO tally (source, kinds, tier, live)
  SELECT ?2, kinds, tier, sum(live) FROM (
    SELECT iif(side.is_new, excluded.kinds, record.kinds) AS kinds,
      iif(side.is_new, excluded.tier, record.tier) AS tier, iif(side.is_new, 1, -1) AS live
    FROM ${PAGE} LEFT JOIN record ON record.id = excluded.id
    JOIN (SELECT 1 AS is_new UNION ALL SELECT 0) AS side
      ON iif(side.is_new, excluded.deleted, ifnull(record.deleted, 1)) = 0
    WHERE record.id IS NULL OR (${CHANGES})
  ) GROUP BY kinds, tier HAVING sum(live) <> 0
  ON CONFLICT DO UPDATE SET live = live + excluded.live`

const TALLY_SWEPT = `INSERT INTO tally (source, kinds, tier, live)
  SELECT source, kinds, tier, -count(*) FROM record WHERE id IN (${SWEPT_IDS}) GROUP BY source, kinds, tier
  ON CONFLICT DO UPDATE SET live = live + excluded.live`

const RETIRE_CHANGED = `INSERT INTO retired (seq, source, id, tier, sealed)
  SELECT ${NEW_SEQ}, record.source, record.id, record.tier, record.sealed
  FROM ${PAGE} JOIN record ON record.id = excluded.id WHERE record.deleted = 0 AND (${CHANGES})`

const UPSERT = `INSERT INTO record (id, seq, source, kinds, tier, content, sealed, updated, generation, deleted)
  SELECT CAST(value ->> 0 AS INTEGER), ${NEW_SEQ}, ?2, value ->> 1, value ->> 2, value ->> 3,
    unhex(value ->> 4), value ->> 5, ?3, value ->> 6
  FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, kinds = excluded.kinds, tier = excluded.tier,
    content = excluded.content, sealed = excluded.sealed, updated = excluded.updated,
    generation = excluded.generation, deleted = excluded.deleted
  WHERE ${CHANGES}`

/**
 * A record listed unchanged costs no write if this run has marked it already and its time is not
 * later.
 */
const MARK_SEEN = `UPDATE record SET generation = ?2, updated = max(record.updated, page.updated)
  FROM (
    SELECT CAST(value ->> 0 AS INTEGER) AS id, value ->> 1 AS updated FROM json_each(?1)
  ) AS page
  WHERE record.id = page.id AND (record.generation <> ?2 OR record.updated < page.updated)`

const SWEEP_RANGE = `SELECT CAST(max(id) AS TEXT) AS last, count(*) AS count FROM (
    SELECT id FROM record WHERE source = ?1 AND generation <> ?2 AND deleted = 0
    AND id > CAST(?3 AS INTEGER) ORDER BY id LIMIT 5000
  )`

const RETIRE_SWEPT = `INSERT INTO retired (seq, source, id, tier, sealed)
  SELECT ${NEW_SEQ}, source, id, tier, sealed FROM record WHERE id IN (${SWEPT_IDS})`

const BURY_SWEPT = `UPDATE record SET seq = ${NEW_SEQ}, kinds = '', tier = '', content = '', sealed = x'', deleted = 1
  WHERE id IN (${SWEPT_IDS})`

/** One state per record: a page may repeat some. */
function latest(rows: readonly LedgerRow[]): LedgerRow[] {
  const byId = new Map<string, LedgerRow>()
  for (const row of rows) {
    const known = byId.get(row.row)
    if (!known || row.updated >= known.updated) byId.set(row.row, row)
  }
  return [...byId.values()]
}

function fullRow(row: LedgerRow): (string | number)[] {
  return [row.row, row.kinds, row.tier, row.content, row.sealed, row.updated, row.deleted]
}

/** Rows that one statement takes, each as JSON. */
interface FittingRows {
  rows: LedgerRow[]
  texts: string[]
}

/** Splits rows into parts that fit into a parameter. @throws {RecordTooLargeError} */
function inParts(rows: readonly LedgerRow[]): FittingRows[] {
  const parts: FittingRows[] = []
  let bytes = Infinity
  for (const row of rows) {
    const text = JSON.stringify(fullRow(row))
    const size = Buffer.byteLength(text) + 1
    if (size > MAX_PARAMETER_BYTES) throw new RecordTooLargeError(size)
    let part = parts.at(-1)
    if (!part || part.rows.length === PAGE_RECORDS || bytes + size > MAX_PARAMETER_BYTES) {
      part = { rows: [], texts: [] }
      parts.push(part)
      bytes = 0
    }
    part.rows.push(row)
    part.texts.push(text)
    bytes += size
  }
  return parts
}
