import { beforeEach, describe, expect, it } from 'vitest'
import { HttpsExchange } from '../../src/desk/exchanges/https/https.ts'
import type { ExchangePage } from '../../src/desk/exchanges/exchange.ts'
import { readDeskSettings } from '../../src/desk/settings.ts'
import type { Entry } from '../../src/list/entry.ts'
import {
  changesOf,
  type FeedState,
  generateFeedKey,
  headerOf,
  importFeedKey,
  writeFeed,
} from '../../src/list/feed.ts'
import { randomBytes } from '../support/random.ts'

const URL_OF_FEED = 'https://friends.example/own/feed.ndjson'
const { privateKey, publicKey } = await generateFeedKey()
const firstKey = await importFeedKey(privateKey)
const next = await generateFeedKey()

/** A publisher, its files, and the clock of who reads them. */
let files: Record<string, Uint8Array<ArrayBuffer>>
let state: FeedState
let seq: number
let now: number
/** What the publisher signs with, and what the reader knows. */
let key: CryptoKey
let known: string | string[]

beforeEach(() => {
  files = {}
  state = new Map()
  seq = 0
  now = Date.parse('2026-11-26T00:00:00Z')
  key = firstKey
  known = publicKey
})

function entry(i: number): Entry {
  return { kind: 'md5', hash: randomBytes(16, i), id: `own-${i}`, labels: { source: 'own' } }
}

/** Publishes the entries with these numbers, with a delta of so many states. */
async function publish(numbers: readonly number[], states = 2): Promise<void> {
  seq++
  for (const change of changesOf(state, numbers.map(entry), seq)) state.set(change.key, change)
  const publication = { name: 'own', seq, now, days: 7 }
  const since = Math.max(0, seq - states)
  const all = [...state.values()]
  const live = all.filter(({ op }) => op === 'put')
  const recent = all.filter((change) => change.seq > since)
  files['/own/snapshot.ndjson'] = await writeFeed(
    { header: headerOf(publication, 0), changes: live },
    key,
  )
  files['/own/feed.ndjson'] = await writeFeed(
    { header: headerOf(publication, since), changes: recent },
    key,
  )
}

function source(): HttpsExchange {
  const signature = { type: 'feed', publicKey: known }
  const settings = { kind: 'https', url: URL_OF_FEED, format: 'feed', bank: 'friends', signature }
  const { exchanges } = readDeskSettings({ DESK: { exchanges: { a: settings } } })
  const made = exchanges['a']
  if (made?.kind !== 'https') throw new TypeError('another kind')
  return new HttpsExchange(made, '', {
    fetch: async (request) => {
      const file = files[new URL(request.url).pathname]
      return file ? new Response(file) : new Response(null, { status: 404 })
    },
    now: () => now,
    sleep: async () => {},
  })
}

/** Reads the feed into a set of ids, as the runner and the ledger do. Returns the checkpoint. */
async function follow(
  listed: Set<string | undefined>,
  from?: object,
): Promise<{ checkpoint: object; pages: ExchangePage[] }> {
  const pages: ExchangePage[] = []
  for await (const page of source().pages(from)) {
    pages.push(page)
    if (page.startsOver) listed.clear()
    for (const { id } of page.upserts) listed.add(id)
    for (const { key: gone } of page.deletes) listed.delete(gone.split(' ')[0])
  }
  return { checkpoint: pages.at(-1)!.checkpoint, pages }
}

describe('a feed of another gate', () => {
  it('gives everything first, then changes and withdrawals', async () => {
    const listed = new Set<string | undefined>()
    await publish([1, 2, 3])
    const first = await follow(listed)
    expect(listed).toEqual(new Set(['own-1', 'own-2', 'own-3']))
    await publish([2, 3, 4])
    const second = await follow(listed, first.checkpoint)
    expect(listed).toEqual(new Set(['own-2', 'own-3', 'own-4']))
    expect(second.pages.flatMap(({ upserts }) => upserts)).toHaveLength(1)
    const third = await follow(listed, second.checkpoint)
    expect(third.pages).toHaveLength(1)
    expect(third.pages[0]).toMatchObject({ upserts: [], deletes: [], isComplete: true })
  })

  it('gives everything to a reader that was away for longer than the delta covers', async () => {
    const listed = new Set<string | undefined>()
    await publish([1, 2])
    const { checkpoint } = await follow(listed)
    for (const numbers of [
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 3, 4],
      [1, 3, 4, 5],
    ])
      await publish(numbers)
    const { pages } = await follow(listed, checkpoint)
    expect(pages[0]?.startsOver).toBe(true)
    expect(listed).toEqual(new Set(['own-1', 'own-3', 'own-4', 'own-5']))
  })

  it('continues where a run was cut off', async () => {
    await publish(Array.from({ length: 2500 }, (_, i) => i))
    const [first] = (await follow(new Set())).pages
    const { pages } = await follow(new Set(), first!.checkpoint)
    expect(first!.upserts).toHaveLength(1000)
    expect(pages.map(({ upserts }) => upserts.length)).toEqual([1000, 500])
    expect(pages.some(({ startsOver }) => startsOver)).toBe(false)
  })

  it('is refused if a byte of it is another, or its end is missing', async () => {
    await publish([1])
    const whole = files['/own/feed.ndjson']!
    for (const at of [0, 40, whole.length >> 1, whole.length - 20]) {
      files['/own/feed.ndjson'] = whole.map((byte, i) => (i === at ? byte ^ 1 : byte))
      await expect(follow(new Set())).rejects.toThrow(/signature|form/)
    }
    files['/own/feed.ndjson'] = whole.slice(0, -60)
    await expect(follow(new Set())).rejects.toThrow('signature')
  })

  it('is refused if it is older than one that was read, expired, or another', async () => {
    await publish([1])
    const old = { ...files }
    await publish([1, 2])
    const { checkpoint } = await follow(new Set())
    files = old
    await expect(follow(new Set(), checkpoint)).rejects.toThrow(
      'older than one that was already read',
    )
    now += 8 * 86_400_000
    await expect(follow(new Set())).rejects.toThrow('expired')
    await publish([1, 2])
    const other = { ...(checkpoint as { seq: number }), name: 'other' }
    await expect(follow(new Set(), other)).rejects.toThrow('has changed its name')
  })

  it('may change its key, once its readers know both', async () => {
    const listed = new Set<string | undefined>()
    await publish([1])
    const { checkpoint } = await follow(listed)
    key = await importFeedKey(next.privateKey)
    await publish([1, 2])
    await expect(follow(listed, checkpoint)).rejects.toThrow('invalid signature')
    known = [publicKey, next.publicKey]
    const after = await follow(listed, checkpoint)
    expect(listed).toEqual(new Set(['own-1', 'own-2']))
    known = next.publicKey
    expect((await follow(listed, after.checkpoint)).pages).toHaveLength(1)
    key = firstKey
    await publish([1, 2, 3])
    await expect(follow(listed, after.checkpoint)).rejects.toThrow('invalid signature')
    known = []
    expect(() => source()).toThrow('publicKey')
  })
})
