import { Hono } from 'hono'
import { describeError } from '../../util/errors.ts'
import type { Uploads } from '../../upload/uploads.ts'
import { type Authorize, checkScope, createAuthorizer } from './authorize.ts'
import { ApiError, DeniedError } from './errors.ts'
import { BadFieldsError } from './json-body.ts'
import { jsonAnswer, problemAnswer } from '../respond.ts'
import type { Call, Route } from './route.ts'
import { routesWith } from './routes.ts'
import type { ApiConfig } from './settings.ts'

/** Titles of problems by status. */
const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  413: 'Content too large',
  415: 'Unsupported media type',
  503: 'Service unavailable',
}

/** Verdicts and look-ups for callers with a key. Other requests go to the next handler. */
export function createApi({ api, uploads, routes: others }: ApiDeps): Hono {
  const all = routesWith(others, api.path)
  const authorize = createAuthorizer(api)
  const app = new Hono()
  for (const [path, routes] of Map.groupBy(all, (route) => route.path)) {
    app.all(api.path + path, async (c, next) => {
      const url = new URL(c.req.url)
      if (api.host !== undefined && url.hostname !== api.host) return next()
      const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
      return answerCall(routes, { request: c.req.raw, url, waitUntil, uploads }, authorize)
    })
  }
  return app
}

export interface ApiDeps {
  api: ApiConfig
  uploads: Uploads
  /** Routes beside those for verdicts. */
  routes: readonly Route[]
}

/** Answers a request for a path. Unauthenticated callers learn nothing, not even which methods there are. */
async function answerCall(
  routes: readonly Route[],
  call: Omit<Call, 'caller'>,
  authorize: Authorize,
): Promise<Response> {
  const method = call.request.method === 'HEAD' ? 'GET' : call.request.method
  const route = routes.find((one) => one.method === method)
  try {
    const caller = await authorize(call.request)
    if (!route) {
      checkScope(caller, routes[0]?.scope)
      const allow = routes.map((one) => one.method).join(', ')
      return problemAnswer({ title: 'Method not allowed', status: 405 }, { allow })
    }
    checkScope(caller, route.scope)
    return await route.handle({ ...call, caller })
  } catch (error) {
    if (!(error instanceof ApiError) || error.cause !== undefined) reportError(call, error)
    return errorAnswer(error, route)
  }
}

function errorAnswer(error: unknown, route: Route | undefined): Response {
  const { status, message } =
    error instanceof ApiError ? error : new ApiError(500, 'Something broke.')
  if (route?.errors === 'message' && !(error instanceof DeniedError))
    return jsonAnswer({ message }, status)
  const headers = status === 401 ? { 'www-authenticate': 'Bearer realm="hashgate"' } : undefined
  const problem = { title: TITLES[status] ?? 'Internal server error', status, detail: message }
  const issues = error instanceof BadFieldsError ? { errors: error.issues } : {}
  return problemAnswer({ ...problem, ...issues }, headers)
}

function reportError({ request, url, uploads }: Omit<Call, 'caller'>, error: unknown): void {
  const { cause } = error instanceof ApiError ? error : { cause: undefined }
  const { method } = request
  const described = describeError(cause ?? error)
  uploads.report({ event: 'api-error', error: described, method, path: url.pathname })
}
