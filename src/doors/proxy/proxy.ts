import { type Context, Hono } from 'hono'
import type { Origin } from '../../upload/origin.ts'
import type { Uploads } from '../../upload/uploads.ts'
import { answerTo } from '../answer.ts'
import { readerOf } from '../reader.ts'
import { answerHealth } from './health.ts'
import type { HealthSettings } from './settings.ts'

/** The door for requests that no other door takes, on their way to an origin. */
export function proxy(deps: ProxyDeps, origin: Origin): Hono {
  const app = new Hono()
  app.all('*', (c) => answerThrough(c, deps, origin))
  return app
}

export interface ProxyDeps {
  uploads: Uploads
  config: { health: HealthSettings }
  /** Whether the caller may see how full the isolate is. If absent, no caller may. */
  mayWatch?: (request: Request) => Promise<boolean>
}

/** Answers a request. If it is allowed, the answer is the origin's. */
export async function answerThrough(
  c: Context,
  { uploads, config, mayWatch }: ProxyDeps,
  origin: Origin,
): Promise<Response> {
  const request = c.req.raw
  const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
  const { path: healthPath } = config.health
  const isHealthCheck =
    healthPath !== '' && request.method === 'GET' && new URL(request.url).pathname === healthPath
  if (isHealthCheck) {
    const isFull = (await mayWatch?.(request)) ?? false
    return answerHealth(uploads, isFull, waitUntil)
  }
  const reader = readerOf(c) // before anything changes the request
  const passage = await uploads.pass(request, { origin, waitUntil })
  return answerTo(passage, request, uploads, reader)
}
