import { Hono } from 'hono'
import { createApi } from '../api/app.ts'
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
  if (parts.config.api) app.route('/', createApi(parts.config.api, gate))
  app.all('*', (c) => gate.answer(c, origin))
  return app
}
