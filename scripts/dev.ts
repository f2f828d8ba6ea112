// Runs the Worker until it is interrupted. The page at / lets you drop a picture and shows its
// verdict.
//
//   npm run dev                          with a list of two pictures that it makes, unless one was published before
//   npm run dev -- --list LIST --port N

import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { localListKey } from './dev-vars.ts'
import {
  type DevWorker,
  hashgate,
  PROJECT,
  publishList,
  startDevWorker,
  type DevWorkerOptions,
} from './dev-worker.ts'
import { makePictures } from './pictures.ts'

let worker: DevWorker | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => (worker ? void worker.stop() : process.exit(130)))
try {
  const { list, port } = readOptions()
  worker = await start(list, port)
  await firstVerdict(worker.url)
  console.log(`\nOpen ${worker.url}/ and drop a picture. Ctrl-C ends it.\n`)
  await worker.ended
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

function readOptions() {
  const { values } = parseArgs({
    options: { list: { type: 'string' }, port: { type: 'string', default: '8787' } },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port}: expected a number from 0 (any free port) to 65535`)
  return { list: values.list, port }
}

async function start(list: string | undefined, port: number): Promise<DevWorker> {
  const { key, isExported } = await listKeys()
  console.log('Reading the list. The first start takes up to a minute.')
  if (list !== undefined) process.stdout.write(await publishList(list))
  else if (!(await hasList())) await publishPictures()
  console.log('Starting the Worker.')
  const options: DevWorkerOptions = { port, onLine: (line) => console.log(line) }
  return startDevWorker(isExported ? { ...options, listKey: key } : options)
}

/**
 * Waits for a first verdict. wrangler may restart a Worker right after its first answer and does
 * not repeat a POST then. The first verdict also loads the list, so the user need not wait for
 * that.
 */
async function firstVerdict(url: string): Promise<void> {
  const body = await readFile(join(PROJECT, 'examples/known.jpg'))
  for (let tries = 0; tries < 10; tries++) {
    const response = await fetch(`${url}/inspect`, { method: 'POST', body }).catch(() => undefined)
    if (response?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}

/**
 * The commands use an exported key, and the Worker uses that of .dev.vars. Both get both keys here,
 * so that either reads what the other sealed, even with an older key.
 */
async function listKeys(): Promise<{ key: string; isExported: boolean }> {
  const exported = process.env['LIST_KEY'] || undefined
  const own = await localListKey()
  const key = exported === undefined ? own : `${exported},${own}`
  process.env['LIST_KEY'] = key
  return { key, isExported: exported !== undefined }
}

async function publishPictures(): Promise<void> {
  console.log('There is no list yet. Making one of two pictures.')
  const folder = join(PROJECT, '.wrangler', 'pictures')
  await mkdir(folder, { recursive: true })
  const { list } = await makePictures(folder)
  process.stdout.write(await publishList(list))
  console.log(`Pictures to try it with are in ${folder}`)
}

async function hasList(): Promise<boolean> {
  try {
    await hashgate('list', 'show', '--config', 'wrangler.dev.toml')
    return true
  } catch {
    return false
  }
}
