import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

const POLL_MS = 200
/** Only catches a hung process: wrangler bundles first, and the machine may be busy. */
const READY_WITHIN_MS = 180_000

/**
 * What wrangler prints when its server listens. With port 0 it chooses a port itself, which no
 * other program can take first.
 */
export const WRANGLER_READY = /Ready on (http:\/\/[\w.]+:\d+)\s/

/**
 * Waits until the server of a child process prints where it listens, and answers there. `undefined`
 * if the process exits or time runs out.
 * @param ready matches that output up to the end of the URL, which is the first group
 */
export async function addressOf(child: ChildProcess, ready: RegExp): Promise<string | undefined> {
  const limit = Date.now() + READY_WITHIN_MS
  let said = ''
  let url: string | undefined
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said = url === undefined ? said + text : ''
      url ??= ready.exec(said)?.[1]
    })
  while (Date.now() < limit && child.exitCode === null && child.signalCode === null) {
    if (url !== undefined && (await isAnswered(url))) return url
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return undefined
}

function isAnswered(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}

/** Ends a process that was spawned `detached`, with all its children. */
export async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  try {
    process.kill(-child.pid, 'SIGTERM')
  } catch {
    return // it exited by itself
  }
  await ended
}
