import * as v from 'valibot'
import { type ApiKey, parseApiKeys, parseScopes, type Scope, SCOPES } from './keys.ts'

/** Who may use the API, and where it is. */
export interface ApiConfig {
  keys: readonly ApiKey[]
  access?: AccessConfig
  /** Host name on which it answers; any, if absent. */
  host?: string
  /** What its paths begin with; may be empty. */
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

/** A host name. `http` is for servers on loopback, as tests have them. */
const TEAM_DOMAIN = /^((https:\/\/)?[a-z0-9-]+(\.[a-z0-9-]+)+|http:\/\/127\.0\.0\.1:\d+)$/i

/** Settings of the API, by the names of environment variables. */
export const API_SETTINGS = {
  /** Secret: who may ask, a line for each key. */
  API_KEYS: v.optional(
    v.pipe(
      v.string('must be text'),
      v.rawTransform<string, ApiKey[]>(({ dataset, addIssue, NEVER }) => {
        const keys = parseApiKeys(dataset.value)
        if (typeof keys !== 'string') return keys
        addIssue({ message: keys })
        return NEVER
      }),
    ),
  ),
  /** Domain of a team of Cloudflare Access, whose tokens are accepted too. */
  ACCESS_TEAM_DOMAIN: v.optional(
    v.pipe(
      v.string('must be text'),
      v.regex(TEAM_DOMAIN, 'must be a host name, such as my-team.cloudflareaccess.com'),
      v.transform((text) => new URL(/^https?:/i.test(text) ? text : `https://${text}`).origin),
    ),
  ),
  /** Audience tags of the applications in Access that stand before the API. */
  ACCESS_AUDIENCE: v.optional(
    v.pipe(
      v.string('must be text'),
      v.transform((text) => text.split(',').map((tag) => tag.trim())),
      v.array(
        v.pipe(
          v.string(),
          v.regex(/^[\w.-]{1,128}$/, 'must be audience tags, with commas between'),
        ),
      ),
    ),
  ),
  /** What callers with a token of Access may do. */
  ACCESS_SCOPES: v.optional(
    v.pipe(
      v.string('must be text'),
      v.transform((text) => parseScopes(text)),
      v.custom<ReadonlySet<Scope>>(
        (scopes) => scopes !== undefined,
        `must be some of ${SCOPES.join(', ')}, with commas between`,
      ),
    ),
    SCOPES.join(','),
  ),
  /** Host name on which the API answers, so that its paths stay the origin's on others. */
  API_HOST: v.optional(
    v.pipe(
      v.string('must be text'),
      v.regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i, 'must be a host name'),
      v.toLowerCase(),
    ),
  ),
  /** What the paths of the API begin with, for the same reason. */
  API_PATH: v.optional(
    v.pipe(
      v.string('must be text'),
      v.regex(/^(\/[\w.-]+)*$/, 'must be a path such as /hashgate, without a slash at its end'),
    ),
    '',
  ),
}

type ApiVars = v.InferOutput<v.ObjectSchema<typeof API_SETTINGS, undefined>>

/** The API as it is configured; `undefined` if nobody may use it. Returns what is wrong, if something is. */
export function readApiConfig(vars: ApiVars): ApiConfig | undefined | string {
  const { API_KEYS, ACCESS_TEAM_DOMAIN, ACCESS_AUDIENCE, ACCESS_SCOPES, API_HOST } = vars
  if ((ACCESS_TEAM_DOMAIN === undefined) !== (ACCESS_AUDIENCE === undefined))
    return 'ACCESS_TEAM_DOMAIN and ACCESS_AUDIENCE must be set together'
  const access = ACCESS_TEAM_DOMAIN !== undefined &&
    ACCESS_AUDIENCE && {
      access: { issuer: ACCESS_TEAM_DOMAIN, audiences: ACCESS_AUDIENCE, scopes: ACCESS_SCOPES },
    }
  if (!API_KEYS && !access) return undefined
  const path = vars.API_PATH
  return {
    keys: API_KEYS ?? [],
    path,
    ...access,
    ...(API_HOST !== undefined && { host: API_HOST }),
  }
}
