import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

const POLL_MS = 200
/** Bounds what hangs, not what is slow: wrangler bundles first, and other programs run beside. */
const READY_WITHIN_MS = 90_000

/** What wrangler says when its server listens. With the port 0, it chooses one itself: no other program can take that first. */
export const WRANGLER_READY = /Ready on (http:\/\/[\w.]+:\d+)\s/

/**
 * Waits until a server that is another process says where it listens, and answers there. `undefined` if it ends, or the time does.
 * @param ready what it says then, to the end of the URL, which is the first group
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

/** Ends a process that was spawned `detached`, and all that it has spawned. */
export async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  try {
    process.kill(-child.pid, 'SIGTERM')
  } catch {
    return // it ended by itself
  }
  await ended
}
