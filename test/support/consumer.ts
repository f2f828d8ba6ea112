import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { packInto } from '../../scripts/pack.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SOURCES = fileURLToPath(new URL('../package/consumer', import.meta.url))

const run = promisify(execFile)

interface PackageJson {
  dependencies: Record<string, string>
  exports: Record<string, string | Record<string, string>>
}

/** A project, test/package/consumer, that has installed the package as it is packed. */
export class Consumer {
  readonly folder: string
  readonly manifest: PackageJson

  private constructor(folder: string, manifest: PackageJson) {
    this.folder = folder
    this.manifest = manifest
  }

  /** Installs as npm does, but for the dependencies, which are links to this project's. */
  static async install(): Promise<Consumer> {
    const folder = await mkdtemp(join(tmpdir(), 'hashgate-consumer-'))
    const installed = join(folder, 'node_modules/hashgate')
    await mkdir(installed, { recursive: true })
    const tarball = await packInto(folder)
    await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
    const manifest = JSON.parse(
      await readFile(join(installed, 'package.json'), 'utf8'),
    ) as PackageJson
    for (const name of [...Object.keys(manifest.dependencies), 'hono', 'libheif-js']) {
      const link = join(folder, 'node_modules', name)
      await mkdir(dirname(link), { recursive: true })
      await symlink(join(ROOT, 'node_modules', name), link)
    }
    await cp(SOURCES, folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    return new Consumer(folder, manifest)
  }

  /** Runs a command that this project has, in the consumer's folder. Rejects with what it prints if it fails. */
  async run(command: string, ...args: string[]): Promise<void> {
    const options = { cwd: this.folder, env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } }
    try {
      await run(join(ROOT, 'node_modules/.bin', command), args, options)
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${command}: ${stdout}${stderr}`, { cause: error })
    }
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true })
  }
}
