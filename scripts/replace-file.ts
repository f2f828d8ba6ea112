import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'

/**
 * Replaces a file atomically: readers see all of the old file or all of the new one. A file that
 * already has the same bytes is left alone, so that watchers do not restart.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const old = await readFile(path).catch(() => undefined)
  if (old?.equals(bytes)) return
  const other = `${path}.${randomUUID()}`
  await writeFile(other, bytes)
  await rename(other, path)
}
