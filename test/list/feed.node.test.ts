import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  BadFeedError,
  type FeedChange,
  generateFeedKey,
  headerOf,
  importFeedKey,
  isUsable,
  readFeed,
  writeFeed,
} from '../../src/list/feed.ts'
import { parseHex } from '../../src/util/bytes.ts'

describe('writeFeed', () => {
  it('signs so that OpenSSL finds the signature good', async () => {
    const { privateKey, publicKey } = await generateFeedKey()
    const header = headerOf({ name: 'own', seq: 1, now: 0, days: 7 }, 0)
    const file = await writeFeed({ header, changes: [] }, await importFeedKey(privateKey))
    const lines = new TextDecoder().decode(file).trimEnd().split('\n')
    const { ed25519 } = JSON.parse(lines.at(-1) ?? '') as { ed25519: string }
    const signed = Buffer.from(`${lines.slice(0, -1).join('\n')}\n`)
    const x = Buffer.from(publicKey, 'hex').toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    expect(verify(null, signed, key, Buffer.from(ed25519, 'hex'))).toBe(true)
    expect((await readFeed(file, parseHex(publicKey, 32)!)).header).toEqual(header)
  })

  it('signs with no key but one that was made', async () => {
    for (const text of ['', 'no key', btoa('no key')])
      await expect(importFeedKey(text)).rejects.toThrow(BadFeedError)
  })
})

describe('readFeed', () => {
  it('takes numbers and keys up to their bounds', async () => {
    const { privateKey, publicKey } = await generateFeedKey()
    const key = await importFeedKey(privateKey)
    const read = async (header: object, change: object) => {
      const feed = {
        header: { ...headerOf({ name: 'own', seq: 1, now: 0, days: 7 }, 0), ...header },
        changes: [{ op: 'put', key: 'k', seq: 1, labels: {}, ...change } as FeedChange],
      }
      return (await readFeed(await writeFeed(feed, key), parseHex(publicKey, 32)!)).changes
    }
    for (const change of [{ key: 'k' }, { key: 'k'.repeat(512) }, { op: 'delete' }])
      expect(await read({}, change)).toMatchObject([change])
    for (const change of [{ key: '' }, { key: 'k'.repeat(513) }, { seq: 0 }, { op: 'add' }])
      await expect(read({}, change)).rejects.toThrow('has an unknown form')
    for (const header of [{ seq: 0 }, { since: -1 }, { name: 'OWN' }, { expires: 'soon' }])
      await expect(read(header, {})).rejects.toThrow('has an unknown form')
  })
})

describe('isUsable', () => {
  const change = { op: 'put', key: 'k', seq: 1, labels: {} } as const

  it.each([
    [{ kind: 'md5', hash: 'ab'.repeat(16) }, true],
    [{ kind: 'pdq', hash: 'ab'.repeat(32) }, true],
    [{ kind: 'md5', hash: 'ab'.repeat(32) }, false],
    [{ kind: 'md5', hash: 'xy'.repeat(16) }, false],
    [{ kind: 'photodna', hash: 'ab'.repeat(16) }, false],
    [{ kind: 'toString', hash: '' }, false],
    [{ kind: 'md5' }, false],
    [{ hash: 'ab'.repeat(16) }, false],
  ])('%j is %s', (hash, isOne) => {
    expect(isUsable({ ...change, ...hash })).toBe(isOne)
  })
})
