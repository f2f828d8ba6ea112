import { Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { distance, MATCH_THRESHOLD, parseHash } from '../../util/hash.ts'
import {
  FAKE_SECRET,
  FAKE_USER,
  type FakeClock,
  type FakeProvider,
  type FakeRecord,
} from './state.ts'

/** Maximum hashes in one request. */
const MAX_HASHES = 400

/**
 * Project Arachnid Shield. It knows what is near its records and reports that under its own hashes.
 * An unknown hash is answered with null or with a classification that says so, equally often.
 */
export function fakeShield(provider: FakeProvider, clock: FakeClock): Hono {
  const app = new Hono({ strict: true }) // its address ends with a slash
  const invalidUserMessage = { detail: 'Invalid username/password.' }
  app.use(basicAuth({ username: FAKE_USER, password: FAKE_SECRET, invalidUserMessage }))
  app.post('/v1/pdq/', async (context) => {
    if (context.req.header('content-type') !== 'application/json')
      return context.json({ detail: 'Unsupported media type.' }, 415)
    const { hashes } = await context.req.json<{ hashes: string[] }>()
    const isDistinct = new Set(hashes).size === hashes.length
    if (hashes.length === 0 || hashes.length > MAX_HASHES || !isDistinct || !hashes.every(isHash))
      return context.json({ detail: 'hashes: must be base64 of 32 bytes each.' }, 400)
    const answers = hashes.map((text, i) => [text, answerFor(provider, clock, text, i)])
    return context.json({ scanned_hashes: Object.fromEntries(answers) })
  })
  return app
}

function isHash(text: unknown): boolean {
  return typeof text === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(text)
}

function answerFor(provider: FakeProvider, clock: FakeClock, text: string, i: number): unknown {
  const hex = Array.from(atob(text), (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('')
  const near = nearestTo(provider, hex)
  if (!near) {
    if (i % 2 === 0) return null
    return { classification: 'no-known-match', match_type: null, near_match_details: null }
  }
  const classification = near.record.tier
  if (near.bits === 0) return { classification, match_type: null, near_match_details: null }
  const match = { sha1_base32: 'A'.repeat(32), sha256_hex: 'ab'.repeat(32), classification }
  return {
    classification,
    match_type: 'near',
    near_match_details: {
      timestamp: new Date(clock.now()).toISOString(),
      matches: [{ ...match, distance: near.bits }],
    },
  }
}

/** The live record nearest to a hash, if it is near enough to match. */
export function nearestTo(
  provider: FakeProvider,
  hex: string,
): { record: FakeRecord; bits: number } | undefined {
  const asked = parseHash(hex)
  let nearest: { record: FakeRecord; bits: number } | undefined
  for (const record of provider.live()) {
    for (const { kind, value } of record.hashes) {
      const known = kind === 'pdq' ? parseHash(value) : undefined
      const bits = known && asked ? distance(known, asked) : Infinity
      if (bits <= MATCH_THRESHOLD && bits < (nearest?.bits ?? Infinity)) nearest = { record, bits }
    }
  }
  return nearest
}
