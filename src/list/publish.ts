import { digestEntry, readEntryDigests } from './digests.ts'
import { DIGEST_KINDS, type Entry } from './entry.ts'
import type { EntryCap, EntryGuard } from './entry-guard.ts'
import { PublishConflictError, ValueDamagedError, ValueMissingError } from './errors.ts'
import { keepInHistory, latestVersion, readVersion } from './history.ts'
import {
  type Bank,
  checkSize,
  DEFAULT_BANK_POLICY,
  type Manifest,
  MAX_LIST_ENTRIES,
  nextManifest,
  type Notes,
  readExistingManifest,
  type SegmentRef,
  writeManifest,
} from './manifest.ts'
import { planMerge } from './merge.ts'
import { packRemovals, readRemovals, removalsKey } from './removals.ts'
import { compareEntries, packSegment, segmentKindOf, type SegmentKind } from './segment.ts'
import { MAX_SEGMENT_ENTRIES } from './sizes.ts'
import type { Bytes, ListStore } from './store.ts'
import { readUnused, sweep } from './sweep.ts'

/**
 * Publishes entries as the whole content of a bank: new entries go to new segments, missing ones are marked as removed.
 * Values are written before the manifest that names them, so that a reader sees the old list or the new one. A run that
 * is cut off changes nothing, and the next one finds what it has written.
 * @throws {PublishConflictError} the store shows that somebody else publishes
 */
export async function publishBank(
  store: ListStore,
  entries: readonly Entry[],
  options: PublishOptions,
): Promise<Publication> {
  const base = await readBase(store)
  const old = base.manifest?.banks.find(({ id }) => id === options.bank)
  const difference = await compareBank(store, old?.segments ?? [], entries, options.rewrite)
  const writer = new ValueWriter(store, options)
  const segments = [
    ...(await writeKind(writer, 'pdq', difference)),
    ...(await writeKind(writer, 'exact', difference)),
  ]
  const banks = withBank(base.manifest, options, segments)
  if (!options.allowLarge) checkSize({ banks }, MAX_LIST_ENTRIES)
  const { manifest, deleted } = await publishManifest(store, base, banks)
  const { added, kept, segments: compared } = difference
  const removed = compared.reduce((sum, { gone }) => sum + gone.length, 0)
  const { foundWritten, lowered } = writer
  return { manifest, added: added.length, removed, kept, foundWritten, deleted, lowered }
}

export interface PublishOptions {
  bank: string
  /** Largest distance that matches. If absent, the bank keeps its own. */
  threshold?: number
  /** Whether everything is written again, which repairs damage. */
  rewrite?: boolean
  /** Whether the list may be larger than an isolate holds: Durable Objects do. */
  allowLarge?: boolean
  /** Lowers entries that would match unrelated pictures, as they are written. */
  guard?: EntryGuard
  /** Called as values are written, with the number so far. */
  onProgress?: (written: number) => void
}

/** An entry that was lowered as it was written. */
export interface LoweredEntry extends EntryCap {
  id: string
}

/** What a publication changed. */
export interface Publication {
  manifest: Manifest
  /** Entries by what happened to them; one with other labels is removed and added. */
  added: number
  removed: number
  kept: number
  /** Values of this publication that an interrupted run had already written. */
  foundWritten: number
  /** Deleted values: no reader follows a version that needs them. */
  deleted: number
  /** Written entries that were lowered. */
  lowered: LoweredEntry[]
}

/** The banks of the next manifest, with new segments for the bank being published. */
export function withBank(
  previous: Pick<Manifest, 'banks'> | undefined,
  { bank: id, threshold }: Pick<PublishOptions, 'bank' | 'threshold'>,
  segments: SegmentRef[],
): Bank[] {
  const banks = previous?.banks ?? []
  const bank: Bank = {
    ...DEFAULT_BANK_POLICY,
    ...banks.find((old) => old.id === id),
    ...(threshold !== undefined && { threshold }),
    id,
    segments,
  }
  const others = banks.filter((other) => other.id !== id)
  return [...others, bank].toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** What a publication builds on. */
export interface Base {
  /** Absent if nothing was published, or the manifest is lost. */
  manifest: Manifest | undefined
  /** Version that the next one follows. */
  version: number
}

/** Milliseconds after which everybody sees a write, with a wide margin. */
const SETTLED_MS = 5 * 60_000

/**
 * Reads what to build on, and makes sure that it is kept as an earlier version. If the history has a later version for minutes,
 * the manifest was overwritten by a publisher that was slower, and the later version is what most readers have.
 * @throws {PublishConflictError} the history has a version that is later, and not older than minutes
 */
export async function readBase(store: ListStore): Promise<Base> {
  const manifest = await readExistingManifest(store)
  const latest = await latestVersion(store)
  if (!manifest) return { manifest, version: latest }
  if (latest <= manifest.version) {
    await keepInHistory(store, manifest)
    return { manifest, version: manifest.version }
  }
  const later = await readVersion(store, latest)
  if (!later || Date.now() - Date.parse(later.publishedAt) < SETTLED_MS) {
    throw new PublishConflictError(latest)
  }
  return { manifest: later, version: latest }
}

/**
 * Makes banks the version that readers follow, once everything they name is written; then deletes what nobody reads any more.
 * Exemptions and texts stay as they are unless there are others: an earlier list does not bring back what was exempt then.
 * @throws {PublishConflictError} somebody else has published since `base` was read; then nothing is changed, or the other's
 *   manifest has taken the place of this one at once
 */
export async function publishManifest(
  store: ListStore,
  base: Base,
  banks: readonly Bank[],
  notes: Notes = base.manifest ?? {},
  maxDeletes?: number,
): Promise<{ manifest: Manifest; deleted: number }> {
  const { exempt: _, texts: __, ...more } = base.manifest ?? {} // what a later version of hashgate has added
  const manifest = { ...more, ...nextManifest(base.version, banks, notes) }
  const before = await readExistingManifest(store)
  const latest = Math.max(before?.version ?? 0, await latestVersion(store))
  if (latest > base.version) throw new PublishConflictError(latest)
  await writeManifest(store, manifest)
  await keepInHistory(store, manifest)
  const now = await readExistingManifest(store)
  if (now && now.version >= manifest.version && now.id !== manifest.id) {
    throw new PublishConflictError(now.version)
  }
  return { manifest, deleted: await sweep(store, manifest, Date.now(), maxDeletes) }
}

/** What a bank holds, compared with what it should hold. Entries are compared by their digests. */
interface Difference {
  wanted: ReadonlyMap<string, Entry>
  segments: ComparedSegment[]
  /** Entries that no segment has. */
  added: string[]
  /** Entries that segments have. */
  kept: number
}

/** A stored segment, compared with what the bank should hold. */
export interface ComparedSegment {
  ref: SegmentRef
  /** Digests of entries that stay. */
  live: string[]
  /** Positions of entries that are no longer wanted. */
  gone: number[]
  /** Positions that were removed before. */
  removedBefore: Uint32Array
}

async function compareBank(
  store: ListStore,
  refs: readonly SegmentRef[],
  entries: readonly Entry[],
  rewrite = false,
): Promise<Difference> {
  const wanted = new Map(entries.map((entry) => [digestEntry(entry), entry]))
  const segments: ComparedSegment[] = []
  for (const ref of rewrite ? [] : refs) segments.push(await compareSegment(store, ref, wanted))
  const kept = new Set<string>()
  for (const { live } of segments) for (const digest of live) kept.add(digest)
  const added = [...wanted.keys()].filter((digest) => !kept.has(digest))
  return { wanted, segments, added, kept: kept.size }
}

async function compareSegment(
  store: ListStore,
  ref: SegmentRef,
  wanted: ReadonlyMap<string, unknown>,
): Promise<ComparedSegment> {
  const { digests, removedBefore } = await readComparable(store, ref)
  const isRemoved = new Set(removedBefore)
  const compared: ComparedSegment = { ref, live: [], gone: [], removedBefore }
  digests.forEach((digest, position) => {
    if (isRemoved.has(position)) return
    if (wanted.has(digest)) compared.live.push(digest)
    else compared.gone.push(position)
  })
  return compared
}

/** The data to compare a segment by; nothing if it is damaged: its entries then count as new, and are written again. */
async function readComparable(
  store: ListStore,
  ref: SegmentRef,
): Promise<{ digests: string[]; removedBefore: Uint32Array }> {
  try {
    const digests = await readEntryDigests(store, ref)
    return { digests, removedBefore: await readRemovals(store, ref) }
  } catch (error) {
    const isLost = error instanceof ValueMissingError || error instanceof ValueDamagedError
    if (!isLost) throw error
    return { digests: [], removedBefore: new Uint32Array(0) }
  }
}

/** Writes the bank's entries of one kind. Returns its segments. */
async function writeKind(
  writer: ValueWriter,
  kind: SegmentKind,
  { wanted, segments, added }: Difference,
): Promise<SegmentRef[]> {
  const isOfKind = (entry: Entry | undefined) => entry && segmentKindOf(entry) === kind
  const addedOfKind = added.filter((digest) => isOfKind(wanted.get(digest)))
  const { staying, rewritten } = planMerge(
    segments.filter(({ ref }) => ref.kind === kind),
    addedOfKind.length,
  )
  const refs: SegmentRef[] = []
  for (const segment of staying) refs.push(await writer.writeRemovals(segment))
  const fresh = rewritten.flatMap(({ live }) => live).concat(addedOfKind)
  const entries = fresh.flatMap((digest) => wanted.get(digest) ?? [])
  return refs.concat(await writer.writeSegments(kind, entries))
}

type WriteOptions = Pick<PublishOptions, 'rewrite' | 'guard' | 'onProgress'>

/** Writes the values of one publication, except those that an interrupted run has already written. */
export class ValueWriter {
  foundWritten = 0
  readonly lowered: LoweredEntry[] = []
  readonly #store: ListStore
  readonly #options: WriteOptions
  /** Names whose values may be about to be deleted, or just were: what a listing shows of them does not count. */
  #unused: ReadonlySet<string> | undefined
  #written = 0

  constructor(store: ListStore, options: WriteOptions) {
    this.#store = store
    this.#options = options
  }

  async writeSegments(kind: SegmentKind, entries: readonly Entry[]): Promise<SegmentRef[]> {
    const sorted = entries.toSorted(compareEntries)
    const refs: SegmentRef[] = []
    for (let first = 0; first < sorted.length; first += MAX_SEGMENT_ENTRIES) {
      const some = sorted
        .slice(first, first + MAX_SEGMENT_ENTRIES)
        .map((entry) => this.#guarded(entry))
      const { ref, values } = await packSegment(this.#store, kind, some)
      await this.#write(ref.name, values)
      const kinds = DIGEST_KINDS.filter((digest) => some.some((entry) => entry.kind === digest))
      refs.push(kind === 'exact' ? { ...ref, kinds } : ref)
    }
    return refs
  }

  /** An entry, lowered if it must be. An entry that is rewritten is checked again, if there is a guard. */
  #guarded(entry: Entry): Entry {
    const { guard } = this.#options
    if (!guard || entry.kind !== 'pdq') return entry
    const lowered = guard.capOf(entry.hash)
    const { cap: _, ...rest } = entry
    if (!lowered) return rest
    this.lowered.push({ id: entry.id, ...lowered })
    return { ...rest, cap: lowered.cap }
  }

  /** Writes the removals of a segment that stays. */
  async writeRemovals({
    ref,
    gone,
    removedBefore,
  }: Omit<ComparedSegment, 'live'>): Promise<SegmentRef> {
    if (gone.length === 0) return ref
    const positions = [...removedBefore, ...gone]
    const value = packRemovals(positions)
    const name = await this.#store.nameOf(value)
    await this.#write(name, new Map([[removalsKey(name), value]]))
    return { ...ref, removed: { name, count: positions.length } }
  }

  async #write(name: string, values: ReadonlyMap<string, Bytes>): Promise<void> {
    const there = await this.#listed(name, values)
    const missing = new Map([...values].filter(([key]) => !there.has(key)))
    this.foundWritten += values.size - missing.size
    const before = this.#written
    await this.#store.putAll(missing, (written) => this.#options.onProgress?.(before + written))
    this.#written += missing.size
  }

  /** Keys of the name that exist, and will not be deleted. */
  async #listed(name: string, values: ReadonlyMap<string, Bytes>): Promise<Set<string>> {
    this.#unused ??= new Set(Object.keys(await readUnused(this.#store)))
    const there = new Set<string>()
    if (this.#options.rewrite || this.#unused.has(name)) return there
    const folders = new Set([...values.keys()].map((key) => key.slice(0, key.indexOf(name))))
    for (const folder of folders) {
      for (const key of await this.#store.list(folder + name)) there.add(key)
    }
    return there
  }
}
