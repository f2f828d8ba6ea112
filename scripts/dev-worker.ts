import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addressOf, endGroup, WRANGLER_READY } from '../src/commands/child-server.ts'

/** The project's folder, in which wrangler and the command line run. */
export const PROJECT = fileURLToPath(new URL('..', import.meta.url))

/** Keeps wrangler from asking questions, sending metrics, and waiting for a network. */
const QUIET = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  NO_COLOR: '1',
}

const CONFIG = 'wrangler.dev.toml'

export interface DevWorkerOptions {
  /** Port on loopback; any free one if 0. */
  port: number
  /** Folder for local data; wrangler's usual one by default. */
  persistTo?: string
  /** Key of the list; by default that of .dev.vars. */
  listKey?: string
  /** wrangler's configuration; by default the gate's. */
  config?: string
  /** Variables and secrets. */
  vars?: Readonly<Record<string, string>>
  /** Called with each line that the Worker logs. */
  onLine: (line: string) => void
}

/** A Worker that runs under `wrangler dev` until `stop`. */
export interface DevWorker {
  url: string
  /** Settles when the Worker ends by itself. */
  ended: Promise<unknown>
  stop: () => Promise<void>
}

/** Starts a Worker, by default that of wrangler.dev.toml, and waits until it answers. */
export async function startDevWorker(options: DevWorkerOptions): Promise<DevWorker> {
  const { port } = options
  if (port !== 0 && !(await isFree(port)))
    throw new Error(`port ${port} is in use; stop what listens there, or pass another with --port`)
  const args = ['dev', '--ip', '127.0.0.1', '--port', String(port)]
  args.push('--config', options.config ?? CONFIG)
  args.push('--inspector-port', '0', '--show-interactive-dev-session=false')
  if (options.persistTo !== undefined) args.push('--persist-to', options.persistTo)
  if (options.listKey !== undefined) args.push('--var', `LIST_KEY:${options.listKey}`)
  for (const [name, value] of Object.entries(options.vars ?? {})) {
    args.push('--var', `${name}:${value}`)
  }
  const child = spawn('wrangler', args, {
    cwd: PROJECT,
    env: { ...process.env, ...QUIET, WRANGLER_LOG: 'log' }, // what tells that it listens
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // its own process group, so that all of it can be killed
  })
  const said = followLines(child, options.onLine)
  const stop = () => endGroup(child)
  const ended = once(child, 'exit')
  process.once('exit', () => void stop())
  const url = await addressOf(child, WRANGLER_READY)
  if (url !== undefined) return { url, ended, stop }
  await stop()
  throw new Error(`wrangler dev does not start:\n${said.last.join('\n')}`)
}

/** Whether nothing listens on a port of loopback. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Passes on the lines that a process writes. Returns the last ones. */
function followLines(child: ChildProcess, onLine: (line: string) => void): { last: string[] } {
  const said: { last: string[] } = { last: [] }
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      said.last = [...said.last, ...lines].slice(-20)
      lines.forEach(onLine)
    })
  }
  return said
}

/** Runs the command line as a user would. Returns its output. */
export function hashgate(...args: string[]): Promise<string> {
  return run(args, {})
}

async function run(args: string[], environment: Record<string, string>): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli.js', ...args], {
      cwd: PROJECT,
      env: { ...process.env, ...QUIET, ...environment },
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout
  } catch (cause) {
    const { stderr } = cause as { stderr?: string }
    throw new Error(stderr?.trim() ?? String(cause), { cause })
  }
}

/** Publishes a list to wrangler.dev.toml's namespace. Returns the command's output. */
export function publishList(
  list: string,
  { persistTo, listKey }: Pick<DevWorkerOptions, 'persistTo' | 'listKey'> = {},
): Promise<string> {
  const where = persistTo === undefined ? [] : ['--persist-to', persistTo]
  const args = ['list', 'push', list, '--bank', 'demo', '--config', CONFIG, ...where]
  return run(args, listKey === undefined ? {} : { LIST_KEY: listKey })
}
