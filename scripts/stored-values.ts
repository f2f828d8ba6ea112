// Writes test/upgrade/values/NAME.json: everything that hashgate stores or sends, as the current
// code writes it, for the tests of later versions to read. Run it before a release, and keep the
// file: docs/upgrades.md says why.
//
//   node scripts/stored-values.ts NAME

import { execFile } from 'node:child_process'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = new URL('../', import.meta.url)
const FOLDER = new URL('test/upgrade/values/', ROOT)
const PREFIX = 'stored values: '

const [name] = process.argv.slice(2)
if (name === undefined || !/^[\w.-]+$/.test(name)) {
  console.error('Usage: node scripts/stored-values.ts NAME')
  process.exit(2)
}
// The tests' own configuration runs it, and that only accepts this file name.
const source = new URL('test/upgrade/write-values.ts', ROOT)
const test = new URL('test/upgrade/write-values.test.ts', ROOT)
await copyFile(source, test)
const args = ['run', '--project', 'workerd', fileURLToPath(test)]
const output = await promisify(execFile)('node_modules/.bin/vitest', args, {
  cwd: ROOT,
  env: { ...process.env, NO_COLOR: '1' },
  maxBuffer: 1 << 24,
}).then(
  ({ stdout }) => stdout,
  ({ stdout }: { stdout: string }) => stdout,
)
await rm(test)
const line = output.split('\n').find((one) => one.startsWith(PREFIX))
if (line === undefined) throw new Error(`no values were printed:\n${output}`)
await mkdir(FOLDER, { recursive: true })
const file = new URL(`${name}.json`, FOLDER)
await writeFile(file, `${JSON.stringify(JSON.parse(line.slice(PREFIX.length)), null, 2)}\n`)
console.log(`wrote ${file.pathname}`)
