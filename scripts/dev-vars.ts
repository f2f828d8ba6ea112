// Makes .dev.vars with a key for local lists, so that `npx wrangler dev` works in a fresh clone.
// `npm ci` runs it as part of `postprepare`.
//
//   node scripts/dev-vars.ts

import { existsSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateListKey } from '../src/list/sealing.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const FILE = join(PROJECT, '.dev.vars')

/**
 * The key of .dev.vars, which is created if missing. It is a secret of this machine, and never
 * committed.
 */
export async function localListKey(): Promise<string> {
  const text = existsSync(FILE) ? await readFile(FILE, 'utf8') : ''
  const [, found] = /^LIST_KEY\s*=\s*["']?([^"'\r\n]*)/m.exec(text) ?? []
  if (found !== undefined) return found.trim()
  const key = generateListKey()
  const line = `${text && !text.endsWith('\n') ? '\n' : ''}LIST_KEY=${key}\n`
  await appendFile(FILE, line, { mode: 0o600 })
  return key
}

/**
 * Only in a checkout without the file: an operator's file and an installed package stay as they
 * are.
 */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (existsSync(join(PROJECT, '.git')) && !existsSync(FILE)) await localListKey()
}
