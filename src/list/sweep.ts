import * as v from 'valibot'
import { utf8 } from '../util/bytes.ts'
import { forgetVersions, keptVersions, readVersion, RETENTION_HOURS } from './history.ts'
import { type Manifest, segmentsOf } from './manifest.ts'
import type { ListStore } from './store.ts'

/** When each name was first found unreferenced, as ISO 8601: a publisher's note to the next. */
const UNUSED_KEY = 'unused'

const UnusedSchema = v.record(v.string(), v.pipe(v.string(), v.isoTimestamp()))

const RETENTION_MS = RETENTION_HOURS * 3_600_000

/**
 * Deletes what no reader can need: manifests that were replaced RETENTION_HOURS ago, and values that no kept manifest has
 * named for as long. A reader that has not read the manifest for as long does not answer (LiveList), so that none is left
 * behind; what another publisher has written and not yet named is as safe.
 * @param current the published manifest
 * @param maxDeletes values that one run may delete; the next run deletes the others
 * @returns how many values were deleted
 */
export async function sweep(
  store: ListStore,
  current: Manifest,
  now = Date.now(),
  maxDeletes = Infinity,
): Promise<number> {
  const named = new Set(namesIn(current))
  const expired: number[] = []
  let replacedAt = current.publishedAt
  for (const version of await keptVersions(store)) {
    if (version === current.version) continue
    const manifest = await readVersion(store, version)
    if (now - Date.parse(replacedAt) > RETENTION_MS) expired.push(version)
    else if (manifest) for (const name of namesIn(manifest)) named.add(name)
    replacedAt = manifest?.publishedAt ?? replacedAt
  }

  const keysByName = await contentKeys(store)
  const before = await readUnused(store)
  const unused: Record<string, string> = {}
  const old: string[] = []
  for (const name of keysByName.keys()) {
    if (named.has(name)) continue
    const since = before[name] ?? new Date(now).toISOString()
    if (now - Date.parse(since) > RETENTION_MS) old.push(name)
    unused[name] = since // also of deleted values, as long as listings show them
  }

  const keys = old.flatMap((name) => keysByName.get(name) ?? []).slice(0, maxDeletes)
  if (keys.length > 0) await store.deleteAll(keys)
  if (expired.length > 0) await forgetVersions(store, expired)
  if (JSON.stringify(unused) !== JSON.stringify(before)) {
    await store.put(UNUSED_KEY, utf8(JSON.stringify(unused)))
  }
  return keys.length + expired.length
}

function namesIn(manifest: Manifest): string[] {
  return segmentsOf(manifest).flatMap(({ name, removed }) =>
    removed ? [name, removed.name] : [name],
  )
}

/** Keys of all values that are named by their content, by name. */
async function contentKeys(store: ListStore): Promise<Map<string, string[]>> {
  const keys = await store.list('')
  const named = keys.filter((key) => /^(segment|tail|detail|digests|removed)\//.test(key))
  return Map.groupBy(named, (key) => key.split('/')[1] ?? '')
}

/** When each name was first seen unused, as the last sweep noted; empty if that cannot be read, which only delays deletion. */
export async function readUnused(store: ListStore): Promise<Record<string, string>> {
  try {
    const value = await store.get(UNUSED_KEY)
    return value ? v.parse(UnusedSchema, JSON.parse(new TextDecoder().decode(value))) : {}
  } catch {
    return {}
  }
}
