import { type Context, Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import {
  FAKE_SECRET,
  FAKE_USER,
  type FakeClock,
  type FakeProvider,
  type FakeRecord,
} from './state.ts'

const NAMESPACE = 'https://hashsharing.ncmec.org/hashsharing/v2'

/** A feedback document, affirmative or with the id of a reason. */
const FEEDBACK = new RegExp(
  `^<feedbackSubmission xmlns="${NAMESPACE}">(?:(<affirmative/>)|<negative><reasonIds><guid>([\\w-]+)</guid></reasonIds></negative>)</feedbackSubmission>$`,
)

/**
 * NCMEC Hash Sharing v2. A window's entries come in their own order, which is not chronological.
 */
export function fakeNcmec(provider: FakeProvider, clock: FakeClock): Hono {
  const app = new Hono()
  app.use(basicAuth({ username: FAKE_USER, password: FAKE_SECRET }))
  app.get('/v2/status', (context) =>
    xml(
      context,
      `<status xmlns="${NAMESPACE}"><ipAddress>127.0.0.1</ipAddress><username>${FAKE_USER}</username>` +
        `<member id="42">Trial &amp; Error</member></status>`,
    ),
  )
  app.put('/v2/entries/:member/:id/:type/feedback', async (context) => {
    const { member, id, type } = context.req.param()
    const isXml = context.req.header('content-type') === 'application/xml; charset=utf-8'
    const said = FEEDBACK.exec(await context.req.text())
    const isKnown = provider.records.get(`${member}-${id}`)?.isDeleted === false
    if (!isXml || !said || !isKnown || !/^(MD5|SHA1|PDQ)$/.test(type))
      return context.body(null, 400)
    provider.feedback.push(
      `${said[1] ? 'affirmative' : `negative ${said[2]}`} ${member}-${id} ${type}`,
    )
    return context.body(null, 200)
  })
  app.get('/v2/feedback/:type/reasons', (context) =>
    xml(
      context,
      `<availableFeedbackReasons xmlns="${NAMESPACE}">` +
        `<reason guid="0f3c" name="Not what it says &amp; more" type="MD5"/></availableFeedbackReasons>`,
    ),
  )
  app.get('/v2/entries', (context) => {
    const query = new URL(context.req.url).searchParams
    const [from, to] = [query.get('from') ?? '', query.get('to') ?? '']
    if (!isInstant(from) || !isInstant(to) || from > to) return context.body(null, 400)
    if (Date.parse(to) > clock.now()) return context.body(null, 400)
    const start = query.get('start')
    const cursor = `${from} ${to}`
    if (start === null)
      provider.cursors.set(cursor, JSON.stringify(changedKeys(provider, from, to)))
    const known = provider.cursors.get(cursor)
    if (known === undefined) return context.body(null, 404)
    const keys = JSON.parse(known) as string[]
    return xml(context, ncmecPage(provider, keys, Number(start ?? 1), { from, to }))
  })
  return app
}

/** In UTC, with seconds, and optionally with milliseconds. */
function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(text)
}

function changedKeys(provider: FakeProvider, from: string, to: string): string[] {
  const [begin, end] = [Date.parse(from), Date.parse(to)]
  return provider
    .sorted()
    .filter(({ updated }) => updated >= begin && updated <= end)
    .map(({ key }) => ({ key, place: mix(key) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ key }) => key)
}

/** An order unrelated to time. */
function mix(key: string): number {
  let hash = 7
  for (const character of key) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0
  return Math.imul(hash, 2_654_435_761) >>> 0
}

function ncmecPage(
  provider: FakeProvider,
  keys: readonly string[],
  start: number,
  { from, to }: { from: string; to: string },
): string {
  const repeat = provider.take('repeat') ? 3 : 0
  const size = provider.pageSize
  const first = Math.max(0, start - 1 - repeat)
  const some = keys.slice(first, start - 1 + size)
  if (provider.take('reorder')) some.reverse()
  const entries = some.flatMap((key) => provider.records.get(key) ?? [])
  const images = entries.filter(({ key }) => !key.includes('v'))
  const videos = entries.filter(({ key }) => key.includes('v'))
  const next = start + size
  const query = `from=${millis(from)}&amp;to=${millis(to)}&amp;start=${next}&amp;size=${size}&amp;max=${keys.length}`
  const paging = next <= keys.length ? `<paging><next>/v2/entries?${query}</next></paging>` : ''
  // The next page is requested with the window as the server writes it.
  provider.cursors.set(`${millis(from)} ${millis(to)}`, JSON.stringify(keys))
  return (
    `<?xml version="1.0" encoding="UTF-8"?><queryResult xmlns="${NAMESPACE}">` +
    block('image', images) +
    block('video', videos) +
    `${paging}</queryResult>`
  )
}

function millis(instant: string): string {
  return new Date(instant).toISOString()
}

function block(name: string, entries: readonly FakeRecord[]): string {
  if (entries.length === 0) return `<${name}s count="0"></${name}s>`
  const latest = new Date(Math.max(...entries.map(({ updated }) => updated))).toISOString()
  const items = entries.map((entry) => item(name, entry)).join('')
  return `<${name}s count="${entries.length}" maxTimestamp="${latest}">${items}</${name}s>`
}

/** The key is `member-entry`. A deleted entry has its fields in another order. */
function item(name: string, record: FakeRecord): string {
  const { key, hashes, tier, updated, isDeleted } = record
  const [member = '', id = ''] = key.split('-')
  const time = `<timestamp>${new Date(updated).toISOString()}</timestamp>`
  const of = `<member id="${member}">Member &amp; Co ${member}</member>`
  if (isDeleted) {
    const tag = `deleted${name.charAt(0).toUpperCase()}${name.slice(1)}`
    return `<${tag}>${of}${time}<id>${id}</id></${tag}>`
  }
  const prints = hashes.map(({ kind, value }) => `<${kind}>${value.toUpperCase()}</${kind}>`)
  const classification = tier ? `<classification>${tier}</classification>` : ''
  return (
    `<${name}>${of}<id>${id}</id>${time}${classification}` +
    `<fingerprints>${prints.join('')}<tmk-pdqf rel="self" href="/v2/large/${id}"/><new-thing>x</new-thing></fingerprints>` +
    `${feedbackOf(record)}</${name}>`
  )
}

/** Feedback by kind of hash; one of the members gave it for two kinds. */
function feedbackOf({ opinions }: FakeRecord): string {
  if (!opinions) return '<feedback/>'
  const members = (ids: readonly string[]) =>
    `<members timestamp="2026-01-01T00:00:00Z">${ids.map((id) => `<member id="${id}">M ${id}</member>`).join('')}</members>`
  const affirmative = (type: string) =>
    `<affirmativeFeedback type="${type}">${members(opinions.for)}</affirmativeFeedback>`
  const negative = `<negativeFeedback type="Md5"><reasons><reason guid="0f3c" name="x"/>${members(opinions.against)}</reasons></negativeFeedback>`
  return `<feedback>${affirmative('Md5')}${affirmative('Sha1')}${opinions.against.length > 0 ? negative : ''}</feedback>`
}

function xml(context: Context, text: string): Response {
  return context.body(text, 200, { 'content-type': 'application/xml' })
}
