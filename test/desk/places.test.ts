import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { exchangeOf } from '../../src/desk/desk.ts'
import type { ExchangePage } from '../../src/desk/exchanges/exchange.ts'
import { readDeskSettings } from '../../src/desk/settings.ts'
import { toHex } from '../../src/util/bytes.ts'
import { randomBytes } from '../support/random.ts'

const { OBJECTS_BUCKET: bucket } = env as unknown as { OBJECTS_BUCKET: R2Bucket }
const md5 = (seed: number) => toHex(randomBytes(16, seed))
const world = {
  fetch: async () => Promise.reject(new Error('the network is not to be asked')),
  now: () => 0,
  sleep: async () => {},
}

function open(
  settings: object,
  bound: object,
  fetch: (r: Request) => Promise<Response> = world.fetch,
) {
  const source = { kind: 'https', bank: 'b', format: 'lines', hashKind: 'md5', ...settings }
  const { exchanges } = readDeskSettings({ DESK: { exchanges: { a: source } } })
  const desk = {
    settings: { exchanges, allowLarge: false },
    env: bound,
    world: { ...world, fetch },
  }
  return exchangeOf(desk, 'a')
}

async function read(exchange: ReturnType<typeof open>, from?: object): Promise<ExchangePage[]> {
  const pages: ExchangePage[] = []
  for await (const page of exchange.pages(from)) pages.push(page)
  return pages
}

const valuesOf = (pages: readonly ExchangePage[]) =>
  pages.flatMap(({ upserts }) => upserts.flatMap(({ hashes }) => hashes.map(({ value }) => value)))

describe('a file in a bucket', () => {
  const url = 'r2://LISTS/partner/our%20hashes.txt'

  beforeEach(async () => {
    await bucket.put('partner/our hashes.txt', `${md5(1)}\n${md5(2)}\n`)
  })

  it('is read when it is new, and when it has changed', async () => {
    const exchange = open({ url }, { LISTS: bucket })
    expect((await exchange.whoAmI()).details).toEqual({ bytes: '66' })
    const first = await read(exchange)
    expect(valuesOf(first)).toEqual([md5(1), md5(2)])
    const checkpoint = first.at(-1)!.checkpoint
    const again = await read(exchange, checkpoint)
    expect(again).toMatchObject([{ upserts: [], isComplete: true, checkpoint }])
    await bucket.put('partner/our hashes.txt', `${md5(3)}\n`)
    expect(valuesOf(await read(exchange, checkpoint))).toEqual([md5(3)])
  })

  it('may have its SHA-256 beside it', async () => {
    const signature = { type: 'sha256', url: 'r2://LISTS/sums' }
    const content = new TextEncoder().encode(`${md5(1)}\n${md5(2)}\n`)
    const digest = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', content)))
    await bucket.put('sums', `${digest}  hashes.txt\n`)
    expect(valuesOf(await read(open({ url, signature }, { LISTS: bucket })))).toHaveLength(2)
    await bucket.put('sums', `${'0'.repeat(64)}  hashes.txt\n`)
    await expect(read(open({ url, signature }, { LISTS: bucket }))).rejects.toThrow('SHA-256')
  })

  it('says what is missing', async () => {
    expect(() => open({ url }, {})).toThrow('LISTS is not bound')
    const other = open({ url: 'r2://LISTS/nothing' }, { LISTS: bucket })
    await expect(read(other)).rejects.toThrow('status 404')
    expect(() => open({ url: 'r2://lists/a' }, {})).toThrow('r2://BINDING/KEY')
  })
})

describe('a client certificate', () => {
  const url = 'https://lists.example.org/hashes.txt'
  const auth = { type: 'mtls', binding: 'CERTIFICATE' }

  it('is for the server of the file alone', async () => {
    const signature = { type: 'sha256', url: 'https://sums.example.org/sums' }
    const text = `${md5(1)}\n`
    const digest = toHex(
      new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
    )
    const asked: string[] = []
    const CERTIFICATE = {
      fetch: async (request: Request) => {
        asked.push(`certificate ${request.url}`)
        return new Response(text)
      },
    }
    const exchange = open({ url, auth, signature }, { CERTIFICATE }, async (request) => {
      asked.push(`network ${request.url}`)
      return new Response(digest)
    })
    expect(valuesOf(await read(exchange))).toEqual([md5(1)])
    expect(asked).toEqual([`certificate ${url}`, `network ${signature.url}`])
  })

  it('must be bound', () => {
    expect(() => open({ url, auth }, {})).toThrow('CERTIFICATE is not bound')
  })
})
