// Builds the core's modules from assembly/, the library decoders with capped memory, and dist/.
// Most commands build first, so nothing is done if all that is read and written is as after the last
// build: a fifth of a second instead of 15 of CPU time.
//
//   npm run build

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main as compile } from 'assemblyscript/asc'
import { LIBRARY_LIMITS, type LibraryFormat } from '../src/scan/image/library-limits.ts'
import { capMemory } from './cap-memory.ts'
import { replaceFile } from './replace-file.ts'

/** Everything that decides what is built: files and folders. The last one says what npm has installed. */
const INPUTS = [
  ...['assembly', 'src', 'scripts/build.ts', 'scripts/cap-memory.ts', 'asconfig.json'],
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.library.json'],
  ...['tsconfig.middleware.json', 'tsconfig.node.json', 'tsconfig.worker.json', 'worker-env.d.ts'],
  'node_modules/.package-lock.json',
]
/** Digests of what the last build read and wrote. */
const LAST_BUILD = 'build/last-build.json'

const LIBRARY_FILES = {
  webp: '@jsquash/webp/codec/dec/webp_dec.wasm',
  avif: '@jsquash/avif/codec/dec/avif_dec.wasm',
}

/**
 * What the compiler prints, without a note on the optimiser: its last round added a few bytes. With
 * fewer rounds (`converge` off), the modules are larger.
 */
const warnings = {
  write(text: string | Uint8Array): void {
    if (!String(text).startsWith('Last converge was suboptimal')) process.stderr.write(text)
  },
}

/**
 * Builds a core module and swaps it in once it is complete: a running `wrangler dev` has the old
 * one open.
 */
async function buildCore(name: 'image' | 'match' | 'search'): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-build-'))
  const built = (type: string) => join(folder, `${name}.${type}`)
  const args = [`assembly/${name}.ts`, '--config', 'asconfig.json', '--target', name]
  args.push('--baseDir', '.', '--outFile', built('wasm'), '--textFile', built('wat'))
  try {
    const { error } = await compile(args, { stderr: warnings, stdout: process.stdout })
    if (error) throw error
    for (const type of ['wasm', 'wat']) {
      await replaceFile(`build/${name}.${type}`, await readFile(built(type)))
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function capLibrary(name: LibraryFormat): Promise<void> {
  const file = fileURLToPath(import.meta.resolve(LIBRARY_FILES[name]))
  const capped = capMemory(await readFile(file), LIBRARY_LIMITS[name].memoryPages)
  await replaceFile(`build/${name}.wasm`, capped)
}

/** Files of some paths, those in folders with them. A path that does not exist has none. */
async function filesIn(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const info = await stat(path).catch(() => undefined)
      if (!info?.isDirectory()) return info ? [path] : []
      const entries = await readdir(path, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    }),
  )
  return found.flat().toSorted()
}

/** A digest of the names and contents of files. */
async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(process.version)
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(file))
  return hash.digest('hex')
}

const readDigest = async () => digestOf(await filesIn(INPUTS))

async function writtenDigest(): Promise<string> {
  const files = await filesIn(['build', 'dist'])
  return digestOf(files.filter((file) => /^dist|^build.[a-z]+\.(wasm|wat)$/.test(file)))
}

async function build(): Promise<void> {
  await mkdir('build', { recursive: true })
  await Promise.all([
    ...(['image', 'match', 'search'] as const).map(buildCore),
    ...(['webp', 'avif'] as const).map(capLibrary),
  ])
  for (const script of ['build:cli', 'build:types']) {
    const { status } = spawnSync('npm', ['run', '--silent', script], { stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const last = await readFile(LAST_BUILD, 'utf8').catch(() => '')
// Before the build: what changes meanwhile is built the next time.
const read = await readDigest()
const describe = async () => `${JSON.stringify({ read, written: await writtenDigest() })}\n`
if (last !== (await describe())) {
  await rm(LAST_BUILD, { force: true })
  await build()
  await writeFile(LAST_BUILD, await describe())
}
