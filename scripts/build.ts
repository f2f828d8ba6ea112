// Builds everything that is not TypeScript: the core's modules from assembly/, and the library
// decoders with capped memory.
//
//   node scripts/build.ts

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main as compile } from 'assemblyscript/asc'
import { LIBRARY_LIMITS, type LibraryFormat } from '../src/scan/image/library-limits.ts'
import { capMemory } from './cap-memory.ts'
import { replaceFile } from './replace-file.ts'

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

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
await mkdir('build', { recursive: true })
await Promise.all([
  ...(['image', 'match', 'search'] as const).map(buildCore),
  ...(['webp', 'avif'] as const).map(capLibrary),
])
