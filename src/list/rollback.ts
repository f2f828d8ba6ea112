import { UnknownKeyError, VersionMissingError } from './errors.ts'
import { openVersion, readableVersions } from './history.ts'
import { type Manifest, segmentsOf } from './manifest.ts'
import { publishManifest, readBase } from './publish.ts'
import { removalsKey } from './removals.ts'
import { keysOf } from './segment.ts'
import type { ListStore } from './store.ts'

const OTHER_KEY =
  'it was sealed with a key that is no longer in LIST_KEY. Add that key behind the new one (LIST_KEY=new,old), here and in the Worker'

/**
 * Publishes an earlier version again, as a new one.
 * @throws {VersionMissingError} it, or a value that it names, is not stored any more
 * @throws {PublishConflictError} the store shows that somebody else publishes
 */
export async function rollBack(store: ListStore, version: number): Promise<Manifest> {
  const base = await readBase(store)
  if (version === base.manifest?.version) {
    throw new VersionMissingError(version, 'it is the one that is published')
  }
  const earlier = await openVersion(store, version).catch((error: unknown) => {
    if (!(error instanceof UnknownKeyError)) throw error
    throw new VersionMissingError(version, OTHER_KEY, { cause: error })
  })
  if (!earlier) {
    const kept = (await readableVersions(store)).filter((other) => other !== base.version)
    const others = kept.length > 0 ? `you can roll back to ${kept.join(', ')}` : 'there is no other'
    throw new VersionMissingError(version, `it is no longer stored, or never existed; ${others}`)
  }
  const there = new Set(await store.list(''))
  const named = segmentsOf(earlier).flatMap((ref) =>
    keysOf(ref).concat(ref.removed ? removalsKey(ref.removed.name) : []),
  )
  const missing = named.filter((key) => !there.has(key)).length
  if (missing > 0) {
    throw new VersionMissingError(version, `${missing} of its values are no longer stored`)
  }
  return (await publishManifest(store, base, earlier.banks)).manifest
}
