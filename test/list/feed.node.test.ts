import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  generateFeedKey,
  headerOf,
  importFeedKey,
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
})
