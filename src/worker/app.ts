import { Hono } from 'hono'
import { proxy } from '../doors/proxy/proxy.ts'
import { Uploads } from '../upload/uploads.ts'
import type { Feature } from './features.ts'
import type { WorkerParts } from './parts.ts'

/** The Worker: the doors of its features, then the proxy, which takes all other requests. */
export function createApp(parts: WorkerParts, features: readonly Feature[]): Hono {
  const uploads = new Uploads(parts)
  const routes = features.flatMap((feature) => feature.routes?.(parts) ?? [])
  const app = new Hono()
  for (const { door } of features) {
    const handlers = door?.({ ...parts, uploads }, routes)
    if (handlers) app.route('/', handlers)
  }
  const { config, origin, mayWatch } = parts
  return app.route('/', proxy({ uploads, config, ...(mayWatch && { mayWatch }) }, origin))
}
