import * as v from 'valibot'
import { formatHash } from '../../util/hash.ts'
import { isTable } from '../../util/json.ts'
import { type Fetch, type Finding, postJson, RemoteError, type RemoteService } from './service.ts'

const URL = 'https://beta.terrorismanalytics.org/hash-verification/api/v2?ideologies=all'
const LOGIN_URL = 'https://beta.terrorismanalytics.org/token-auth/tcap/'

/** Most hashes that the service takes in a call. */
const MAX_HASHES = 50

/** How near a hash must be, 0 to 1. What it means in bits is not documented. */
const CONFIDENCE = 0.9

const LoginSchema = v.looseObject({ token: v.pipe(v.string(), v.minLength(1)) })

const ItemSchema = v.looseObject({ hash_value: v.string() })

/** The service's own id: shorter than any hash. */
const IdSchema = v.pipe(
  v.union([v.number(), v.string()]),
  v.transform(String),
  v.regex(/^[\w-]{1,24}$/),
)

/**
 * Hash verification of the Terrorist Content Analytics Platform. The form of its answers is inferred: each queried hash, with
 * its ideology if it is known. An answer of another form counts as failed, not as unknown.
 */
export function tcap(
  fetch: Fetch,
  login: { username: string; password: string },
  {
    url = URL,
    loginUrl = LOGIN_URL,
  }: { url?: string | undefined; loginUrl?: string | undefined } = {},
): RemoteService {
  let token: string | undefined
  const logIn = async (signal: AbortSignal): Promise<string> => {
    const parsed = v.safeParse(
      LoginSchema,
      await postJson(fetch, loginUrl, { body: login, signal }),
    )
    if (!parsed.success) throw new RemoteError('the login returned no token')
    token = parsed.output.token
    return token
  }
  return {
    maxHashes: MAX_HASHES,
    async ask(hashes, signal) {
      const texts = hashes.map(formatHash)
      const body = {
        body: [...new Set(texts)].map((text) => ({
          hash_value: text,
          hash_type: 'PDQ',
          confidence: CONFIDENCE,
        })),
      }
      const post = (bearer: string) =>
        postJson(fetch, url, { body, authorization: `Bearer ${bearer}`, signal })
      const known = token
      const answer = await post(known ?? (await logIn(signal))).catch(async (error: unknown) => {
        // A token that was good before has expired.
        if (known === undefined || !(error instanceof RemoteError) || !error.isLasting) throw error
        token = undefined
        return post(await logIn(signal))
      })
      const findings = findingsOf(answer)
      return texts.map((text) => {
        if (!findings.has(text)) throw new RemoteError('the answer lacks a requested hash')
        return findings.get(text)
      })
    },
  }
}

/** Findings by the queried hash. */
function findingsOf(answer: unknown): Map<string, Finding | undefined> {
  const items = isTable(answer) ? (answer['results'] ?? answer['body']) : answer
  const parsed = v.safeParse(v.array(ItemSchema), items)
  if (!parsed.success) throw new RemoteError('the answer has an unknown form')
  const findings = new Map<string, Finding | undefined>()
  for (const item of parsed.output) {
    const text = item.hash_value.toLowerCase()
    findings.set(text, findings.get(text) ?? findingOfItem(item, text))
  }
  return findings
}

/** @throws {RemoteError} the answer does not say whether the hash is known */
function findingOfItem(item: Record<string, unknown>, secret: string): Finding | undefined {
  const { ideology, ideologies } = item
  if (ideology === undefined && ideologies === undefined) {
    throw new RemoteError('the answer does not say whether a hash is known')
  }
  const named = [ideology, ideologies].flat().find((one) => typeof one === 'string' && one !== '')
  if (typeof named !== 'string') return undefined
  const id = v.safeParse(IdSchema, item['id'])
  return {
    classification: named,
    distance: undefined,
    secret,
    ...(id.success && { id: id.output }),
  }
}
