import { type Context, Hono } from 'hono'
import type { Config } from '../config/config.ts'
import type { Gate } from '../gate/gate.ts'
import type { Origin } from './proxy/origin.ts'
import type { FinishingTools } from '../upload/staging/finish.ts'
import type { ResumableParts } from './s3/bindings.ts'
import { s3Server } from './s3/s3.ts'
import { signedOrigin } from './s3/sigv4.ts'
import { tusServer } from './tus/tus.ts'

/** Takes uploads that come in parts; what is whole goes through the gate as one request. All else is left to who is asked next. */
export function resumableUploads(
  gate: Gate,
  target: Origin,
  { s3, ...staging }: ResumableParts,
  config: Config,
): Hono {
  const toolsFor = (c: Context, to = target): FinishingTools => ({
    ...staging,
    target: to,
    bytes: gate.bytes,
    maxStallMs: config.maxStallMs,
    maxOriginMs: config.maxOriginMs,
    judge: async (request, origin) => {
      const app = new Hono()
      app.all('*', (inner) => gate.answer(inner, origin))
      return app.fetch(request, c.env, c.executionCtx)
    },
  })
  const app = new Hono()
  const common = {
    maxAgeMs: config.stagingMs,
    maxBytesOf: (request: Pick<Request, 'method' | 'url'>) => gate.maxBodyBytes(request),
  }
  if (config.tusPath !== '') {
    const { tusPath: path, tusOriginPath: originPath, tusCorsOrigins: corsOrigins } = config
    app.route('/', tusServer({ ...common, path, originPath, corsOrigins, toolsFor }))
  }
  if (s3) {
    const { clientKeys: keys, originKey } = s3
    const to = originKey
      ? signedOrigin(target, originKey, config.s3Region, config.originUrl)
      : target
    app.route('/', s3Server({ ...common, keys, toolsFor: (c) => toolsFor(c, to) }))
  }
  return app
}
