// Behind the Worker, an application of a framework that parses forms itself: what it is handed is what was sent.

import { createHash } from 'node:crypto'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GateHarness, startGate } from '../../support/gate-harness.ts'
import { randomBytes } from '../../support/random.ts'
import { picture } from '../../support/sharp-images.ts'

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

let server: ServerType
let worker: GateHarness
let known: Buffer
let unrelated: Buffer
let requests = 0

beforeAll(async () => {
  const app = new Hono()
  app.post('/upload', async (c) => {
    requests++
    const form = await c.req.formData()
    const fields = await Promise.all(
      [...form.entries()].map(async ([name, value]) =>
        typeof value === 'string'
          ? [name, value]
          : [name, value.name, digest(new Uint8Array(await value.arrayBuffer()))],
      ),
    )
    return c.json(fields)
  })
  const port = await new Promise<number>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, (info) =>
      resolve(info.port),
    )
  })
  known = await picture(640, 480, 3, 1).jpeg().toBuffer()
  unrelated = await picture(640, 480, 3, 2).jpeg().toBuffer()
  const vars = { ORIGIN_URL: `http://127.0.0.1:${port}`, upload: { maxBufferedBytes: 1_000_000 } }
  worker = await startGate(vars, [known])
})

afterAll(async () => {
  await worker.close()
  await new Promise((resolve) => server.close(resolve))
})

function upload(form: FormData): Promise<Response> {
  requests = 0
  return fetch(new URL('/upload', worker.url), { method: 'POST', body: form })
}

function formOf(...files: Uint8Array[]): FormData {
  const form = new FormData()
  form.set('title', 'a title\r\nwith lines, "quotes" and ü')
  for (const [i, file] of files.entries()) {
    form.append('files[]', new File([new Uint8Array(file)], `写真 "${i}".jpg`))
  }
  form.set('empty', '')
  return form
}

describe('a framework behind the gate', () => {
  it.each([
    ['short', 1000],
    ['long', 2_000_000],
  ])('parses the forms that were sent: %s', async (_, bytes) => {
    const other = randomBytes(bytes, 1)
    const answer = await upload(formOf(unrelated, other))
    expect(await answer.json()).toEqual([
      ['title', 'a title\r\nwith lines, "quotes" and ü'],
      ['files[]', '写真 "0".jpg', digest(unrelated)],
      ['files[]', '写真 "1".jpg', digest(other)],
      ['empty', ''],
    ])
  })

  it('never answers a form that is blocked', async () => {
    const answer = await upload(formOf(unrelated, known))
    expect([answer.status, requests]).toEqual([451, 0])
  })
})
