// Builds what is not TypeScript: the core's modules from assembly/, and the library decoders with their memory capped.
//
//   node scripts/build.ts

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { main as compile } from 'assemblyscript/asc'
import { LIBRARY_LIMITS, type LibraryFormat } from '../src/scan/image/library-limits.ts'
import { capMemory } from './cap-memory.ts'

const LIBRARY_FILES = {
  webp: '@jsquash/webp/codec/dec/webp_dec.wasm',
  avif: '@jsquash/avif/codec/dec/avif_dec.wasm',
}

async function buildCore(name: 'image' | 'match' | 'search'): Promise<void> {
  const args = [`assembly/${name}.ts`, '--config', 'asconfig.json', '--target', name]
  const { error } = await compile(args, { stderr: process.stderr, stdout: process.stdout })
  if (error) throw error
}

async function capLibrary(name: LibraryFormat): Promise<void> {
  const file = fileURLToPath(import.meta.resolve(LIBRARY_FILES[name]))
  await writeFile(
    `build/${name}.wasm`,
    capMemory(await readFile(file), LIBRARY_LIMITS[name].memoryPages),
  )
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
await mkdir('build', { recursive: true })
await Promise.all([
  ...(['image', 'match', 'search'] as const).map(buildCore),
  ...(['webp', 'avif'] as const).map(capLibrary),
])
