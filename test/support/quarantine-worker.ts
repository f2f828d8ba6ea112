// A Worker that quarantines what it is sent, with the settings and the bucket that a gate has.

import { env } from 'cloudflare:workers'
import { readConfig } from '../../src/config/config.ts'
import { quarantineOf, type QuarantineBindings } from '../../src/quarantine/bindings.ts'

const quarantine = quarantineOf(readConfig(env).quarantine, env as QuarantineBindings)

export default {
  async fetch(request) {
    const body = new Uint8Array(await request.arrayBuffer())
    const { host, pathname } = new URL(request.url)
    const facts = {
      caseId: crypto.randomUUID(),
      method: request.method,
      host,
      path: pathname,
      contentType: request.headers.get('content-type') ?? '',
      files: [{ matches: [{ bank: 'csam', entry: 'entry-1', distance: 3 }] }],
    }
    const kept = await quarantine?.keep(facts, { length: body.length, chunks: () => [body] })
    return Response.json({ ...kept, caseId: facts.caseId })
  },
} satisfies ExportedHandler
