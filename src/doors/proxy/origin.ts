import { BadConfigError } from '../../util/errors.ts'
import { fitsOf, placeOf } from '../../policy/routes.ts'
import type { Policy, RoutePolicy } from '../../policy/schema.ts'
import { type Origin, withBody } from '../../upload/origin.ts'
import { answerWithoutOrigin } from './without-origin.ts'

/**
 * The configured origins: those of routes, and for all else a URL, a service binding or a bucket.
 * If none is set, it is the server behind the Worker's own route.
 * @throws {BadConfigError} more than one is set for all else
 */
export function chooseOrigin({ origin, policy }: OriginChoice, bindings: OriginBindings): Origin {
  return originByRoute(policy?.routes ?? [], mainOrigin(origin?.url, bindings))
}

/** Bindings that may be an origin. */
export interface OriginBindings {
  /** A service binding: another Worker. */
  ORIGIN?: Fetcher
  /** A bucket: PUT and POST store the body under the path, GET, HEAD and DELETE find it there. For trying things out. */
  ORIGIN_BUCKET?: R2Bucket
}

/** Settings that say where requests go. */
export interface OriginChoice {
  /** `url`: the variable ORIGIN_URL. */
  origin?: { url?: URL }
  policy?: Pick<Policy, 'routes'>
}

/**
 * Sends each request to the origin of the first route that fits it, or to the main origin if that
 * route names none.
 */
function originByRoute(routes: readonly RoutePolicy[], main: Origin): Origin {
  if (routes.every(({ origin }) => origin === undefined)) return main
  const choices = routes.map((route) => ({
    fits: fitsOf(route),
    origin: route.origin === undefined ? main : urlOrigin(new URL(route.origin)),
  }))
  const chosen = ({ method, url }: Request): Origin => {
    const { hostname, pathname } = placeOf(url)
    return choices.find(({ fits }) => fits(method, hostname, pathname))?.origin ?? main
  }
  return {
    forward: (request, body) => chosen(request).forward(request, body),
    hostFor: (request) => chosen(request).hostFor?.(request),
  }
}

/** @throws {BadConfigError} more than one is set */
function mainOrigin(url: URL | undefined, bindings: OriginBindings): Origin {
  const chosen = [
    url && { name: 'ORIGIN_URL', origin: urlOrigin(url) },
    bindings.ORIGIN && { name: 'ORIGIN', origin: serviceOrigin(bindings.ORIGIN) },
    bindings.ORIGIN_BUCKET && {
      name: 'ORIGIN_BUCKET',
      origin: bucketOrigin(bindings.ORIGIN_BUCKET),
    },
  ].filter((choice) => choice !== undefined)
  const [first, ...others] = chosen
  if (others.length > 0) {
    throw new BadConfigError([
      `only one origin may be set, but there are ${chosen.map(({ name }) => name).join(', ')}`,
    ])
  }
  return first?.origin ?? routeOrigin
}

/** The server behind the route that the Worker is on. */
const routeOrigin: Origin = {
  forward: async (request, body) => {
    const { hostname } = new URL(request.url)
    return isOwnHost(hostname) ? answerWithoutOrigin(request) : fetch(withBody(request, body))
  },
}

/** Hosts that lead only to this Worker, which would call itself forever. No route is on them. */
function isOwnHost(hostname: string): boolean {
  return /^(localhost|\d+\.\d+\.\d+\.\d+|\[.+\])$|\.workers\.dev$/.test(hostname)
}

/** Another server: path and query stay, scheme, host and port change. */
function urlOrigin(base: URL): Origin {
  return {
    hostFor: () => base.host,
    forward(request, body) {
      const url = new URL(request.url)
      url.protocol = base.protocol
      url.hostname = base.hostname
      url.port = base.port
      return fetch(new Request(url, withBody(request, body)))
    },
  }
}

function serviceOrigin(service: Fetcher): Origin {
  return {
    forward: (request, body) => service.fetch(withBody(request, body)),
  }
}

/** A bucket that answers like a simple file server. */
function bucketOrigin(bucket: R2Bucket): Origin {
  return {
    async forward(request, body) {
      const key = decodeURIComponent(new URL(request.url).pathname.slice(1))
      if (request.method === 'PUT' || request.method === 'POST') {
        const contentType = request.headers.get('content-type')
        const content = body ?? (await request.arrayBuffer())
        await bucket.put(
          key,
          content,
          contentType === null ? {} : { httpMetadata: { contentType } },
        )
        return new Response(null, { status: 201 })
      }
      if (request.method === 'DELETE') {
        await bucket.delete(key)
        return new Response(null, { status: 204 })
      }
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return new Response(null, { status: 405 })
      return serveObject(request.method, await bucket.get(key))
    },
  }
}

function serveObject(method: string, object: R2ObjectBody | null): Response {
  if (!object) return new Response(null, { status: 404 })
  const headers = new Headers({ etag: object.httpEtag, 'content-length': String(object.size) })
  object.writeHttpMetadata(headers)
  return new Response(method === 'HEAD' ? null : object.body, { headers })
}
