import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import type { Hono } from 'hono'
import { modules } from '../../src/core/workerd.ts'
import { createGate, type GateEvent, type GateParts } from '../../src/gate/app.ts'
import { readConfig } from '../../src/gate/config.ts'
import type { VerdictEvent } from '../../src/gate/events.ts'
import { kvStore } from './stores.ts'

/** What the origin was sent. */
export interface Forwarded {
  request: Request
  body: Uint8Array | undefined
}

/** A gate in this isolate, with the list in its KV, before an origin that keeps what it is sent. */
export interface LocalGate {
  gate: Hono
  forwarded: Forwarded[]
  events: GateEvent[]
  verdicts: () => VerdictEvent[]
  /** Sends a request, and waits for all that follows from it. */
  send: (body: BodyInit | null, init?: RequestInit & { url?: string }) => Promise<Response>
}

export function localGate(vars: object = {}, parts: Partial<GateParts> = {}): LocalGate {
  const forwarded: Forwarded[] = []
  const events: GateEvent[] = []
  const gate = createGate({
    config: readConfig(vars),
    modules,
    store: kvStore(),
    origin: {
      forward: async (request, body) => {
        const bytes = body && new Uint8Array(await new Response(body).arrayBuffer())
        forwarded.push({ request, body: bytes })
        return new Response('from the origin', { status: 201, headers: { 'x-origin': 'yes' } })
      },
    },
    onEvent: (event) => events.push(event),
    ...parts,
  })
  return {
    gate,
    forwarded,
    events,
    verdicts: () => events.filter((event) => event.event === 'verdict'),
    send: async (body, { url = 'https://files.example/a/b?c=d', ...init } = {}) => {
      const context = createExecutionContext()
      const request = new Request(url, { method: 'POST', body, ...init })
      const response = await gate.fetch(request, {}, context)
      await waitOnExecutionContext(context)
      return response
    },
  }
}
