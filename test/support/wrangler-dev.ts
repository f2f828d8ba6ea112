import { spawn } from 'node:child_process'
import { answers, endGroup, freePort } from '../../src/commands/child-server.ts'

/** A Worker under `wrangler dev`, or something that runs it. */
export interface Running {
  url: string
  stop: () => Promise<void>
}

/** Starts wrangler, or another program that takes --port, and waits until the Worker answers. */
export async function startWrangler(
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
  program = `${options.cwd}/node_modules/.bin/wrangler`,
): Promise<Running> {
  // Another program may take the port before it is listened on.
  for (let triesLeft = 2; ; triesLeft--) {
    try {
      return await tryWrangler(args, options, program)
    } catch (error) {
      if (triesLeft === 0 || !/address already in use/i.test(String(error))) throw error
    }
  }
}

async function tryWrangler(
  args: string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
  program: string,
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
  const running = { url, stop: () => endGroup(child) }
  if (isReady) return running
  await running.stop()
  throw new Error(`nothing answers at ${url}:\n${said.slice(-4000)}`)
}
