// The smallest Worker in front of an origin: what it costs is the platform's share.

export default {
  fetch(request: Request, env: { ORIGIN_URL: string }): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    return fetch(new Request(new URL(pathname + search, env.ORIGIN_URL), request))
  },
}
