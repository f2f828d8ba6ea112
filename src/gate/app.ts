import { Hono } from 'hono'
import { Gate, type GateParts } from './gate.ts'
import type { Origin } from './origin.ts'

/** What the Worker is made of. */
export interface WorkerParts extends GateParts {
  origin: Origin
}

/** The Worker: a gate before one origin. */
export function createGate({ origin, ...parts }: WorkerParts): Hono {
  const gate = new Gate(parts)
  const app = new Hono()
  app.all('*', (c) => gate.answer(c, origin))
  return app
}
