import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** A Worker under `wrangler dev`, or something that runs it. */
export interface Running {
  url: string
  stop: () => Promise<void>
}

const READY_WITHIN_MS = 50_000

/** Starts wrangler, or another program that takes --port, and waits until the Worker answers. */
export async function startWrangler(
  args: string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
  program = `${cwd}/node_modules/.bin/wrangler`,
): Promise<Running> {
  const port = await freePort()
  const child = spawn(program, [...args, '--port', String(port)], {
    cwd,
    env: { ...env, WRANGLER_SEND_METRICS: 'false', CI: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that all of it can be ended
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const url = `http://127.0.0.1:${port}/`
  const isReady = await answers(url, child)
  const running = { url, stop: () => end(child) }
  if (isReady) return running
  await running.stop()
  throw new Error(`nothing answers at ${url}:\n${said.slice(-4000)}`)
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  const limit = Date.now() + READY_WITHIN_MS
  while (Date.now() < limit && child.exitCode === null) {
    try {
      await fetch(url)
      return true
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  return false
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return
  const ended = once(child, 'exit')
  process.kill(-child.pid, 'SIGTERM')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
