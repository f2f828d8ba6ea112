import { spawn } from 'node:child_process'
import { addressOf, endGroup, WRANGLER_READY } from '../../src/commands/child-server.ts'

/** A Worker under `wrangler dev`, or something that runs it. */
export interface Running {
  url: string
  stop: () => Promise<void>
}

/** Starts wrangler, or another program that takes --port and passes on what it says, and waits until the Worker answers. */
export async function startWrangler(
  args: string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
  program = `${cwd}/node_modules/.bin/wrangler`,
): Promise<Running> {
  const child = spawn(program, [...args, '--port', '0'], {
    cwd,
    env: { ...env, WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG: 'log', CI: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that all of it can be ended
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const url = await addressOf(child, WRANGLER_READY)
  if (url !== undefined) return { url: `${url}/`, stop: () => endGroup(child) }
  await endGroup(child)
  throw new Error(`no Worker answers:\n${said.slice(-4000)}`)
}
