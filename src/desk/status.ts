import { rowOf } from './ledger/database.ts'
import { findSource, type Source, type Tally, tallyOf } from './ledger/source.ts'
import type { Desk } from './desk.ts'

const NO_TALLY: Tally = { records: 0, matchable: 0, kinds: {}, tiers: {} }

/** Status of all sources in the settings. */
export async function deskStatus(
  desk: Pick<Desk, 'settings' | 'ledger' | 'world'>,
): Promise<SourceStatus[]> {
  const all: SourceStatus[] = []
  for (const [name, { kind, bank, maxAgeHours }] of Object.entries(desk.settings.exchanges)) {
    const source = await findSource(desk.ledger.db, name)
    const now = desk.world.now()
    const age = source?.completedAt === undefined ? undefined : (now - source.completedAt) / 1000
    const problems = source ? problemsOf(source, age, maxAgeHours) : ['it has not been read yet']
    all.push({
      name,
      kind,
      bank,
      health: healthOf(source, age, maxAgeHours),
      problems,
      lastComplete: isoTime(source?.completedAt),
      ageSeconds: age === undefined ? undefined : Math.max(0, Math.round(age)),
      lastAttempt: isoTime(source?.attemptedAt),
      isRunning: source?.isRunning ?? false,
      tally: source ? await tallyOf(desk.ledger.db, source) : NO_TALLY,
      pending: source ? await pendingOf(desk, source) : 0,
      skipped: source?.skipped ?? {},
    })
  }
  return all
}

/** State of a source. `new`: it has never been read to its end. */
export type Health = 'green' | 'red' | 'new'

/** The status of a source. Times are ISO 8601, in UTC. */
export interface SourceStatus {
  name: string
  kind: string
  bank: string
  health: Health
  /** Why it is red, or what to do. */
  problems: string[]
  lastComplete: string | undefined
  /** Seconds since the last complete run. */
  ageSeconds: number | undefined
  lastAttempt: string | undefined
  isRunning: boolean
  tally: Tally
  /** Records with unpublished changes. */
  pending: number
  /** What could not be read in the last run: counts by reason. */
  skipped: Record<string, number>
}

/** Red: what it lists may be out of date, or differs from what is published. */
export function healthOf(
  source: Source | undefined,
  ageSeconds: number | undefined,
  maxAgeHours: number,
): Health {
  if (ageSeconds === undefined) return source?.failure === undefined ? 'new' : 'red'
  const isStale = ageSeconds > maxAgeHours * 3600
  return isStale || source?.heldLive !== undefined ? 'red' : 'green'
}

function problemsOf(source: Source, age: number | undefined, maxAgeHours: number): string[] {
  const { failure, heldLive, publishedLive, name, retryAt } = source
  const problems: string[] = []
  if (age !== undefined && age > maxAgeHours * 3600) {
    problems.push(
      `its last complete run was ${Math.floor(age / 3600)} hours ago, more than ${maxAgeHours}`,
    )
  }
  if (heldLive !== undefined) {
    problems.push(
      `only ${heldLive} of ${publishedLive} records are left: nothing of it is published until` +
        ` \`hashgate exchange sync ${name} --accept\``,
    )
  }
  if (failure !== undefined) problems.push(`${failure} (next try ${isoTime(retryAt) ?? 'later'})`)
  return problems
}

async function pendingOf({ ledger }: Pick<Desk, 'ledger'>, source: Source): Promise<number> {
  const sql = 'SELECT count(*) AS count FROM record WHERE source = ? AND seq > ?'
  const row = await rowOf<{ count: number }>(ledger.db, sql, source.id, source.publishedSeq)
  return row?.count ?? 0
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
