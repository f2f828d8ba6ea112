import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Packs the built package into a folder. Returns the tarball's path. */
export async function packInto(folder: string): Promise<string> {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd })
  return join(folder, stdout.trim())
}
