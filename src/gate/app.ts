import { Hono } from 'hono'
import { resumableUploads } from '../resumable/app.ts'
import type { ResumableParts } from '../resumable/bindings.ts'
import { Gate, type GateParts } from './gate.ts'
import type { Origin } from './origin.ts'

/** What the Worker is made of. */
export interface WorkerParts extends GateParts {
  origin: Origin
  /** Where uploads wait that come in parts. */
  staging?: ResumableParts
}

/** The Worker: a gate before one origin. */
export function createGate({ origin, staging, ...parts }: WorkerParts): Hono {
  const gate = new Gate(parts)
  const app = new Hono()
  if (staging) app.route('/', resumableUploads(gate, origin, staging, parts.config))
  app.all('*', (c) => gate.answer(c, origin))
  return app
}
