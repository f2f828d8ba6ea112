// Runs the Worker until it is interrupted, with a page at / where a person drops a picture and sees the verdict.
//
//   npm run dev                          with a list of two pictures that it makes, unless one was published before
//   npm run dev -- --list LIST --port N

import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { hashgate, PROJECT, publishList, startDevWorker } from './dev-worker.ts'
import { makePictures } from './pictures.ts'

const { values } = parseArgs({
  options: { list: { type: 'string' }, port: { type: 'string', default: '8787' } },
})

const KEY_FILE = join(PROJECT, '.dev.vars')

await makeListKey()
if (values.list !== undefined) {
  process.stdout.write(await publishList(values.list))
} else if (!(await hasList())) {
  const folder = join(PROJECT, '.wrangler', 'pictures')
  await mkdir(folder, { recursive: true })
  const { list } = await makePictures(folder)
  process.stdout.write(await publishList(list))
  console.log(`pictures to try it with are in ${folder}`)
}

const worker = await startDevWorker({
  port: Number(values.port),
  onLine: (line) => console.log(line),
})
console.log(`hashgate runs at ${worker.url}; interrupt to end it`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, worker.stop)
await worker.ended

/** Makes the key that local lists are sealed with, once. It is a secret of this machine, and never committed. */
async function makeListKey(): Promise<void> {
  const text = existsSync(KEY_FILE) ? await readFile(KEY_FILE, 'utf8') : ''
  if (/^LIST_KEY=/m.test(text)) return
  const key = (await hashgate('list', 'key')).trim()
  await appendFile(KEY_FILE, `${text && !text.endsWith('\n') ? '\n' : ''}LIST_KEY=${key}\n`)
}

async function hasList(): Promise<boolean> {
  try {
    await hashgate('list', 'show', '--config', 'wrangler.dev.toml')
    return true
  } catch {
    return false
  }
}
