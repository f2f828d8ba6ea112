import { HashgateError } from '../util/errors.ts'
import type { Policy, RoutePolicy } from './schema.ts'

/** A path that an origin may read as that of another route. */
export class AmbiguousPathError extends HashgateError {
  readonly code = 'ambiguous-path'

  constructor() {
    super('different readings of the path lead to different routes')
  }
}

export interface RouteSettings {
  policy: Pick<Policy, 'routes' | 'mode' | 'onUnscannable' | 'onFailed'>
  upload: { maxBodyBytes: number }
  body: { maxFiles: number }
}

/** What applies to a request. */
export interface ChosenRoute<Settings extends RouteSettings = RouteSettings> {
  config: Settings
  /** Whether it is gated; `undefined`: its method decides. */
  isGated: boolean | undefined
  /** Whether it is judged in shadow mode, so that nothing changes for the uploader. */
  isShadow: boolean
  label: 'public' | 'private' | undefined
}

/** Whether a request belongs to a route. */
export type Fits = (method: string, hostname: string, pathname: string) => boolean

interface RouteMatcher<Settings extends RouteSettings> {
  fits: Fits
  route: ChosenRoute<Settings>
}

/** Chooses what applies to requests, by the operator's routes. */
export class Router<Settings extends RouteSettings> {
  readonly #matchers: readonly RouteMatcher<Settings>[]
  readonly #default: ChosenRoute<Settings>

  constructor(config: Settings) {
    const { routes, mode } = config.policy
    this.#default = { config, isGated: undefined, isShadow: mode === 'shadow', label: undefined }
    this.#matchers = routes.map((route) => matcherOf(route, config))
  }

  /**
   * The first route that fits a request. `undefined` if that depends on how an origin reads the
   * path: such a request may be written to escape the rules that are meant for it.
   */
  choose({ method, url }: { method: string; url: string }): ChosenRoute<Settings> | undefined {
    const { hostname, pathname } = placeOf(url)
    const routes = readingsOf(pathname).map((path) => this.#find(method, hostname, path))
    return new Set(routes).size === 1 ? routes[0] : undefined
  }

  #find(method: string, hostname: string, pathname: string): ChosenRoute<Settings> {
    const matcher = this.#matchers.find(({ fits }) => fits(method, hostname, pathname))
    return matcher?.route ?? this.#default
  }
}

/** Host and path of a request, as routes compare them. */
export function placeOf(url: string): { hostname: string; pathname: string } {
  const { hostname, pathname } = new URL(url)
  return { hostname: hostname.replace(/\.$/, ''), pathname } // a trailing dot makes no other host
}

/** The test whether a request belongs to a route. */
export function fitsOf({
  hosts,
  paths,
  methods,
}: Pick<RoutePolicy, 'hosts' | 'paths' | 'methods'>): Fits {
  const hostPatterns = hosts?.map((hostname) => new URLPattern({ hostname }))
  // Case is ignored, because some origins ignore it.
  const pathPatterns = paths?.map((pathname) => new URLPattern({ pathname }, { ignoreCase: true }))
  return (method, hostname, pathname) =>
    (methods?.some((one) => one === method) ?? true) &&
    (hostPatterns?.some((pattern) => pattern.test({ hostname })) ?? true) &&
    (pathPatterns?.some((pattern) => pattern.test({ pathname })) ?? true)
}

function matcherOf<Settings extends RouteSettings>(
  policy: RoutePolicy,
  config: Settings,
): RouteMatcher<Settings> {
  const { gated, mode = config.policy.mode, label } = policy
  const { onUnscannable = config.policy.onUnscannable, onFailed = config.policy.onFailed } = policy
  const { maxBodyBytes = config.upload.maxBodyBytes, maxFiles = config.body.maxFiles } = policy
  return {
    fits: fitsOf(policy),
    route: {
      config: {
        ...config,
        policy: { ...config.policy, onUnscannable, onFailed },
        upload: { ...config.upload, maxBodyBytes },
        body: { ...config.body, maxFiles, skipFields: policy.skipFields, accept: policy.accept },
      },
      isGated: gated,
      isShadow: mode === 'shadow',
      label,
    },
  }
}

/** Most times that an origin may unescape a path. */
const MAX_DECODINGS = 3

/** How origins may read a path: unescaped 0 to 3 times, each as it is or with segments resolved. */
function readingsOf(pathname: string): string[] {
  const unescaped = [pathname]
  for (let i = 0; i < MAX_DECODINGS; i++) unescaped.push(decode(unescaped[i] ?? ''))
  return [...new Set(unescaped.flatMap((path) => [literal(path), resolved(path)]))]
}

/** A path for origins that do not resolve it. URLPattern resolves dot segments unless renamed. */
function literal(path: string): string {
  return path.replace(/(?<=^|[/\\])(?:\.|%2e){1,2}(?=$|[/\\])/gi, '\uFFFD')
}

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/**
 * Unescapes a path. Bytes that are not UTF-8 become U+FFFD and do not hide their neighbours:
 * origins that read paths as bytes also unescape the slash of `%ff%2f`.
 */
function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    decoder.decode(Buffer.from(escapes.replaceAll('%', ''), 'hex')),
  )
}

function resolved(path: string): string {
  const segments: string[] = []
  for (const segment of path.split(/[/\\]+/)) {
    const [name = ''] = segment.split(';')
    if (name === '..') segments.pop()
    else if (name !== '.' && name !== '') segments.push(name)
  }
  return `/${segments.join('/')}${/[/\\]$/.test(path) && segments.length > 0 ? '/' : ''}`
}
