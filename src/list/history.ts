import { type Manifest, manifestValue, parseManifest } from './manifest.ts'
import { HashgateError } from '../util/errors.ts'
import type { ListStore } from './store.ts'

/** Folder of the manifests of all versions that are kept, the published one among them. */
const FOLDER = 'history/'

/** Hours to keep a version after the next one has replaced it, and a value after the last reference to it. */
export const RETENTION_HOURS = 48

function historyKey(version: number): string {
  return `${FOLDER}${version}`
}

function versionOf(key: string): number {
  return Number(key.slice(FOLDER.length))
}

/** Keeps a copy of a manifest in the history: to return to it, and to know what it names. */
export async function keepInHistory(store: ListStore, manifest: Manifest): Promise<void> {
  const kept = await readVersion(store, manifest.version)
  if (kept?.id !== manifest.id)
    await store.put(historyKey(manifest.version), manifestValue(manifest))
}

/** Versions that are kept, the latest first. */
export async function keptVersions(store: ListStore): Promise<number[]> {
  const versions = (await store.list(FOLDER)).map(versionOf).filter(Number.isSafeInteger)
  return versions.toSorted((a, b) => b - a)
}

/** The latest version that is kept; 0 if there is none. */
export async function latestVersion(store: ListStore): Promise<number> {
  return (await keptVersions(store))[0] ?? 0
}

/** The manifest of a kept version; `undefined` if it is not there, or cannot be read any more. */
export async function readVersion(
  store: ListStore,
  version: number,
): Promise<Manifest | undefined> {
  try {
    return await openVersion(store, version)
  } catch (error) {
    // Of another format, or sealed with a key that is gone.
    if (error instanceof HashgateError) return undefined
    throw error
  }
}

/** Versions that are kept and can be returned to, the latest first: the manifests of the others cannot be read. */
export async function readableVersions(store: ListStore): Promise<number[]> {
  const versions = await keptVersions(store)
  const manifests = await Promise.all(versions.map((version) => readVersion(store, version)))
  return versions.filter((_, i) => manifests[i] !== undefined)
}

/**
 * The manifest of a kept version, to return to it; `undefined` if it is not kept.
 * @throws {UnknownKeyError | OtherFormatError | ValueDamagedError}
 */
export async function openVersion(
  store: ListStore,
  version: number,
): Promise<Manifest | undefined> {
  const value = await store.get(historyKey(version))
  return value && parseManifest(historyKey(version), value)
}

export async function forgetVersions(store: ListStore, versions: readonly number[]): Promise<void> {
  await store.deleteAll(versions.map(historyKey))
}
