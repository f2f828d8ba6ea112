import { publishChanges } from '../../list/changes.ts'
import type { Entry } from '../../list/entry.ts'
import type { EntryGuard } from '../../list/entry-guard.ts'
import { type Manifest, parseManifest } from '../../list/manifest.ts'
import { type Base, publishBank, readBase } from '../../list/publish.ts'
import { type ListStore, MANIFEST_KEY } from '../../list/store.ts'
import { rowOf, rowsOf, statements } from './database.ts'
import { Lease } from './lease.ts'
import type { Ledger } from './ledger.ts'
import { entriesOf } from './record.ts'
import { allSources, type Source, tallyOf, updateSource } from './source.ts'

/** Share of a source's live records that may vanish before a person must accept it. */
const MAX_SHRINK = 0.1

/** Records of a step: with three hashes each, 65,536 entries. */
const STEP_RECORDS = 20_000
/** Earlier contents that a step removes. */
const STEP_RETIRED = 50_000
/** Maximum values that a step deletes: KV allows 1,000 operations per invocation. */
const STEP_DELETES = 500

/**
 * Publishes the ledger's changes since its last publication. One publisher works at a time.
 * @throws {LeaseTakenError | LeaseLostError | PublishConflictError}
 */
export async function publishLedger(
  ledger: Ledger,
  store: ListStore,
  options: PublishLedgerOptions,
): Promise<LedgerPublication> {
  const lease = await Lease.take(ledger.db, 'publisher', options.now)
  try {
    const done: LedgerPublication = {
      version: undefined,
      added: 0,
      removed: 0,
      held: [],
      isComplete: true,
    }
    let steps = options.maxSteps ?? Infinity
    for (const source of await allSources(ledger.db)) {
      const held = await hold(ledger, lease, source, options.accept ?? [])
      if (held) done.held.push(held)
      else steps = await publishSource(ledger, store, lease, source, steps, done, options)
    }
    return done
  } finally {
    await lease.release()
  }
}

export interface PublishLedgerOptions {
  now: () => number
  /** Names of sources to publish even though they shrank. */
  accept?: readonly string[]
  /** Whether the list may be larger than an isolate holds: Durable Objects do. */
  allowLarge?: boolean
  /** Lowers entries that would match unrelated pictures. */
  guard?: EntryGuard
  /** Maximum steps; the next publication continues. */
  maxSteps?: number
}

export interface LedgerPublication {
  /** The list's version; `undefined` if there was nothing to publish. */
  version: number | undefined
  added: number
  removed: number
  /** Sources that are not published because too many of their records vanished. */
  held: HeldSource[]
  isComplete: boolean
}

export interface HeldSource {
  name: string
  live: number
  publishedLive: number
}

/**
 * Holds a source that shrank too much. Nothing of it is published until a person accepts that, or
 * the records come back.
 */
async function hold(
  ledger: Ledger,
  lease: Lease,
  source: Source,
  accept: readonly string[],
): Promise<HeldSource | undefined> {
  const { matchable: live } = await tallyOf(ledger.db, source)
  const { name, publishedLive } = source
  const isHeld = live < publishedLive * (1 - MAX_SHRINK) && !accept.includes(name)
  if (source.heldLive !== (isHeld ? live : undefined)) {
    await lease.write(updateSource(ledger.db, source, { heldLive: isHeld ? live : undefined }))
  }
  return isHeld ? { name, live, publishedLive } : undefined
}

/** Publishes a source's changes in steps. Returns the steps left. */
async function publishSource(
  ledger: Ledger,
  store: ListStore,
  lease: Lease,
  source: Source,
  steps: number,
  done: LedgerPublication,
  options: PublishLedgerOptions,
): Promise<number> {
  let left = steps
  for (let from = source.publishedSeq; ;) {
    const step = await planStep(ledger, source, from)
    if (!step) return left
    if (left <= 0) {
      done.isComplete = false
      return left
    }
    left--
    const base = await baseOf(ledger, store)
    const change = { bank: source.bank, added: step.added, removed: step.removed }
    const changed = await publishChanges(store, [change], {
      base,
      maxDeletes: STEP_DELETES,
      allowLarge: options.allowLarge === true,
      ...(options.guard && { guard: options.guard }),
    })
    await noteStep(ledger, lease, source, step, changed.manifest)
    done.version = changed.manifest.version
    done.added += changed.added
    done.removed += changed.removed
    from = step.to
  }
}

interface PublishStep {
  added: Entry[]
  removed: Entry[]
  /** The sequence number up to which records are published. */
  to: number
  /** Numbers of the earlier contents that it removes. */
  retired: number[]
}

interface SealedRow {
  id: string
  tier: string
  sealed: string
}

/** The next step of publishing a source; `undefined` once everything is published. */
async function planStep(
  ledger: Ledger,
  source: Source,
  from: number,
): Promise<PublishStep | undefined> {
  const to = await endOfStep(ledger, source, from)
  const retired = await rowsOf<SealedRow & { number: number }>(
    ledger.db,
    RETIRED,
    source.id,
    to,
    STEP_RETIRED,
  )
  if (to === from && retired.length === 0) return undefined
  const live = await rowsOf<SealedRow>(ledger.db, CHANGED, source.id, from, to)
  return {
    added: openAll(ledger, source, live),
    removed: openAll(ledger, source, retired),
    to,
    retired: retired.map(({ number }) => number),
  }
}

function openAll(ledger: Ledger, { name }: Source, rows: readonly SealedRow[]): Entry[] {
  const entries: Entry[] = []
  for (const { id: row, sealed, tier } of rows) {
    entries.push(...entriesOf(ledger.key, name, { row, sealed, tier }))
  }
  return entries
}

/** Pages are published whole, as many as fit in a step. */
async function endOfStep(ledger: Ledger, { id }: Source, from: number): Promise<number> {
  const pages = await rowsOf<{ seq: number; count: number }>(ledger.db, PAGES_AFTER, id, from)
  let to = from
  let records = 0
  for (const { seq, count } of pages) {
    records += count
    if (to > from && records > STEP_RECORDS) break
    to = seq
  }
  return to
}

const PAGES_AFTER = `SELECT seq, count(*) AS count FROM record
  WHERE source = ?1 AND seq > ?2 GROUP BY seq ORDER BY seq LIMIT 200`

const CHANGED = `SELECT CAST(id AS TEXT) AS id, tier, lower(hex(sealed)) AS sealed FROM record
  WHERE source = ?1 AND seq > ?2 AND seq <= ?3 AND deleted = 0`

/**
 * Earlier contents of records that this step publishes; those of deleted records come before all
 * others.
 */
const RETIRED = `SELECT number, CAST(retired.id AS TEXT) AS id, retired.tier AS tier, lower(hex(retired.sealed)) AS sealed
  FROM retired JOIN record ON record.id = retired.id
  WHERE retired.source = ?1 AND (record.deleted = 1 OR record.seq <= ?2)
  ORDER BY record.deleted DESC, number LIMIT ?3`

/**
 * Notes that a step was published. If that is cut off, the step is published again, which changes
 * nothing.
 */
async function noteStep(
  ledger: Ledger,
  lease: Lease,
  source: Source,
  step: PublishStep,
  manifest: Manifest,
): Promise<void> {
  const { matchable } = await tallyOf(ledger.db, source)
  await lease.write([
    ...updateSource(ledger.db, source, { publishedSeq: step.to, publishedLive: matchable }),
    ...statements(
      ledger.db,
      ['UPDATE ledger SET manifest = ?', JSON.stringify(manifest)],
      [
        'DELETE FROM retired WHERE number IN (SELECT value FROM json_each(?))',
        JSON.stringify(step.retired),
      ],
    ),
  ])
}

/** The manifest to build on: the store may return an older one than was published here. */
async function baseOf(ledger: Ledger, store: ListStore): Promise<Base> {
  const row = await rowOf<{ manifest: string | null }>(ledger.db, 'SELECT manifest FROM ledger')
  const known = row?.manifest
    ? parseManifest(MANIFEST_KEY, new TextEncoder().encode(row.manifest))
    : undefined
  const base = await readBase(store)
  return known && known.version > base.version ? { manifest: known, version: known.version } : base
}

/**
 * Rewrites a bank with everything that the ledger has for it: after damage, or to merge many small
 * segments. All entries are in memory at once, so a Worker can handle about 65,536, and the command
 * line millions.
 */
export async function rebuildBank(
  ledger: Ledger,
  store: ListStore,
  bank: string,
  options: Pick<PublishLedgerOptions, 'now' | 'allowLarge' | 'guard'>,
): Promise<Manifest> {
  const lease = await Lease.take(ledger.db, 'publisher', options.now)
  try {
    const sources = (await allSources(ledger.db)).filter((source) => source.bank === bank)
    const head = await rowOf<{ seq: number }>(ledger.db, 'SELECT seq FROM ledger')
    const to = head?.seq ?? 0
    const entries: Entry[] = []
    for (const source of sources) {
      const all = await rowsOf<SealedRow>(ledger.db, CHANGED, source.id, -1, to)
      for (const entry of openAll(ledger, source, all)) entries.push(entry)
    }
    const { manifest } = await publishBank(store, entries, {
      bank,
      rewrite: true,
      allowLarge: options.allowLarge === true,
      ...(options.guard && { guard: options.guard }),
    })
    const step = { added: [], removed: [], to, retired: [] }
    for (const source of sources) await noteStep(ledger, lease, source, step, manifest)
    return manifest
  } finally {
    await lease.release()
  }
}
