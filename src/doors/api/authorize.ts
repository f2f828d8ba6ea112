import { ACCESS_HEADER, AccessVerifier } from './access.ts'
import { DeniedError } from './errors.ts'
import { KeySetUnavailableError } from './jwks.ts'
import type { ApiKey, Scope } from './keys.ts'
import type { ApiConfig } from './settings.ts'

const MAX_KEY_LENGTH = 1024

export function createAuthorizer({ keys, access }: ApiConfig): Authorize {
  const verifier = access && new AccessVerifier(access)
  return async ({ headers }) => {
    const key = await findKey(keys, bearerOf(headers))
    if (key) return key
    const token = headers.get(ACCESS_HEADER)
    if (access && verifier && token !== null) {
      const name = await verifier.verify(token).catch(unavailable)
      if (name !== undefined) return { name, scopes: access.scopes }
    }
    throw new DeniedError(401, 'A valid key is required.')
  }
}

/** The caller, and what it may do. */
export interface Caller {
  /** The key's name, or `access:` and the name in the token. */
  name: string
  scopes: ReadonlySet<Scope>
}

/**
 * Identifies the caller.
 * @throws {DeniedError} 401: unknown caller
 * @throws {DeniedError} 503: a token of Access cannot be verified right now; the cause is a KeySetUnavailableError
 */
export type Authorize = (request: Request) => Promise<Caller>

/** A check whether a caller may see how full an isolate is. */
export function createWatcherCheck(api: ApiConfig): (request: Request) => Promise<boolean> {
  const authorize = createAuthorizer(api)
  return (request) =>
    authorize(request).then(
      ({ scopes }) => scopes.has('health'),
      () => false,
    )
}

/** @throws {DeniedError} 403: the caller lacks the scope */
export function checkScope({ scopes }: Caller, scope: Scope | undefined): void {
  if (scope !== undefined && !scopes.has(scope))
    throw new DeniedError(403, `A key with the scope ${scope} is required.`)
}

/** The key in an Authorization header: `Bearer` and the key, or, as some clients of HMA send it, the key alone. */
function bearerOf(headers: Headers): string | undefined {
  const header = headers.get('authorization')?.trim() ?? ''
  const [, key] = /^(?:bearer\s+)?(\S+)$/i.exec(header) ?? []
  return key !== undefined && key.length <= MAX_KEY_LENGTH ? key : undefined
}

/** The key with the digest of this text. All keys are compared, each in constant time. */
async function findKey(
  keys: readonly ApiKey[],
  text: string | undefined,
): Promise<ApiKey | undefined> {
  if (text === undefined) return undefined
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  let found: ApiKey | undefined
  for (const key of keys) {
    if (crypto.subtle.timingSafeEqual(digest, key.digest)) found = key
  }
  return found
}

function unavailable(cause: unknown): never {
  if (!(cause instanceof KeySetUnavailableError)) throw cause
  throw new DeniedError(503, 'Tokens cannot be verified right now.', { cause })
}
