import { type Database, rowOf, rowsOf, type Statement, statements } from './database.ts'
import { BankChangedError } from './errors.ts'
import { isMatchable } from './record.ts'

/** What is known of a source. Times are milliseconds since 1970. */
export interface Source {
  id: number
  name: string
  bank: string
  /** How far it has been read, in its exchange's own form. */
  checkpoint: unknown
  generation: number
  phase: SourcePhase
  /** Whether a run has begun and not ended. */
  isRunning: boolean
  attemptedAt: number | undefined
  /** When a run last ended completely. */
  completedAt: number | undefined
  failure: string | undefined
  retryAt: number | undefined
  /** What could not be read in the last complete run, or in the current one: counts by reason. */
  skipped: Record<string, number>
  publishedSeq: number
  publishedLive: number
  /** Number of live records for which a publication is held, because it is so small. */
  heldLive: number | undefined
}

/**
 * Phase of reading a source. `refetch`: a run from the start, after which unlisted records are
 * withdrawn. `sweep`: they are being withdrawn. `follow`: changes since the checkpoint.
 */
export type SourcePhase = 'refetch' | 'sweep' | 'follow'

/** Columns that change, by their names in `Source`. */
const COLUMNS = {
  checkpoint: 'checkpoint',
  generation: 'generation',
  phase: 'phase',
  isRunning: 'running',
  attemptedAt: 'attempted_at',
  completedAt: 'completed_at',
  failure: 'failure',
  retryAt: 'retry_at',
  skipped: 'skipped',
  publishedSeq: 'published_seq',
  publishedLive: 'published_live',
  heldLive: 'held_live',
} as const

const SELECT = `SELECT id, name, bank, ${Object.entries(COLUMNS)
  .map(([name, column]) => `${column} AS ${name}`)
  .join(', ')} FROM source`

/** A row of SELECT. Null stands for undefined in all of its columns. */
interface SourceRow extends Omit<Source, 'checkpoint' | 'isRunning' | 'skipped'> {
  checkpoint: string | null
  isRunning: 0 | 1
  skipped: string
}

/**
 * The source with a name; it is created if missing.
 * @throws {BankChangedError}
 */
export async function openSource(db: Database, name: string, bank: string): Promise<Source> {
  await db.prepare('INSERT OR IGNORE INTO source (name, bank) VALUES (?, ?)').bind(name, bank).run()
  const source = await findSource(db, name)
  if (!source) throw new TypeError('a source that was made is not there')
  if (source.bank !== bank) throw new BankChangedError(name, source.bank, bank)
  return source
}

export async function findSource(db: Database, name: string): Promise<Source | undefined> {
  const row = await rowOf<SourceRow>(db, `${SELECT} WHERE name = ?`, name)
  return row ? fromRow(row) : undefined
}

export async function allSources(db: Database): Promise<Source[]> {
  return (await rowsOf<SourceRow>(db, `${SELECT} ORDER BY name`)).map(fromRow)
}

function fromRow({ checkpoint, isRunning, skipped, ...plain }: SourceRow): Source {
  const known = Object.entries(plain).map(([name, value]) => [name, value ?? undefined])
  return {
    ...(Object.fromEntries(known) as typeof plain),
    checkpoint: checkpoint === null ? undefined : JSON.parse(checkpoint),
    isRunning: isRunning === 1,
    skipped: JSON.parse(skipped) as Record<string, number>,
  }
}

export type SourceChange = { [K in keyof typeof COLUMNS]?: Source[K] | undefined }

/** The statement that updates a source. `undefined` becomes null. */
export function updateSource(db: Database, { id }: Source, change: SourceChange): Statement[] {
  const names = Object.keys(change) as (keyof typeof COLUMNS)[]
  const sets = names.map((name) => `${COLUMNS[name]} = ?`).join(', ')
  const values = names.map((name) => toColumn(change[name]))
  return statements(db, [`UPDATE source SET ${sets} WHERE id = ?`, ...values, id])
}

function toColumn(value: unknown): string | number | null {
  if (value === undefined) return null
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value)
}

/** Live records of a source. */
export interface Tally {
  records: number
  /** Records with any entry on the list. */
  matchable: number
  /** Hashes by kind, including those that cannot be matched. */
  kinds: Record<string, number>
  /** Records by the provider's classification. */
  tiers: Record<string, number>
}

export async function tallyOf(db: Database, { id }: Pick<Source, 'id'>): Promise<Tally> {
  const sql = 'SELECT kinds, tier, live FROM tally WHERE source = ? AND live > 0'
  const rows = await rowsOf<{ kinds: string; tier: string; live: number }>(db, sql, id)
  const tally: Tally = { records: 0, matchable: 0, kinds: {}, tiers: {} }
  for (const { kinds, tier, live } of rows) {
    const names = kinds.split(' ').filter((kind) => kind !== '')
    tally.records += live
    if (names.some(isMatchable)) tally.matchable += live
    for (const kind of names) tally.kinds[kind] = (tally.kinds[kind] ?? 0) + live
    if (tier !== '') tally.tiers[tier] = (tally.tiers[tier] ?? 0) + live
  }
  return tally
}
