import { decode, verifyWithJwks } from 'hono/jwt'
import * as v from 'valibot'
import { KeySetCache } from './jwks.ts'
import type { AccessConfig } from './settings.ts'

/** The header that Cloudflare Access puts its token in. */
export const ACCESS_HEADER = 'Cf-Access-Jwt-Assertion'

/** The algorithm that Access signs with. It is fixed, so that a token cannot choose. */
const ALGORITHM = 'RS256'
const MAX_TOKEN_LENGTH = 16 * 1024

const Header = v.object({ alg: v.literal(ALGORITHM), kid: v.string() })

/** Service tokens have a common_name. For people, `sub` identifies them without their address. */
const Claims = v.object({
  exp: v.number(),
  sub: v.optional(v.string()),
  common_name: v.optional(v.string()),
})

/** Verifies tokens of Cloudflare Access. */
export class AccessVerifier {
  readonly #config: AccessConfig
  readonly #keySet: KeySetCache

  constructor(config: AccessConfig) {
    this.#config = config
    this.#keySet = new KeySetCache(`${config.issuer}/cdn-cgi/access/certs`)
  }

  /**
   * The owner of a token; `undefined` if it is invalid. A valid token is signed with the team's
   * keys, for one of the audiences, and has not expired.
   * @throws {KeySetUnavailableError} the keys cannot be read
   */
  async verify(token: string): Promise<string | undefined> {
    const id = keyIdOf(token)
    if (id === undefined) return undefined
    const keys = await this.#keySet.keysFor(id)
    const claims = await this.#claimsOf(token, keys)
    if (!claims) return undefined
    return `access:${claims.common_name || claims.sub || 'unnamed'}`
  }

  async #claimsOf(token: string, keys: Parameters<typeof verifyWithJwks>[1]['keys'] & object) {
    const { issuer, audiences } = this.#config
    try {
      const claims = await verifyWithJwks(token, {
        keys: keys.filter(({ kty }) => kty === 'RSA'),
        allowedAlgorithms: [ALGORITHM],
        verification: { iss: issuer, aud: [...audiences] },
      })
      // `verifyWithJwks` accepts a token that never expires.
      const result = v.safeParse(Claims, claims)
      return result.success ? result.output : undefined
    } catch {
      return undefined
    }
  }
}

/** The key that a token says it is signed with; `undefined` if it is not a token of Access. */
function keyIdOf(token: string): string | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  try {
    const header = v.safeParse(Header, decode(token).header)
    return header.success ? header.output.kid : undefined
  } catch {
    return undefined
  }
}
