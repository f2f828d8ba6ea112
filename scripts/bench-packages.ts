// Installs bench/package.json, which only benches, long tests and checks need, unless it is
// installed already. Commands that need it run this first; if nothing is missing, it only reads two
// files.
//
//   node scripts/bench-packages.ts

import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const FOLDER = new URL('../bench/', import.meta.url)
/** The lock file that was installed. */
const INSTALLED = new URL('node_modules/.installed-lock.json', FOLDER)

const wanted = await readFile(new URL('package-lock.json', FOLDER), 'utf8')
const there = await readFile(INSTALLED, 'utf8').catch(() => undefined)
if (there !== wanted) {
  console.log('installing bench/package.json once, for benches, long tests and checks')
  const args = ['ci', '--prefix', '.', '--prefer-offline', '--no-audit', '--no-fund']
  args.push('--loglevel', 'error', '--fetch-retries', '1', '--fetch-retry-mintimeout', '1000')
  const { status } = spawnSync('npm', args, { cwd: fileURLToPath(FOLDER), stdio: 'inherit' })
  if (status === 0) await writeFile(INSTALLED, wanted)
  else {
    console.error(
      'The packages of bench/package.json are not installed, see above. This command needs them, and a registry the first time. Without them, `npm run dev`, `npm run demo` and `npm test` work.',
    )
    process.exitCode = 1
  }
}
