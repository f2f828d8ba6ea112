import { type Bank, type Manifest, nextManifest, readManifest, writeManifest } from './manifest.ts'
import { BLOCK_ENTRIES, nameValues } from './segment.ts'
import { type Bytes, detailKey, getExisting, type ListStore, segmentKey } from './store.ts'

/**
 * Writes the published list anew, with the first of the store's keys: values under new names, then the manifest that names
 * them. Readers that have both keys never see a gap. Values of the old key stay until nothing reads them.
 */
export async function rekey(
  store: ListStore,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Manifest> {
  const old = await readManifest(store)
  const total = old.banks.reduce((sum, { segments }) => sum + segments.length, 0)
  let done = 0
  const banks: Bank[] = []
  for (const bank of old.banks) {
    const segments: Bank['segments'] = []
    for (const { name, count } of bank.segments) {
      segments.push({ name: await rewriteSegment(store, name, count), count })
      onProgress(++done, total)
    }
    banks.push({ ...bank, segments })
  }
  const manifest = nextManifest(old, banks)
  await writeManifest(store, manifest)
  return manifest
}

/** Writes a segment and its details under the name that the first key gives. Returns the name. */
async function rewriteSegment(store: ListStore, oldName: string, count: number): Promise<string> {
  const segment = await getExisting(store, segmentKey(oldName))
  const blocks: Bytes[] = []
  for (let block = 0; block * BLOCK_ENTRIES < count; block++) {
    blocks.push(await getExisting(store, detailKey(oldName, block)))
  }
  const { name, values } = await nameValues(store, segment, blocks)
  await store.putAll(values)
  return name
}
