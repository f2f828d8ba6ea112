import { digestEntry, readEntryDigests } from './digests.ts'
import type { Entry } from './entry.ts'
import { PublishConflictError } from './errors.ts'
import { keepInHistory, latestVersion } from './history.ts'
import {
  type Bank,
  DEFAULT_BANK_POLICY,
  type Manifest,
  nextManifest,
  readExistingManifest,
  type SegmentRef,
  writeManifest,
} from './manifest.ts'
import { packRemovals, readRemovals, removalsKey } from './removals.ts'
import { compareEntries, packSegment, segmentKindOf, type SegmentKind } from './segment.ts'
import { MAX_SEGMENT_ENTRIES } from './sizes.ts'
import type { Bytes, ListStore } from './store.ts'
import { sweep } from './sweep.ts'

export interface PublishOptions {
  bank: string
  /** Largest distance that matches. The bank keeps the one it has if none is given. */
  threshold?: number
  /** Told as values are written: how many so far. */
  onProgress?: (written: number) => void
}

/** What a publication changed. */
export interface Publication {
  manifest: Manifest
  /** Entries by what became of them; one with other labels is removed and added. */
  added: number
  removed: number
  kept: number
  /** Values of this publication that a run which was cut off had left. */
  foundWritten: number
  /** Values that nobody reads any more, and that were deleted. */
  deleted: number
}

/** Segments smaller than this are merged when they are more than MAX_SMALL_SEGMENTS. */
const SMALL_SEGMENT_ENTRIES = MAX_SEGMENT_ENTRIES / 4
const MAX_SMALL_SEGMENTS = 8

/**
 * Publishes entries as the whole content of a bank: what is new goes to new segments, what is gone is noted as removed.
 * Values are written before the manifest that names them, so that a reader sees the list as it was or as it is. A run that
 * is cut off changes nothing, and the next one finds what it has written.
 * @throws {PublishConflictError} the store shows that somebody else publishes
 */
export async function publishBank(
  store: ListStore,
  entries: readonly Entry[],
  options: PublishOptions,
): Promise<Publication> {
  const previous = await readExistingManifest(store)
  const latest = await settleHistory(store, previous)
  const old = previous?.banks.find(({ id }) => id === options.bank)
  const difference = await compareBank(store, old?.segments ?? [], entries)
  const writer = new ValueWriter(store, options.onProgress)
  const segments = [
    ...(await writeKind(writer, 'pdq', difference)),
    ...(await writeKind(writer, 'exact', difference)),
  ]
  const manifest = nextManifest(latest, withBank(previous, options, segments))
  const deleted = await publishManifest(store, manifest)
  const { added, kept, segments: compared } = difference
  const removed = compared.reduce((sum, { gone }) => sum + gone.length, 0)
  const { foundWritten } = writer
  return { manifest, added: added.length, removed, kept, foundWritten, deleted }
}

/** The banks of the manifest that is to come, with new segments for the bank that is published. */
function withBank(
  previous: Manifest | undefined,
  { bank: id, threshold }: PublishOptions,
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

/**
 * Sees that the manifest is the latest as far as the store tells, and that it is kept as an earlier version. Returns the
 * version that the next one follows: where the manifest was lost, the latest that was kept.
 * @throws {PublishConflictError} the history has a later version than the manifest
 */
export async function settleHistory(
  store: ListStore,
  manifest: Manifest | undefined,
): Promise<number> {
  const latest = await latestVersion(store)
  if (!manifest) return latest
  if (latest > manifest.version) throw new PublishConflictError(latest)
  await keepInHistory(store, manifest)
  return manifest.version
}

/**
 * Makes a manifest the one that readers follow, once all that it names is written; then deletes what nobody reads any more.
 * Returns how many values that were.
 * @throws {PublishConflictError} another manifest took its place at once
 */
export async function publishManifest(store: ListStore, manifest: Manifest): Promise<number> {
  await writeManifest(store, manifest)
  await keepInHistory(store, manifest)
  const now = await readExistingManifest(store)
  if (now && now.version >= manifest.version && now.id !== manifest.id) {
    throw new PublishConflictError(now.version)
  }
  return sweep(store, manifest)
}

/** What a bank holds beside what it is to hold. Entries are told by their digests. */
interface Difference {
  wanted: ReadonlyMap<string, Entry>
  segments: ComparedSegment[]
  /** What no segment has. */
  added: string[]
  /** Entries that segments have. */
  kept: number
}

/** A stored segment beside what the bank is to hold. */
interface ComparedSegment {
  ref: SegmentRef
  /** Digests of entries that stay. */
  live: string[]
  /** Positions of entries that were there and are not wanted any more. */
  gone: number[]
  /** Positions that were removed before. */
  removedBefore: Uint32Array
}

async function compareBank(
  store: ListStore,
  refs: readonly SegmentRef[],
  entries: readonly Entry[],
): Promise<Difference> {
  const wanted = new Map(entries.map((entry) => [digestEntry(entry), entry]))
  const segments: ComparedSegment[] = []
  for (const ref of refs) segments.push(await compareSegment(store, ref, wanted))
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
  const digests = await readEntryDigests(store, ref)
  const removedBefore = await readRemovals(store, ref)
  const isRemoved = new Set(removedBefore)
  const compared: ComparedSegment = { ref, live: [], gone: [], removedBefore }
  digests.forEach((digest, position) => {
    if (isRemoved.has(position)) return
    if (wanted.has(digest)) compared.live.push(digest)
    else compared.gone.push(position)
  })
  return compared
}

/** Writes what the bank is to hold of one kind. Returns its segments. */
async function writeKind(
  writer: ValueWriter,
  kind: SegmentKind,
  { wanted, segments, added }: Difference,
): Promise<SegmentRef[]> {
  const isOfKind = (entry: Entry | undefined) => entry && segmentKindOf(entry) === kind
  const addedOfKind = added.filter((digest) => isOfKind(wanted.get(digest)))
  const { staying, rewritten } = plan(
    segments.filter(({ ref }) => ref.kind === kind),
    addedOfKind.length,
  )
  const refs: SegmentRef[] = []
  for (const segment of staying) refs.push(await writer.writeRemovals(segment))
  const fresh = rewritten.flatMap(({ live }) => live).concat(addedOfKind)
  const entries = fresh.flatMap((digest) => wanted.get(digest) ?? [])
  return refs.concat(await writer.writeSegments(kind, entries))
}

/**
 * Which segments stay as they are, but for removals, and which are written anew: those that lost a quarter of their
 * entries, and the small ones when they are too many.
 */
function plan(
  segments: readonly ComparedSegment[],
  added: number,
): { staying: ComparedSegment[]; rewritten: ComparedSegment[] } {
  const alive = segments.filter(({ live }) => live.length > 0)
  const isThin = ({ ref, live }: ComparedSegment) => live.length < ref.count * 0.75
  const isSmall = ({ live }: ComparedSegment) => live.length < SMALL_SEGMENT_ENTRIES
  const small = alive.filter((segment) => isSmall(segment) && !isThin(segment)).length
  const isCrowded = small + (added > 0 ? 1 : 0) > MAX_SMALL_SEGMENTS
  const goes = (segment: ComparedSegment) => isThin(segment) || (isCrowded && isSmall(segment))
  return {
    staying: alive.filter((segment) => !goes(segment)),
    rewritten: alive.filter(goes),
  }
}

/** Writes the values of one publication, but those that are there: an earlier run was cut off behind them. */
class ValueWriter {
  foundWritten = 0
  readonly #store: ListStore
  readonly #onProgress: (written: number) => void
  #written = 0

  constructor(store: ListStore, onProgress: (written: number) => void = () => {}) {
    this.#store = store
    this.#onProgress = onProgress
  }

  /** Writes entries as segments. */
  async writeSegments(kind: SegmentKind, entries: readonly Entry[]): Promise<SegmentRef[]> {
    const sorted = entries.toSorted(compareEntries)
    const refs: SegmentRef[] = []
    for (let first = 0; first < sorted.length; first += MAX_SEGMENT_ENTRIES) {
      const some = sorted.slice(first, first + MAX_SEGMENT_ENTRIES)
      const { ref, values } = await packSegment(this.#store, kind, some)
      await this.#write(ref.name, values)
      refs.push(ref)
    }
    return refs
  }

  /** Writes what was removed of a segment that stays. */
  async writeRemovals({ ref, gone, removedBefore }: ComparedSegment): Promise<SegmentRef> {
    if (gone.length === 0) return ref
    const positions = [...removedBefore, ...gone]
    const value = packRemovals(positions)
    const name = await this.#store.nameOf(value)
    await this.#write(name, new Map([[removalsKey(name), value]]))
    return { ...ref, removed: { name, count: positions.length } }
  }

  async #write(name: string, values: ReadonlyMap<string, Bytes>): Promise<void> {
    const folders = new Set([...values.keys()].map((key) => key.slice(0, key.indexOf(name))))
    const there = new Set<string>()
    for (const folder of folders) {
      for (const key of await this.#store.list(folder + name)) there.add(key)
    }
    const missing = new Map([...values].filter(([key]) => !there.has(key)))
    this.foundWritten += values.size - missing.size
    const before = this.#written
    await this.#store.putAll(missing, (written) => this.#onProgress(before + written))
    this.#written += missing.size
  }
}
