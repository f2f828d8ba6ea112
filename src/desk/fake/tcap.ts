import { Hono } from 'hono'
import { nearestTo } from './shield.ts'
import { FAKE_SECRET, FAKE_USER, type FakeProvider, type FakeRecord } from './state.ts'

/** Requests after which a token expires. */
const TOKEN_REQUESTS = 5

/** Terrorist Content Analytics Platform. Its tokens expire, and its next page is an address. */
export function fakeTcap(provider: FakeProvider): Hono {
  const app = new Hono()
  let token = ''
  let left = 0
  app.post('/token-auth/tcap/', async (context) => {
    const { username, password } = await context.req.json<{ username: string; password: string }>()
    if (username !== FAKE_USER || password !== FAKE_SECRET) return context.body(null, 401)
    token = crypto.randomUUID()
    left = TOKEN_REQUESTS
    return context.json({ token, user: { username } })
  })
  app.get('/api/hash-list/v2/all', (context) => {
    const isKnown = token !== '' && context.req.header('authorization') === `Bearer ${token}`
    if (!isKnown || left-- <= 0) return context.body(null, 401)
    const url = new URL(context.req.url)
    const ideology = url.searchParams.get('ideology') ?? ''
    if (!['all', 'islamist', 'far-right'].includes(ideology)) return context.body(null, 400)
    if (url.searchParams.get('order') !== 'asc') return context.body(null, 400)
    return context.json(tcapPage(provider, url))
  })
  app.post('/hash-verification/api/v2', async (context) => {
    const isKnown = token !== '' && context.req.header('authorization') === `Bearer ${token}`
    if (!isKnown || left-- <= 0) return context.body(null, 401)
    const { body } = await context.req.json<{ body: HashQuestion[] }>()
    const isGood = body.length > 0 && body.length <= MAX_QUESTIONS && body.every(isQuestion)
    if (!isGood || new URL(context.req.url).searchParams.get('ideologies') === null)
      return context.json({ detail: 'malformed' }, 400)
    return context.json(body.map(({ hash_value: hash }) => verify(provider, hash)))
  })
  return app
}

interface HashQuestion {
  hash_value: string
  hash_type: string
  confidence: number
}

/** Maximum hashes in one request. */
const MAX_QUESTIONS = 50

function isQuestion({ hash_value: hash, hash_type: type, confidence }: HashQuestion): boolean {
  return /^[0-9a-f]{64}$/.test(hash) && type === 'PDQ' && confidence >= 0 && confidence <= 1
}

function verify(provider: FakeProvider, hash: string): object {
  const near = nearestTo(provider, hash)
  return {
    hash_value: hash.toUpperCase(),
    hash_type: 'PDQ',
    ideology: near ? near.record.tier : null,
    ...(near && { id: near.record.key }),
  }
}

/** `after` is a time and an id. Records of the same time come in the order of their ids. */
function tcapPage(provider: FakeProvider, url: URL): object {
  const [time = '0', key = ''] = (url.searchParams.get('after') ?? '0,').split(',')
  const isAfter = (record: FakeRecord) => {
    const seconds = record.updated / 1000
    return seconds > Number(time) || (seconds === Number(time) && record.key > key)
  }
  const left = provider.sorted().filter(isAfter)
  const some = left.slice(0, provider.pageSize)
  const last = some.at(-1)
  const checkpoint = last ? `${last.updated / 1000},${last.key}` : `${time},${key}`
  const next = new URL(url)
  next.searchParams.set('after', checkpoint)
  next.searchParams.set('limit', String(provider.pageSize))
  next.searchParams.set('offset', '0')
  const isLast = left.length <= provider.pageSize
  const results = some.map(resultOf)
  if (provider.take('reorder')) results.reverse()
  return {
    count: left.length,
    next: isLast ? null : next.href,
    previous: null,
    checkpoint: provider.take('rewind') ? '1.5,1' : checkpoint,
    results: provider.take('repeat') ? [...results, ...results] : results,
  }
}

function resultOf({ key, hashes, tier, updated, isDeleted }: FakeRecord): object {
  const [hash] = hashes
  return {
    id: key,
    hash_digest: hash?.value,
    algorithm: hash?.kind.toUpperCase(),
    ideology: tier || 'unheard-of',
    file_type: 'jpg',
    deleted: isDeleted,
    updated_on: updated / 1000,
    created_on: updated / 1000,
  }
}
