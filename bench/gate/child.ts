import { type ChildProcess, fork } from 'node:child_process'

/** A server in its own process. */
export interface Child {
  process: ChildProcess
  url: string
}

/** Starts a server from this folder. */
export async function startChild(file: string, ...args: string[]): Promise<Child> {
  const child = fork(new URL(file, import.meta.url), args)
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port))
    child.once('exit', () => reject(new Error(`${file} ended`)))
  })
  return { process: child, url: `http://127.0.0.1:${port}` }
}
