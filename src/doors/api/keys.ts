import { createHash } from 'node:crypto'
import { parseHex } from '../../util/bytes.ts'

/**
 * What a caller may do: ask for verdicts, look hashes up as in HMA, issue tickets for direct
 * uploads, or see how full an isolate is.
 */
export const SCOPES = ['verdict', 'lookup', 'tickets', 'health'] as const

export type Scope = (typeof SCOPES)[number]

/** A key that an operator has issued. The key itself is not known here. */
export interface ApiKey {
  /** Tells keys apart in events. */
  name: string
  scopes: ReadonlySet<Scope>
  /** SHA-256 of the key's text. */
  digest: Uint8Array<ArrayBuffer>
}

/** Most keys: each request is compared with all of them. */
export const MAX_KEYS = 100

/** Prefix of a key, so that scanners find one that was published by mistake. */
const PREFIX = 'hgk_'
const KEY_BYTES = 32

const LINE = /^([\w.-]{1,64})\s+([a-z,]+)\s+sha256:([0-9a-f]{64})$/i

export function isKeyName(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text)
}

/**
 * Reads API_KEYS: one key a line, or separated by semicolons. A line has a name, scopes separated
 * by commas, and `sha256:` with the digest of the key. Empty lines and lines that begin with # are
 * ignored. Returns what is wrong, if anything is, without quoting the text, which may contain a
 * key.
 */
export function parseApiKeys(text: string): ApiKey[] | string {
  const keys: ApiKey[] = []
  for (const [i, part] of text.split(/[\n;]/).entries()) {
    const line = part.trim()
    if (line === '' || line.startsWith('#')) continue
    const key = parseLine(line)
    if (!key) {
      return `must have lines of a name, scopes (any of ${SCOPES.join(', ')}, separated by commas) and sha256: with 64 hex digits; line ${i + 1} is invalid`
    }
    if (keys.some(({ name }) => name === key.name))
      return `must name each key once; line ${i + 1} repeats a name`
    if (keys.some(({ digest }) => key.digest.every((byte, at) => byte === digest[at])))
      return `must list each key once; line ${i + 1} repeats a key`
    keys.push(key)
  }
  if (keys.length === 0) return 'must have at least one key'
  return keys.length > MAX_KEYS ? `must have at most ${MAX_KEYS} keys` : keys
}

function parseLine(line: string): ApiKey | undefined {
  const [, name, scopesText = '', hex = ''] = LINE.exec(line) ?? []
  const scopes = parseScopes(scopesText)
  const digest = parseHex(hex, 32)
  return name !== undefined && scopes && digest ? { name, scopes, digest } : undefined
}

/** Reads scopes separated by commas; `undefined` if one is unknown, or there is none. */
export function parseScopes(text: string): ReadonlySet<Scope> | undefined {
  const names = text.split(',').map((name) => name.trim())
  const scopes = SCOPES.filter((scope) => names.includes(scope))
  return scopes.length > 0 && names.every((name) => SCOPES.some((scope) => scope === name))
    ? new Set(scopes)
    : undefined
}

/** Makes a new key, and its line for API_KEYS. */
export function generateApiKey(
  name: string,
  scopes: ReadonlySet<Scope>,
): { key: string; line: string } {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  const key = PREFIX + Buffer.from(bytes).toString('base64url')
  const digest = createHash('sha256').update(key).digest('hex')
  return { key, line: `${name} ${[...scopes].join(',')} sha256:${digest}` }
}
