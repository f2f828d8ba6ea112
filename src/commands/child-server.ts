import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

const POLL_MS = 200
/** Bounds what hangs, not what is slow: wrangler bundles first, and other programs run beside. */
const READY_WITHIN_MS = 90_000

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Whether nothing listens on a port of loopback. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Waits until a server answers that a process is to run. False if the process ends, or the time does. */
export async function answers(url: string, child: ChildProcess): Promise<boolean> {
  const limit = Date.now() + READY_WITHIN_MS
  while (Date.now() < limit && child.exitCode === null) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    )
    if (isThere) return true
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return false
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
