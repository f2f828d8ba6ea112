import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Unpacks a Debian package into a folder and calls `use` with it. Requires apt. */
export async function unpacked<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const work = await mkdtemp(join(tmpdir(), 'hashgate-package-'))
  try {
    await run('apt-get', ['download', name], { cwd: work })
    const file = (await readdir(work)).find((one) => one.endsWith('.deb'))
    await run('dpkg-deb', ['-x', join(work, file ?? ''), join(work, 'content')])
    return await use(join(work, 'content'))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** The SHA-256 of bytes, or of a file, in hex. */
export async function digestOf(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === 'string' ? await readFile(content) : content
  return createHash('sha256').update(bytes).digest('hex')
}
