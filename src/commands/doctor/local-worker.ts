import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { addressOf, endGroup, WRANGLER_READY } from '../child-server.ts'
import { wranglerPath } from '../init/provision.ts'
import { WranglerError } from '../stores.ts'

/** How much of wrangler's output is reported, in characters. */
const MAX_OUTPUT = 2000

/**
 * Starts the configured Worker on this machine and waits until it answers. @throws {WranglerError}
 */
export async function startLocalWorker(options: LocalOptions): Promise<LocalWorker> {
  const args = ['dev', '--config', options.config, '--ip', '127.0.0.1', '--port', '0']
  args.push('--inspector-port', '0', '--show-interactive-dev-session=false')
  args.push('--persist-to', options.persistTo)
  if (options.env !== undefined) args.push('--env', options.env)
  for (const [name, value] of Object.entries(options.vars)) args.push('--var', `${name}:${value}`)
  const child = spawn(process.execPath, [wranglerPath(), ...args], {
    cwd: dirname(options.config),
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1', WRANGLER_LOG: 'log' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // its own process group, so that all of it can be killed
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => void (said += text))
  const url = await addressOf(child, WRANGLER_READY)
  if (url !== undefined) return { url, stop: () => endGroup(child) }
  await endGroup(child)
  throw new WranglerError(`the Worker does not start on this machine:\n${said.slice(-MAX_OUTPUT)}`)
}

export interface LocalOptions {
  config: string
  env?: string
  persistTo: string
  /** Variables that replace the configured ones. */
  vars: Record<string, string>
}

/** A Worker that runs under `wrangler dev` until `stop`. */
export interface LocalWorker {
  url: string
  stop: () => Promise<void>
}
