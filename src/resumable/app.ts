import { type Context, Hono } from 'hono'
import type { Config } from '../gate/config.ts'
import type { Gate } from '../gate/gate.ts'
import type { Origin } from '../gate/origin.ts'
import type { FinishingTools } from './finish.ts'
import type { Staging } from './tools.ts'
import { tusServer } from './tus.ts'

/** Takes uploads that come in parts; what is whole goes through the gate as one request. All else is left to who is asked next. */
export function resumableUploads(
  gate: Gate,
  target: Origin,
  staging: Staging,
  config: Config,
): Hono {
  const toolsFor = (c: Context): FinishingTools => ({
    ...staging,
    target,
    bytes: gate.bytes,
    maxStallMs: config.maxStallMs,
    maxOriginMs: config.maxOriginMs,
    judge: async (request, origin) => {
      const app = new Hono()
      app.all('*', (inner) => gate.answer(inner, origin))
      return app.fetch(request, c.env, c.executionCtx)
    },
  })
  return tusServer({
    path: config.tusPath,
    originPath: config.tusOriginPath,
    corsOrigins: config.tusCorsOrigins,
    maxAgeMs: config.stagingMs,
    maxBytesOf: (request) => gate.maxBodyBytes(request),
    toolsFor,
  })
}
