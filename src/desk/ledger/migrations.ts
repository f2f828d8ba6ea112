import { type Database, rowOf, statements } from './database.ts'

// Each migration is a list of statements that run once, as one transaction. Published ones never
// change.
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    // State of the whole ledger. `seq` grows with each applied page.
    `CREATE TABLE ledger (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      key_id TEXT,
      seq INTEGER NOT NULL DEFAULT 0,
      manifest TEXT
    )`,
    `INSERT INTO ledger (one) VALUES (1)`,
    // Where records come from, and how far each source has been read. Times are milliseconds since
    // 1970.
    `CREATE TABLE source (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      bank TEXT NOT NULL,
      checkpoint TEXT,
      generation INTEGER NOT NULL DEFAULT 1,
      phase TEXT NOT NULL DEFAULT 'refetch',
      running INTEGER NOT NULL DEFAULT 0,
      attempted_at INTEGER,
      completed_at INTEGER,
      failure TEXT,
      retry_at INTEGER,
      skipped TEXT NOT NULL DEFAULT '{}',
      published_seq INTEGER NOT NULL DEFAULT 0,
      published_live INTEGER NOT NULL DEFAULT 0,
      held_live INTEGER
    )`,
    // The latest state of each provider's record. Deleted ones keep their row, without content.
    `CREATE TABLE record (
      id INTEGER PRIMARY KEY,
      seq INTEGER NOT NULL,
      source INTEGER NOT NULL,
      kinds TEXT NOT NULL,
      tier TEXT NOT NULL,
      content TEXT NOT NULL,
      sealed BLOB NOT NULL,
      updated INTEGER NOT NULL,
      generation INTEGER NOT NULL,
      deleted INTEGER NOT NULL
    )`,
    `CREATE INDEX record_seq ON record (source, seq)`,
    // Earlier contents of records that may still be on the published list.
    `CREATE TABLE retired (
      number INTEGER PRIMARY KEY,
      seq INTEGER NOT NULL,
      source INTEGER NOT NULL,
      id INTEGER NOT NULL,
      tier TEXT NOT NULL,
      sealed BLOB NOT NULL
    )`,
    `CREATE INDEX retired_source ON retired (source)`,
    // Live records by their content.
    `CREATE TABLE tally (
      source INTEGER NOT NULL,
      kinds TEXT NOT NULL,
      tier TEXT NOT NULL,
      live INTEGER NOT NULL,
      PRIMARY KEY (source, kinds, tier)
    ) WITHOUT ROWID`,
    `CREATE TABLE lease (name TEXT PRIMARY KEY, token TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  [
    // The ledger's number at the first complete run of each day: it shows how long ago a record was
    // withdrawn.
    `CREATE TABLE day (source INTEGER, day INTEGER, seq INTEGER NOT NULL, PRIMARY KEY (source, day)) WITHOUT ROWID`,
    `CREATE INDEX record_deleted ON record (source, seq) WHERE deleted = 1`,
  ],
  [
    // Opinions to send to providers about their entries, once each.
    `CREATE TABLE opinion (
      source TEXT NOT NULL,
      entry TEXT NOT NULL,
      decision TEXT NOT NULL,
      kind TEXT NOT NULL,
      reason TEXT,
      at INTEGER NOT NULL,
      sent_at INTEGER,
      error TEXT,
      PRIMARY KEY (source, entry, decision)
    ) WITHOUT ROWID`,
  ],
]

/**
 * Upgrades the tables. Several processes may do so at once: one wins, and the others find it done.
 */
export async function migrate(db: Database): Promise<void> {
  await db.prepare('CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY)').run()
  const done = async () =>
    (await rowOf<{ count: number }>(db, 'SELECT count(*) AS count FROM migration'))?.count ?? 0
  for (let number = await done(); number < MIGRATIONS.length; number++) {
    const steps = (MIGRATIONS[number] ?? []).map((sql): [string] => [sql])
    try {
      await db.batch(
        statements(db, ['INSERT INTO migration (number) VALUES (?)', number], ...steps),
      )
    } catch (error) {
      if ((await done()) <= number) throw error
    }
  }
}
