import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'

/**
 * Puts a file in place, whole: whoever reads it meanwhile has all of the old one or all of the new one. One with the same bytes is
 * left alone, so that nothing that watches it begins anew.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const old = await readFile(path).catch(() => undefined)
  if (old?.equals(bytes)) return
  const other = `${path}.${randomUUID()}`
  await writeFile(other, bytes)
  await rename(other, path)
}
