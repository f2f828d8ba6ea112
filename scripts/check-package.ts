// Checks the package as published, after a build: that its exports and their types exist for every
// kind of importer.
//
//   npm run check:package

import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packInto } from './pack.ts'

const folder = await mkdtemp(join(tmpdir(), 'hashgate-package-'))
const tarball = await packInto(folder)
const bin = fileURLToPath(new URL('../bench/node_modules/.bin', import.meta.url))
const checks = [
  ['publint', tarball, '--strict'],
  // A WebAssembly module has no types: the bundler decides what its import gives.
  ['attw', tarball, '--profile', 'esm-only', '--exclude-entrypoints', './pdq.wasm'],
]
for (const [command = '', ...args] of checks) {
  const { status } = spawnSync(join(bin, command), args, { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
await rm(folder, { recursive: true })
