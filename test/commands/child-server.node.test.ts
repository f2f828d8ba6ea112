import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { addressOf, endGroup } from '../../src/commands/child-server.ts'

const READY = /listens at (http:\/\/127\.0\.0\.1:\d+)\s/

/** A process that runs a script. */
const run = (script: string) => spawn(process.execPath, ['-e', script], { detached: true })

it('a server that chooses its port is found by what it says, in any chunks', async () => {
  const child = run(`
    const server = require('node:http').createServer((_, response) => response.end('mine'))
    server.listen(0, '127.0.0.1', async () => {
      for (const letter of 'it listens at http://127.0.0.1:' + server.address().port + '\\n') {
        process.stdout.write(letter)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })`)
  try {
    const url = await addressOf(child, READY)
    expect(await (await fetch(url!)).text()).toBe('mine')
  } finally {
    await endGroup(child)
  }
})

it.each([
  ['ends', 'process.exit(1)'],
  ['is ended', "process.kill(process.pid, 'SIGKILL')"],
])('a server that %s before it listens has no address', async (_, script) => {
  expect(await addressOf(run(script), READY)).toBeUndefined()
})
