import { concatenate, utf8 } from '../util/bytes.ts'
import { blockOf, type Detail, packDetails, readDetails } from './details.ts'
import { type Entry, HASH_LENGTHS, type HashKind } from './entry.ts'
import { ValueDamagedError } from './errors.ts'
import { packDigests } from './digests.ts'
import { packDigestSet } from './digest-set.ts'
import type { SegmentRef } from './manifest.ts'
import { packParts, packTails, readFirstHalves, TAILS } from './pdq-segment.ts'
import { BLOCK_ENTRIES, PART_ENTRIES } from './sizes.ts'
import { type Bytes, getExisting, type ListStore, type StoreReader } from './store.ts'

// A segment is several values. Each has a path, in which {} stands for the segment's name:
//
//   segment/{}/<part>    what is searched: the first halves of perceptual hashes, or the digest set
//   tail/{}/<slot>       for perceptual hashes: what tables are built from, in addition to first halves
//   detail/{}/<block>    what is read of a candidate
//   digests/{}           what a publisher tells entries apart by

/** What a segment searches by. Digests of all kinds go together. */
export type SegmentKind = SegmentRef['kind']

export function segmentKindOf({ kind }: Pick<Entry, 'kind'>): SegmentKind {
  return kind === 'pdq' ? 'pdq' : 'exact'
}

export interface PackedSegment {
  ref: SegmentRef
  /** By key. */
  values: Map<string, Bytes>
}

/** Packs 1 to MAX_SEGMENT_ENTRIES entries of one kind of segment, in the given order. */
export async function packSegment(
  store: ListStore,
  kind: SegmentKind,
  entries: readonly Entry[],
): Promise<PackedSegment> {
  const searched = kind === 'pdq' ? packParts(entries) : [packDigestSet(entries)]
  const tails = kind === 'pdq' ? packTails(entries) : []
  const details: Bytes[] = []
  for (let first = 0; first < entries.length; first += BLOCK_ENTRIES) {
    details.push(packDetails(entries.slice(first, first + BLOCK_ENTRIES)))
  }
  const values = [...searched, ...tails, ...details, packDigests(entries)]
  return nameSegment(store, kind, entries.length, values)
}

/** Places of a segment's values, in the order that they are packed in. */
function placesOf(kind: SegmentKind, count: number): string[] {
  const number = (of: number, place: string) =>
    Array.from({ length: of }, (_, i) => `${place}/${i}`)
  return [
    ...number(kind === 'pdq' ? Math.ceil(count / PART_ENTRIES) : 1, 'segment/{}'),
    ...number(kind === 'pdq' ? TAILS : 0, 'tail/{}'),
    ...number(Math.ceil(count / BLOCK_ENTRIES), 'detail/{}'),
    'digests/{}',
  ]
}

export function keysOf({ kind, name, count }: SegmentRef): string[] {
  return placesOf(kind, count).map((place) => place.replace('{}', name))
}

/** Names a segment after the content of all its values: a change in one changes the names of all. */
async function nameSegment(
  store: ListStore,
  kind: SegmentKind,
  count: number,
  values: readonly Bytes[],
): Promise<PackedSegment> {
  const names = await Promise.all(values.map((value) => store.nameOf(value)))
  const name = await store.nameOf(utf8(names.join('\n')))
  const ref: SegmentRef = { kind, name, count }
  const keys = keysOf(ref)
  const details = values.filter((_, i) => keys[i]?.startsWith('detail/'))
  const detailBytes = details.reduce((most, { length }) => Math.max(most, length), 0)
  return {
    ref: { ...ref, detailBytes },
    values: new Map(values.map((value, i) => [keys[i] ?? '', value])),
  }
}

/** A stored segment under its current name, which changes with the key of the store. */
export async function repackSegment(store: ListStore, ref: SegmentRef): Promise<PackedSegment> {
  const values: Bytes[] = []
  for (const key of keysOf(ref)) values.push(await getExisting(store, key))
  return nameSegment(store, ref.kind, ref.count, values)
}

/**
 * Entries of a stored segment, including removed ones, as a match would find them: from the searched values and the details.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readEntries(store: StoreReader, ref: SegmentRef): Promise<Entry[]> {
  const details: Detail[] = []
  for (let block = 0; block * BLOCK_ENTRIES < ref.count; block++) {
    details.push(...(await readDetails(store, ref, block)).all())
  }
  const halves = ref.kind === 'pdq' ? await readFirstHalves(store, ref) : []
  return details.map(({ rest, ...said }, i) => {
    const hash = concatenate([halves[i] ?? new Uint8Array(0), rest])
    const kind = ref.kind === 'pdq' ? 'pdq' : KIND_OF_BYTES.get(hash.length)
    const key = `detail/${ref.name}/${blockOf(i)}`
    if (!kind || hash.length !== HASH_LENGTHS[kind])
      throw new ValueDamagedError(key, 'has an invalid hash')
    return Object.assign(said, { kind, hash })
  })
}

/** Kinds of digests by their length. */
const KIND_OF_BYTES = new Map<number, HashKind>([
  [HASH_LENGTHS.md5, 'md5'],
  [HASH_LENGTHS.sha1, 'sha1'],
  [HASH_LENGTHS.sha256, 'sha256'],
])

/** Order of entries in a segment: by their hashes, so that the same entries make the same segment. */
export function compareEntries(a: Entry, b: Entry): number {
  const length = Math.min(HASH_LENGTHS[a.kind], HASH_LENGTHS[b.kind])
  for (let i = 0; i < length; i++) {
    const difference = (a.hash[i] ?? 0) - (b.hash[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.hash.length - b.hash.length
}
