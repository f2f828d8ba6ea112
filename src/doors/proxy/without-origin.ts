/** Answers on a host without an origin: someone is trying the Worker, or has not set it up yet. */
export function answerWithoutOrigin(request: Request): Response {
  const { hostname, pathname, origin } = new URL(request.url)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const isAsking = isRead && pathname === '/'
  const text = isAsking ? stateOf(hostname, origin) : missing(hostname)
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  return new Response(request.method === 'HEAD' ? null : text, {
    status: isAsking ? 200 : 502,
    headers,
  })
}

function missing(hostname: string): string {
  return `hashgate let this request pass, but there is no origin for ${hostname}: set ORIGIN_URL, or bind ORIGIN or ORIGIN_BUCKET.\n`
}

function stateOf(hostname: string, origin: string): string {
  const about = 'hashgate is running. It has no origin yet: requests that it allows get 502.\n'
  return hostname.endsWith('.workers.dev') ? about : about + firstSteps(origin)
}

/** The answer to someone who runs `wrangler dev` in a checkout. */
function firstSteps(origin: string): string {
  return `
Publish a list of two pictures that the project made itself:
  npx hashgate list push examples/list.csv --bank demo

Upload one of them (451, refused), and another file (502, allowed):
  curl -i -T examples/known.jpg ${origin}/
  curl -i -T README.md ${origin}/

State of the list:   ${origin}/healthz
Set an origin:       ORIGIN_URL in wrangler.toml; see README.md
With a page to drop pictures on, and a bucket as its origin: npm run dev
`
}
