import { Hono } from 'hono'
import {
  FAKE_GROUP,
  FAKE_TOKEN,
  type FakeClock,
  type FakeProvider,
  type FakeRecord,
  secondsOf,
} from './state.ts'

const DAY_MS = 86_400_000

/** Meta ThreatExchange. It forgets deletions after 90 days. */
export function fakeGraph(provider: FakeProvider, clock: FakeClock): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    if (context.req.query('access_token') !== FAKE_TOKEN) {
      return context.json({ error: { message: 'Invalid OAuth access token.' } }, 401)
    }
    await next()
  })
  app.get('/v21.0/12345678/threat_privacy_groups_member', (context) =>
    context.json({ data: [{ id: FAKE_GROUP, name: 'Trial' }] }),
  )
  app.get(`/v21.0/${FAKE_GROUP}`, (context) =>
    context.json({ id: FAKE_GROUP, name: 'Trial', threat_updates_enabled: true }),
  )
  app.get(`/v21.0/${FAKE_GROUP}/threat_updates/`, (context) => {
    const url = new URL(context.req.url)
    const query = url.searchParams
    const [start, stop] = [Number(query.get('start_time')), Number(query.get('stop_time'))]
    const limit = Math.min(Number(query.get('limit')), provider.pageSize)
    if (!(limit >= 1) || !query.get('fields')?.includes('descriptors'))
      return context.body(null, 400)
    const after = query.get('after')
    if (after !== null && !provider.cursors.has(after)) return context.body(null, 400)
    const from = after === null ? start : Number(provider.cursors.get(after))
    const oldest = clock.now() - 90 * DAY_MS
    const left = provider
      .sorted()
      .filter((record) => secondsOf(record) >= from && secondsOf(record) <= stop)
      .filter(({ isDeleted, updated }) => !isDeleted || updated > oldest)
    const page = left.slice(0, limit)
    const last = page.at(-1)
    const cursor = `cursor-${provider.cursors.size}`
    if (last) provider.cursors.set(cursor, String(secondsOf(last) + 1))
    url.searchParams.set('after', cursor)
    const data = page.map(updateOf)
    if (provider.take('reorder')) data.reverse()
    return context.json({
      data: provider.take('repeat') ? [...data, ...data] : data,
      ...(left.length > limit && { paging: { next: url.href } }),
    })
  })
  app.post('/v21.0/:descriptor{\\d+}', (context) => {
    const reaction = context.req.query('reactions') ?? ''
    if (!['HELPFUL', 'DISAGREE_WITH_TAGS', 'SAW_THIS_TOO'].includes(reaction))
      return context.json({ error: { message: 'Invalid parameter.' } }, 400)
    provider.feedback.push(`${reaction} ${context.req.param('descriptor')}`)
    return context.json({ success: true })
  })
  return app
}

/** A deleted record says so, or no longer has a descriptor, or none that this app may see. */
function updateOf(record: FakeRecord): object {
  const [hash] = record.hashes
  const update = {
    id: record.key,
    indicator: hash?.value,
    type: `HASH_${hash?.kind.toUpperCase() ?? ''}`,
    last_updated: secondsOf(record),
  }
  if (!record.isDeleted) {
    const descriptor = {
      id: `9${record.key}`,
      owner: { id: '77' },
      status: record.tier || 'UNKNOWN',
    }
    const tags = { data: [{ text: 'media_type_photo' }] }
    return { ...update, should_delete: false, descriptors: { data: [{ ...descriptor, tags }] } }
  }
  const way = record.key.length % 3
  if (way === 0) return { ...update, should_delete: true }
  if (way === 1) return { ...update, should_delete: false }
  return {
    ...update,
    should_delete: false,
    descriptors: { data: [{ id: '1', status: 'MALICIOUS' }] },
  }
}
