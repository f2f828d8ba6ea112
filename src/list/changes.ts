import { readLiveEntries } from './bank-entries.ts'
import { digestEntry, readDigests } from './digests.ts'
import type { Entry } from './entry.ts'
import type { EntryGuard } from './entry-guard.ts'
import { type Bank, checkSize, MAX_LIST_ENTRIES, type SegmentRef } from './manifest.ts'
import { planSmallMerge } from './merge.ts'
import {
  type Base,
  type ComparedSegment,
  type Publication,
  publishManifest,
  readBase,
  ValueWriter,
  withBank,
} from './publish.ts'
import { readRemovals, Removals } from './removals.ts'
import { segmentKindOf, type SegmentKind } from './segment.ts'
import type { ListStore } from './store.ts'

/**
 * Publishes changes of banks without reading their entries: it reads only the digests of each segment. So a thousand changes
 * of a million entries take half a second, and little memory. An entry that is live already is not added again, and one that
 * is not there need not be removed: the same changes can be published twice.
 * @throws {PublishConflictError} the store shows that somebody else publishes
 * @throws {ValueMissingError | ValueDamagedError} the list is damaged and must be rewritten
 */
export async function publishChanges(
  store: ListStore,
  changes: readonly BankChanges[],
  options: ChangeOptions = {},
): Promise<ChangePublication> {
  const base = options.base ?? (await readBase(store))
  const writer = new ValueWriter(store, { ...(options.guard && { guard: options.guard }) })
  const total = { added: 0, removed: 0 }
  let banks: Bank[] = base.manifest?.banks ?? []
  for (const change of changes) {
    const old = banks.find(({ id }) => id === change.bank)
    const pdq = await changeKind(store, writer, 'pdq', old?.segments ?? [], change)
    const exact = await changeKind(store, writer, 'exact', old?.segments ?? [], change)
    const segments = [...pdq.segments, ...exact.segments]
    banks = withBank({ banks }, { bank: change.bank }, segments)
    total.added += pdq.added + exact.added
    total.removed += pdq.removed + exact.removed
  }
  if (!options.allowLarge) checkSize({ banks }, MAX_LIST_ENTRIES)
  const notes = base.manifest ?? {}
  const published = await publishManifest(store, base, banks, notes, options.maxDeletes)
  return { ...published, ...total }
}

/** Changes to a bank. An entry that is both added and removed stays. */
export interface BankChanges {
  bank: string
  added: readonly Entry[]
  removed: readonly Entry[]
}

export interface ChangeOptions {
  /** What to build on, for a publisher that knows it: the store may answer with an older manifest for half a minute. */
  base?: Base
  /** Whether the list may be larger than an isolate holds: Durable Objects do. */
  allowLarge?: boolean
  /** Lowers entries that would match unrelated pictures, as they are written. */
  guard?: EntryGuard
  /** Most values to delete. KV allows a Worker 1,000 operations an invocation. */
  maxDeletes?: number
}

export type ChangePublication = Pick<Publication, 'manifest' | 'added' | 'removed' | 'deleted'>

async function changeKind(
  store: ListStore,
  writer: ValueWriter,
  kind: SegmentKind,
  refs: readonly SegmentRef[],
  change: BankChanges,
): Promise<{ segments: SegmentRef[]; added: number; removed: number }> {
  const isOfKind = (entry: Entry) => segmentKindOf(entry) === kind
  const added = new Map(change.added.filter(isOfKind).map((entry) => [digestEntry(entry), entry]))
  const removed = new Set(change.removed.filter(isOfKind).map(digestEntry))
  for (const digest of added.keys()) removed.delete(digest)

  const found: ChangedSegment[] = []
  const sought = new DigestFilter([...added.keys(), ...removed])
  for (const ref of refs) {
    if (ref.kind === kind) found.push(await findIn(store, ref, sought, removed))
  }
  for (const { present } of found) for (const digest of present) added.delete(digest)

  const { staying, rewritten } = planSmallMerge(found, added.size)
  const segments: SegmentRef[] = []
  for (const segment of staying) segments.push(await writer.writeRemovals(segment))
  const entries = [...added.values()]
  for (const { ref, gone, removedBefore } of rewritten)
    entries.push(...(await readLiveEntries(store, ref, [...removedBefore, ...gone])))
  segments.push(...(await writer.writeSegments(kind, entries)))
  const gone = found.reduce((sum, segment) => sum + segment.gone.length, 0)
  return { segments, added: added.size, removed: gone }
}

interface ChangedSegment extends Omit<ComparedSegment, 'live'> {
  /** How many entries stay. */
  live: { length: number }
  /** Digests that were looked for, are live, and stay. */
  present: string[]
}

async function findIn(
  store: ListStore,
  ref: SegmentRef,
  sought: DigestFilter,
  removed: ReadonlySet<string>,
): Promise<ChangedSegment> {
  const removedBefore = await readRemovals(store, ref)
  const wasRemoved = new Removals(removedBefore, ref.count)
  const present: string[] = []
  const gone: number[] = []
  for (const [position, digest] of sought.find(await readDigests(store, ref))) {
    if (wasRemoved.has(position)) continue
    if (removed.has(digest)) gone.push(position)
    else present.push(digest)
  }
  const live = { length: ref.count - removedBefore.length - gone.length }
  return { ref, live, present, gone, removedBefore }
}

/** Finds some digests among many that lie one behind the other. Three bytes rule out nearly all of them. */
class DigestFilter {
  readonly #digests: ReadonlySet<string>
  readonly #prefixes = new Uint8Array(1 << 21)

  constructor(digests: readonly string[]) {
    this.#digests = new Set(digests)
    for (const digest of digests) {
      const prefix =
        (digest.charCodeAt(0) << 16) | (digest.charCodeAt(1) << 8) | digest.charCodeAt(2)
      this.#prefixes[prefix >> 3] = (this.#prefixes[prefix >> 3] ?? 0) | (1 << (prefix & 7))
    }
  }

  /** Positions of those that are sought, with each. */
  *find({ bytes, width }: { bytes: Uint8Array; width: number }): Generator<[number, string]> {
    if (this.#digests.size === 0) return
    for (let at = 0; at < bytes.length; at += width) {
      const prefix = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
      if ((((this.#prefixes[prefix >> 3] ?? 0) >> (prefix & 7)) & 1) === 0) continue
      const digest = String.fromCharCode(...bytes.subarray(at, at + width))
      if (this.#digests.has(digest)) yield [at / width, digest]
    }
  }
}
