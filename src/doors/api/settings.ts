import * as v from 'valibot'
import { BadConfigError } from '../../util/errors.ts'
import { type ApiKey, parseApiKeys, type Scope, SCOPES } from './keys.ts'
import { listOf, oneOf, optionalGroup, textLike } from '../../util/settings.ts'

/** A host name. `http` is for servers on loopback, such as those of tests. */
const TEAM_DOMAIN = /^((https:\/\/)?[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+|http:\/\/127\.0\.0\.1:\d+)$/
const TAG_WORDS = 'must be the audience tag of an application in Access'

const AccessSettings = optionalGroup(
  {
    teamDomain: v.optional(
      textLike(
        TEAM_DOMAIN,
        'must be a host name, such as my-team.cloudflareaccess.com',
        'Domain of a Cloudflare Access team, whose tokens are accepted like keys.',
      ),
    ),
    audience: v.optional(
      listOf(
        v.pipe(v.string(TAG_WORDS), v.regex(/^[\w.-]{1,128}$/, TAG_WORDS)),
        'Audience tags of the Access applications that protect the API.',
      ),
      [],
    ),
    scopes: v.optional(
      v.pipe(
        listOf(oneOf(SCOPES), 'Scopes granted to these tokens.'),
        v.minLength(1, `must have at least one of ${SCOPES.join(', ')}`),
      ),
      SCOPES,
    ),
  },
  'Tokens of Cloudflare Access that are accepted in place of a key.',
)

/** Verdicts and tickets on demand. */
export const ApiSettings = optionalGroup(
  {
    host: v.optional(
      textLike(
        /^[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*$/,
        'must be a host name',
        'Host name on which the API answers. Without it, the API answers on every host.',
      ),
    ),
    path: v.optional(
      textLike(
        /^(\/[\w.-]+)*$/,
        'must be a path such as /hashgate, without a slash at its end',
        'Prefix of the paths of the API.',
      ),
      '',
    ),
    access: AccessSettings,
  },
  'The API for verdicts and tickets: docs/api.md. Keys are the secret `API_KEYS`.',
)
export type ApiSettings = v.InferOutput<typeof ApiSettings>

/** Conflicts between settings of the API. */
export function apiProblems({ access }: ApiSettings): string[] {
  return (access.teamDomain === undefined) === (access.audience.length === 0)
    ? []
    : ['api.access.teamDomain and api.access.audience must be set together']
}

/** Who may use the API, and where it is. */
export interface ApiConfig {
  keys: readonly ApiKey[]
  access?: AccessConfig
  /** Host name on which it answers; any, if absent. */
  host?: string
  /** Prefix of its paths; may be empty. */
  path: string
}

/** Tokens of Cloudflare Access that are accepted in place of a key. */
export interface AccessConfig {
  /** Origin of the team's domain, which tokens name as their issuer. */
  issuer: string
  /** Audience tags of applications. */
  audiences: readonly string[]
  scopes: ReadonlySet<Scope>
}

/**
 * The API as configured; `undefined` if no one may use it.
 * @param secret API_KEYS
 * @throws {BadConfigError} the keys are invalid
 */
export function apiOf(
  { host, path, access }: ApiSettings,
  secret: string | undefined,
): ApiConfig | undefined {
  const keys = secret === undefined ? [] : parseApiKeys(secret)
  if (typeof keys === 'string') throw new BadConfigError([`API_KEYS ${keys}`])
  const { teamDomain, audience: audiences, scopes } = access
  if (keys.length === 0 && teamDomain === undefined) return undefined
  return {
    keys,
    path,
    ...(host !== undefined && { host: host.toLowerCase() }),
    ...(teamDomain !== undefined && {
      access: { issuer: issuerOf(teamDomain), audiences, scopes: new Set(scopes) },
    }),
  }
}

function issuerOf(teamDomain: string): string {
  return new URL(/^https?:/i.test(teamDomain) ? teamDomain : `https://${teamDomain}`).origin
}

/** Whether anyone may use the API. */
export function isApiOn({ access }: ApiSettings, hasKeys: boolean): boolean {
  return hasKeys || access.teamDomain !== undefined
}

/** Paths that the API takes from the origin on every host. */
export function apiPathsOf({ host, path }: ApiSettings): string[] {
  return host === undefined ? API_PATHS.map((one) => path + one) : []
}

/** Paths that the API answers at. */
const API_PATHS = [
  '/v1/verdict',
  '/v1/tickets',
  '/v1/openapi.json',
  '/h/hash',
  '/m/raw_lookup',
  '/m/lookup',
  '/m/compare',
  '/status',
]
