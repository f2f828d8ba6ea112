// Commands of the documentation: each fenced block that is marked `sh run` is run, page by page, in a fresh folder. A folder is a
// deployment as `hashgate init` makes it, and what its commands do at Cloudflare is done by a stand-in for its API.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Encrypter } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { metadataOf, objectKey } from '../../src/quarantine/objects.ts'
import { FORMAT } from '../../src/quarantine/record.ts'
import { seal } from '../../src/quarantine/seal.ts'
import { CloudflareStandIn } from '../support/cloudflare-stand-in.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BUCKET = 'hashgate-quarantine'
const CASE = '01234567-89ab-4cde-8f01-23456789abcd'
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'

/** Pages that run commands. Fewer than these, and marks were lost. */
const PAGES = [
  'README.md',
  'docs/api.md',
  'docs/cli.md',
  'docs/events.md',
  'docs/exchanges.md',
  'docs/lists.md',
  'docs/operations.md',
  'docs/policy.md',
  'docs/quarantine.md',
  'docs/remote.md',
  'docs/tickets.md',
]

const LIST = `hash,kind,id,source
90e1aad696d63d8c957435196529893b36eb24cbb39dc376678854b64db652a4,pdq,4711,example
3cc28b1ff92da6a930eeced3c9cbbc21b0bf1f96434669470cf1f09ef904012c,pdq,4712,example
`
const SOURCE = `
[vars.DESK.exchanges.ncmec]
kind = "ncmec"
base = "industry"
user = "us"
bank = "csam"
feedback = "send"
`

/** The commands of a page that are marked. */
async function blocksOf(page: string): Promise<string[]> {
  const text = await readFile(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```sh run\n(.*?)^```$/gms)].map(([, commands = '']) => commands)
}

const pages = await Promise.all(
  [
    'README.md',
    ...(await readdir(join(ROOT, 'docs')))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ].map(async (page) => [page, await blocksOf(page)] as const),
)
const marked = pages.filter(([, blocks]) => blocks.length > 0)

let home: string
let cloudflare: CloudflareStandIn
/** A deployment that is copied for each page. */
let deployment: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'hashgate-docs-'))
  cloudflare = await CloudflareStandIn.start(BUCKET)
  env = {
    ...process.env,
    ...cloudflare.env,
    ...{ HOME: home, XDG_CONFIG_HOME: home, LIST_KEY: 'ab'.repeat(32), DESK_KEY: 'cd'.repeat(32) },
    ...{
      CASE,
      LINES_OF_KEYS: 'forum;verdict;00',
      NCMEC_PASSWORD: 'secret',
      CI: 'true',
      NO_UPDATE_NOTIFIER: '1',
    },
    PATH: `${join(home, 'bin')}:${dirname(process.execPath)}:${process.env['PATH']}`,
  }
  await install(home)
  deployment = join(home, 'hashgate')
  const options = ['--action', 'quarantine', '--recipient', RECIPIENT, '--yes']
  await run(home, `npx hashgate init hashgate ${options.join(' ')}`)
  await writeFile(join(deployment, 'list.csv'), LIST)
  await cp(join(ROOT, 'examples/known.jpg'), join(deployment, 'cat.jpg'))
  await cp(join(ROOT, 'examples/other.jpg'), join(deployment, 'pictures/other.jpg'))
  await cp(join(ROOT, 'examples/texts.json'), join(deployment, 'texts.json'))
  const desk = await readFile(join(ROOT, 'wrangler.desk.toml'), 'utf8')
  await writeFile(join(deployment, 'wrangler.desk.toml'), desk + SOURCE)
})

afterAll(async () => {
  await cloudflare.stop()
  await rm(home, { recursive: true, maxRetries: 5 })
})

/**
 * What `npm install` would bring, as links: an `npm` that has nothing else to do, and an `npx` that only starts what is installed.
 * The real one takes longer than most commands.
 */
async function install(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, '.bin'), { recursive: true })
  await mkdir(join(folder, 'bin'))
  await symlink(ROOT, join(modules, 'hashgate'))
  for (const name of ['hono', 'wrangler']) {
    await symlink(join(ROOT, 'node_modules', name), join(modules, name))
  }
  await writeFile(join(folder, 'bin/npm'), '#!/bin/sh\ntest "$1" = install\n', { mode: 0o755 })
  const npx = '#!/bin/sh\nname=$1\nshift\nexec "$HOME/node_modules/.bin/$name" "$@"\n'
  await writeFile(join(folder, 'bin/npx'), npx, { mode: 0o755 })
  const cli = `#!/bin/sh\nexec node '${ROOT}dist/cli.js' "$@"\n`
  await writeFile(join(modules, '.bin/hashgate'), cli, { mode: 0o755 })
  await symlink(join(ROOT, 'node_modules/.bin/wrangler'), join(modules, '.bin/wrangler'))
}

/** Runs commands as a script that ends at the first that fails. */
async function run(cwd: string, commands: string): Promise<void> {
  try {
    const script = ['-euo', 'pipefail', '-c', commands]
    const running = promisify(execFile)('bash', script, { cwd, env })
    running.child.stdin?.end()
    await running
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${commands}\nsaid:\n${stdout}${stderr}`, { cause: error })
  }
}

/** Runs the commands of a block. The blocks of a page are one session: what one exports, the next has. */
function runBlock(folder: string, commands: string): Promise<void> {
  const session = `${folder}.session`
  return run(folder, `touch ${session}; . ${session}\n${commands}export -p > ${session}`)
}

/** What must have happened before a block, by page and number. */
const BEFORE: Record<string, (folder: string) => Promise<void>> = {
  'docs/policy.md 0': (folder) =>
    run(folder, 'npx hashgate list push list.csv --bank csam --remote'),
  // An upload was quarantined for the identity that the page made.
  'docs/quarantine.md 1': async (folder) => {
    const identity = await readFile(join(folder, 'identity.txt'), 'utf8')
    const encrypter = new Encrypter()
    encrypter.addRecipient(/public key: (\S+)/.exec(identity)?.[1] ?? '')
    const [time, expires] = ['2026-11-23T09:00:00.000Z', '2026-12-23T09:00:00.000Z']
    const facts = { method: 'PUT', host: 'files.example.com', path: '/cat.jpg', files: [] }
    const record = {
      ...facts,
      format: FORMAT as typeof FORMAT,
      caseId: CASE,
      contentType: '',
      time,
      expires,
    }
    const body = new TextEncoder().encode('a picture')
    const whole = { length: body.length, chunks: () => [body] }
    const { readable } = await seal({ ...record, bytes: body.length }, whole, encrypter)
    cloudflare.r2.objects.set(objectKey(CASE, time), {
      bytes: Buffer.from(await new Response(readable).arrayBuffer()),
      metadata: metadataOf({ caseId: CASE, expires }),
    })
  },
}

it('there are pages that run commands', () => {
  expect(marked.map(([page]) => page)).toEqual(expect.arrayContaining(PAGES))
})

describe.each(marked)('%s', (page, blocks) => {
  let folder: string

  beforeAll(async () => {
    cloudflare.reset()
    folder = join(home, page.replaceAll(/\W/g, '-'))
    await cp(deployment, folder, { recursive: true })
  })

  it.each(blocks.map((commands, at) => [commands.split('\n')[0] ?? '', commands, at] as const))(
    'runs %s',
    async (_, commands, at) => {
      await BEFORE[`${page} ${at}`]?.(folder)
      await expect(runBlock(folder, commands)).resolves.toBeUndefined()
    },
  )
})
