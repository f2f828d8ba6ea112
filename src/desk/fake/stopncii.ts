import { Hono } from 'hono'
import { cutOff } from './cut.ts'
import { FAKE_SECRET, type FakeProvider, type FakeRecord, secondsOf } from './state.ts'

/** StopNCII. Its page tokens are bound to the start of the window, and its times are in seconds. */
export function fakeStopncii(provider: FakeProvider): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    const { req } = context
    const key = req.path.endsWith('/SubmitFeedback') ? 'w' : 'f' // each function has its own
    const hasKeys =
      req.header('x-functions-key') === `${FAKE_SECRET}-${key}` &&
      req.header('ocp-apim-subscription-key') === FAKE_SECRET
    if (!hasKeys) return context.body(null, 401)
    await next()
  })
  app.get('/v1/FetchHashes', async (context): Promise<Response> => {
    const query = new URL(context.req.url).searchParams
    const start = Number(query.get('startTimestamp'))
    const asked = Number(query.get('pageSize'))
    if (!(start >= 10) || !(asked >= 1 && asked <= 800)) return context.body(null, 400)
    const token = query.get('nextPageToken')
    let after = { time: start, key: '' }
    if (token !== null) {
      const meaning = provider.cursors.get(token)
      if (meaning === undefined) return context.body(null, 400)
      const bound = JSON.parse(meaning) as { start: number; after: typeof after }
      if (bound.start !== start) return context.body(null, 400)
      after = bound.after
    }
    return answer(provider, start, after, Math.min(asked, provider.pageSize))
  })
  app.post('/v1/SubmitFeedback', async (context) => {
    const { count, hashFeedbacks } = await context.req.json<{
      count: number
      hashFeedbacks: { hashValue: string; tags: string[]; feedbackValue: string }[]
    }>()
    const isKnown = ({ hashValue }: { hashValue: string }) =>
      provider.live().some(({ hashes }) => hashes.some(({ value }) => value === hashValue))
    if (count !== hashFeedbacks.length || !hashFeedbacks.every(isKnown))
      return context.body(null, 400)
    for (const one of hashFeedbacks) provider.feedback.push(`${one.feedbackValue} ${one.hashValue}`)
    return context.body(null, 200)
  })
  return app
}

async function answer(
  provider: FakeProvider,
  start: number,
  after: { time: number; key: string },
  size: number,
): Promise<Response> {
  const isAfter = (record: FakeRecord) => {
    const time = secondsOf(record)
    return time > after.time || (time === after.time && record.key > after.key)
  }
  const left = provider.sorted().filter(isAfter)
  const page = left.slice(0, size)
  const last = page.at(-1)
  const token = `token-${provider.cursors.size}`
  const bound = { start, after: last ? { time: secondsOf(last), key: last.key } : after }
  provider.cursors.set(token, JSON.stringify(bound))
  const latest = last ? secondsOf(last) : start
  if (provider.take('reorder')) page.reverse()
  const records = page.map(fakeRecord)
  const body = JSON.stringify({
    count: records.length,
    nextPageToken: token,
    nextSetTimestamp: provider.take('rewind') ? latest - 500 : latest,
    hasMoreRecords: left.length > size,
    hashRecords: provider.take('repeat') ? [...records, ...records] : records,
  })
  const response = new Response(body, { headers: { 'content-type': 'application/json' } })
  const isSpoilt = page.some(({ key }) => provider.poison.has(key))
  return isSpoilt ? cutOff(response, Math.floor(body.length / 2)) : response
}

const SIGNAL_TYPES: Record<string, string> = { pdq: 'ImagePDQ', md5: 'VideoMD5' }

/** A withdrawn record says so in one of two places. */
function fakeRecord(record: FakeRecord): object {
  const [hash] = record.hashes
  const isOdd = record.key.length % 2 === 1
  const gone = isOdd ? 'Withdrawn' : 'Deleted'
  return {
    lastModtimestamp: secondsOf(record),
    signalType: SIGNAL_TYPES[hash?.kind ?? ''] ?? hash?.kind,
    hashValue: hash?.value.toUpperCase(),
    hashStatus: record.isDeleted && isOdd ? gone : 'SomethingNew',
    caseNumbers: {
      'c-1': record.isDeleted ? gone : 'Active',
      'c-2': record.isDeleted ? gone : 'Undefined',
    },
    ...(record.tier && {
      CSPFeedbacks: [{ source: 'p', feedbackValue: record.tier, tags: [] }],
    }),
  }
}
