// Routes with origins of their own: the Worker in workerd, in front of three servers.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture } from '../../support/fixtures.ts'
import { type GateHarness, startGate } from '../../support/gate-harness.ts'

const NAMES = ['main', 'media', 'avatars'] as const
type Name = (typeof NAMES)[number]

const servers: Server[] = []
/** What each origin has got. */
const got: Record<Name, string[]> = { main: [], media: [], avatars: [] }
let gate: GateHarness

async function start(name: Name): Promise<string> {
  const server = createServer((request, response) => {
    void answer(name, request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function answer(name: Name, request: IncomingMessage, response: ServerResponse) {
  const { length } = await buffer(request)
  got[name].push(`${request.method} ${request.url} ${length}`)
  response.end(name)
}

beforeAll(async () => {
  const [main, media, avatars] = await Promise.all(NAMES.map(start))
  const routes = [
    { paths: ['/media/avatars/*'], origin: avatars, maxBodyBytes: 1_000_000 },
    { paths: ['/media/*'], origin: `${media}/` },
    { paths: ['/static/*'], gated: false },
  ]
  gate = await startGate({ ORIGIN_URL: main, policy: { routes } }, [fixture('jpeg')])
})

afterAll(async () => {
  await gate.close()
  for (const server of servers) server.close()
})

const ask = (path: string, init: RequestInit = {}) => fetch(new URL(path, gate.url), init)
const put = (path: string, body: Uint8Array<ArrayBuffer>) => ask(path, { method: 'PUT', body })

describe('a route with an origin of its own', () => {
  it('sends its requests there, and others to the main origin', async () => {
    const file = fixture('otherJpeg')
    for (const [path, name] of [
      ['/media/a?b=c', 'media'],
      ['/media/avatars/a', 'avatars'],
      ['/elsewhere', 'main'],
      ['/static/a', 'main'],
    ] as const) {
      expect(await (await put(path, file)).text()).toBe(name)
      expect(got[name].at(-1)).toBe(`PUT ${path} ${file.length}`)
      expect(await (await ask(path)).text()).toBe(name)
      expect(got[name].at(-1)).toBe(`GET ${path} 0`)
    }
  })

  it('gets nothing that is refused, and neither does another', async () => {
    const before = JSON.stringify(got)
    expect((await put('/media/avatars/a', fixture('jpeg'))).status).toBe(451)
    expect((await put('/media/..%2felsewhere', fixture('otherJpeg'))).status).toBe(400)
    expect(JSON.stringify(got)).toBe(before)
  })

  it('is the one of the path as it is written, for what is not judged', async () => {
    expect(await (await ask('/media/..%2felsewhere')).text()).toBe('media')
    expect(await (await ask('/MEDIA/a')).text()).toBe('media')
  })
})
