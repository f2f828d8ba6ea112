// Runs the Worker until it is interrupted, with a page at / where a person drops a picture and sees the verdict.
//
//   npm run dev                          with a list of two pictures that it makes, unless one was published before
//   npm run dev -- --list LIST --port N

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { localListKey } from './dev-vars.ts'
import { hashgate, PROJECT, publishList, startDevWorker } from './dev-worker.ts'
import { makePictures } from './pictures.ts'

const { values } = parseArgs({
  options: { list: { type: 'string' }, port: { type: 'string', default: '8787' } },
})

// The commands take an exported key, and the Worker takes that of .dev.vars: both get both here, so that either reads what the
// other sealed, also with another key than today.
const exported = process.env['LIST_KEY'] || undefined
const own = await localListKey()
const listKey = exported === undefined ? own : `${exported},${own}`
process.env['LIST_KEY'] = listKey

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
  ...(exported !== undefined && { listKey }),
  onLine: (line) => console.log(line),
})
console.log(`hashgate runs at ${worker.url}; interrupt to end it`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void worker.stop())
await worker.ended

async function hasList(): Promise<boolean> {
  try {
    await hashgate('list', 'show', '--config', 'wrangler.dev.toml')
    return true
  } catch {
    return false
  }
}
