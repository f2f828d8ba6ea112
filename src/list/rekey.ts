import { type Bank, type Manifest, readManifest, segmentsOf, type SegmentRef } from './manifest.ts'
import { publishManifest, readBase } from './publish.ts'
import { removalsKey } from './removals.ts'
import { repackSegment } from './segment.ts'
import { getExisting, type ListStore } from './store.ts'

/**
 * Writes the published list again, with the first of the store's keys: values under new names, then the manifest that names
 * them. Readers that have both keys never see a gap. Values of the old key stay until nothing reads them.
 */
export async function rekey(
  store: ListStore,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Manifest> {
  const base = await readBase(store)
  const old = base.manifest ?? (await readManifest(store))
  const total = segmentsOf(old).length
  let done = 0
  const banks: Bank[] = []
  for (const bank of old.banks) {
    const segments: Bank['segments'] = []
    for (const ref of bank.segments) {
      segments.push(await rewriteSegment(store, ref))
      onProgress(++done, total)
    }
    banks.push({ ...bank, segments })
  }
  return (await publishManifest(store, base, banks)).manifest
}

/** Writes a segment and its removals under the names that the first key gives. */
async function rewriteSegment(store: ListStore, old: SegmentRef): Promise<SegmentRef> {
  const { ref: renamed, values } = await repackSegment(store, old)
  const ref = { ...renamed, ...(old.kinds && { kinds: old.kinds }) }
  await store.putAll(values)
  if (!old.removed) return ref
  const positions = await getExisting(store, removalsKey(old.removed.name))
  const name = await store.nameOf(positions)
  await store.put(removalsKey(name), positions)
  return { ...ref, removed: { name, count: old.removed.count } }
}
