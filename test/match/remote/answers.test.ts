// What services answer, as far as their own programs would not: lacking, malformed, of several near pictures.

import { describe, expect, it } from 'vitest'
import { arachnid } from '../../../src/match/remote/arachnid.ts'
import { RemoteBank } from '../../../src/match/remote/remote-bank.ts'
import { type Finding, RemoteError } from '../../../src/match/remote/service.ts'
import { tcap } from '../../../src/match/remote/tcap.ts'
import type { Needle } from '../../../src/scan/scanned.ts'
import { formatHash, type Hash256 } from '../../../src/util/hash.ts'
import { needle } from '../../support/entries.ts'
import { randomBytes } from '../../support/random.ts'
import { kvStore } from '../../support/stores.ts'

const [one, two] = [1, 2].map((seed) => randomBytes(32, seed)) as [Hash256, Hash256]
const base64 = (hash: Hash256) => Buffer.from(hash).toString('base64')
const { signal } = new AbortController()

describe('an answer of Arachnid Shield', () => {
  const ask = (scanned: object) => {
    const service = arachnid(async () => Response.json({ scanned_hashes: scanned }), 'u', 'p')
    return service.ask([one, two], signal)
  }

  it('that lacks a hash is invalid, so that nothing passes as unknown', async () => {
    await expect(ask({ [base64(one)]: null })).rejects.toThrow(RemoteError)
    expect(await ask({ [base64(one)]: null, [base64(two)]: null })).toEqual([undefined, undefined])
  })

  it('gives the distance of the nearest, none without details, and 0 for the same', async () => {
    const near = (...distances: (number | null)[]) => ({
      classification: 'csam',
      match_type: 'near',
      near_match_details: {
        matches: distances.map((distance, i) => ({ distance, sha256_hex: `s${i}` })),
      },
    })
    expect(await ask({ [base64(one)]: near(9, 4, null, 7), [base64(two)]: near() })).toEqual([
      { classification: 'csam', distance: 4, secret: 's1' },
      { classification: 'csam', distance: undefined, secret: base64(two) },
    ])
    const same = { classification: 'csam', match_type: 'exact' }
    const unknown = { classification: 'no-known-match' }
    expect(await ask({ [base64(one)]: same, [base64(two)]: unknown })).toEqual([
      { classification: 'csam', distance: 0, secret: base64(one) },
      undefined,
    ])
  })
})

describe('an answer of TCAP', () => {
  const ask = (items: object[]) => {
    const fetch = async ({ url }: Request) =>
      Response.json(url.includes('token-auth') ? { token: 't' } : items)
    return tcap(fetch, { username: 'u', password: 'p' }).ask([one, two], signal)
  }
  const item = (hash: Hash256, more: object = { ideology: null }) => ({
    hash_value: formatHash(hash).toUpperCase(),
    ...more,
  })

  it('that lacks a hash, or does not say whether it is known, is invalid', async () => {
    await expect(ask([item(one)])).rejects.toThrow('lacks a requested hash')
    await expect(ask([item(one), item(two, {})])).rejects.toThrow('does not say')
    expect(await ask([item(one), item(two)])).toEqual([undefined, undefined])
  })

  it('is known if it is in any of the items', async () => {
    const items = [item(one), item(two), item(one, { ideology: 'x', id: 7 }), item(one)]
    const secret = formatHash(one)
    expect(await ask(items)).toEqual([
      { classification: 'x', distance: undefined, secret, id: '7' },
      undefined,
    ])
  })
})

describe('what a service finds', () => {
  const matchesOf = async (asked: Needle, distance: number | undefined) => {
    const finding: Finding = { classification: 'csam', distance, secret: 's' }
    const service = { maxHashes: 50, ask: async () => [finding] }
    const about = { name: 'remote', source: 's', threshold: 31, minQuality: 50 }
    const bank = new RemoteBank(
      { ...about, service, onFailed: 'refuse', deadlineMs: 60_000, cacheSeconds: 0 },
      {
        store: kvStore(),
        negatives: { has: async () => false, add: async () => {} },
        now: () => 0,
      },
    )
    const { matches, failure } = await bank.askAbout([[asked]])
    expect(failure).toBeUndefined()
    return matches.flat().map((match) => [match.distance, match.limited])
  }

  it('matches within the threshold, and where no distance is told', async () => {
    expect(await matchesOf(needle(one), 31)).toEqual([[31, undefined]])
    expect(await matchesOf(needle(one), 32)).toEqual([])
    expect(await matchesOf(needle(one), undefined)).toEqual([[31, undefined]])
  })

  it('matches a picture of low quality only if it is told to be very near', async () => {
    const poor = { ...needle(one, 20), stretchedQuality: 20 }
    expect(await matchesOf(poor, 0)).toEqual([[0, 'low-quality']])
    expect(await matchesOf(poor, 31)).toEqual([])
    expect(await matchesOf(poor, undefined)).toEqual([])
    expect(await matchesOf({ ...poor, probe: 'crops' }, 0)).toEqual([])
  })
})
