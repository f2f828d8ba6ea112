// The examples of the public API, in the comments of what it exports: each is taken out, checked by its types, and run.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Consumer } from '../support/consumer.ts'
import { bundleWorker, workerFrom } from '../support/workerd.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const KNOWN = `${ROOT}examples/known.jpg`

interface Example {
  /** What it is an example of. */
  of: string
  code: string
}

/** Examples in the comments of the sources, by what the line behind each comment declares. */
async function examples(): Promise<Example[]> {
  const names = (await readdir(`${ROOT}src`, { recursive: true })).filter((n) => n.endsWith('.ts'))
  const sources = await Promise.all(names.map((name) => readFile(`${ROOT}src/${name}`, 'utf8')))
  return sources.flatMap((source) => {
    const found = source.matchAll(
      /@example\n *\* ```ts\n(?<code>.*?)\n *\* ```.*?\*\/\n *(?:(?:export|declare|abstract|async|const|class|function) )*(?<of>\w+)/gs,
    )
    return [...found].map(({ groups: { code = '', of = '' } = {} }) => ({
      of,
      code: code.replaceAll(/^ *\* ?/gm, ''),
    }))
  })
}

/** What can be imported, and is more than a type. */
async function exported(): Promise<string[]> {
  const folder = `${ROOT}docs/api-report/`
  const reports = await Promise.all(
    (await readdir(folder)).map((name) => readFile(`${folder}${name}`, 'utf8')),
  )
  const found = reports.flatMap((report) => [
    ...report.matchAll(/^export (?:abstract )?(?:class|const|function) (\w+)/gm),
  ])
  return [...new Set(found.map(([, name = '']) => name))]
}

const all = await examples()
const isWorker = ({ code }: Example) => /^export .*default/m.test(code)
/** Names of files, one for each example: some have the same name as others. */
const fileOf = (example: Example) => `example-${all.indexOf(example)}.ts`

let consumer: Consumer

beforeAll(async () => {
  consumer = await Consumer.install()
  await writeFile(consumer.path('known.jpg'), await readFile(KNOWN))
  for (const example of all) await writeFile(consumer.path(fileOf(example)), example.code)
})

afterAll(() => consumer.remove())

it('there is one of everything that can be imported', async () => {
  const names = await exported()
  expect(names).toContain('gate')
  const shown = new Set(all.map(({ of }) => of))
  expect(names.filter((name) => !shown.has(name))).toEqual([])
})

it('they have the right types', async () => {
  const flags = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--lib']
  flags.push('es2024,dom', '--target', 'es2024', '--skipLibCheck', '--types', 'node')
  flags.push('--typeRoots', `${ROOT}node_modules/@types`)
  await expect(consumer.run('tsc', ...flags, ...all.map(fileOf))).resolves.toBeUndefined()
})

describe('an example for Node', () => {
  it.each(all.filter((example) => !isWorker(example)).map((example) => [example.of, example]))(
    'prints what it says: %s',
    async (_, example) => {
      const said = [...example.code.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)]
      const { stdout } = await run(process.execPath, [fileOf(example)], { cwd: consumer.folder })
      expect(stdout).toBe(said.map(([, text]) => `${text}\n`).join(''))
    },
  )
})

/** What `hashgate/heic` imports, from a package that it does not contain. */
async function libheifModule(): Promise<Uint8Array<ArrayBuffer>> {
  const file = `${ROOT}node_modules/libheif-js/libheif-wasm/libheif.wasm`
  return new Uint8Array(await readFile(file))
}

/** What an example answers at /healthz: a gate of all paths that it has no list, an app of Hono that it has no such path. */
function statusOf({ code }: Example): number {
  if (/createWorker|hashgate\/worker|\.use\(\s*gate/.test(code)) return 503
  if (code.includes('throw new BodyUsedError')) return 500
  return code.includes('new Hono') ? 404 : 200
}

describe('an example for Workers', () => {
  it.each(all.filter(isWorker).map((example) => [example.of, example]))(
    'answers in workerd: %s',
    async (_, example) => {
      const manifest = await bundleWorker(pathToFileURL(consumer.path(fileOf(example))), {
        'libheif.wasm': await libheifModule(),
      })
      const miniflare = new Miniflare({
        log: new Log(LogLevel.NONE),
        workers: [
          workerFrom('example', manifest, {
            HASH_LISTS: { type: 'kv', id: 'lists' },
            LIST_KEY: { type: 'text', value: 'ab'.repeat(32) },
            ARACHNID_PASSWORD: { type: 'text', value: 'secret' },
            // Whatever is bound needs its settings.
            ...(example.code.includes('QUARANTINE') && {
              QUARANTINE: { type: 'r2' as const, name: 'quarantine' },
            }),
          }),
        ],
      })
      try {
        const url = await miniflare.unsafeGetDirectURL('example')
        const answer = await fetch(new URL('/healthz', url))
        const text = await answer.text()
        expect({ status: answer.status, text }).toMatchObject({ status: statusOf(example) })
        expect(text).not.toBe('')
      } finally {
        await miniflare.dispose()
      }
    },
  )
})
