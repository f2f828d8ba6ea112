import { describe, expect, it } from 'vitest'
import { parseHex } from '../../src/util/bytes.ts'
import { formatHash } from '../../src/util/hash.ts'
import { HashgateError } from '../../src/util/errors.ts'
import { BadListKeyError, UnknownKeyError, ValueDamagedError } from '../../src/list/errors.ts'
import { publishBank } from '../../src/list/publish.ts'
import { generateListKey, parseListKeys } from '../../src/list/sealing.ts'
import { randomDigests, randomEntries } from '../support/entries.ts'
import { KEY, OTHER_KEY, seal, WatchedStore } from '../support/stores.ts'

const text = (value: string) => new Uint8Array(new TextEncoder().encode(value))

describe('parseListKeys', () => {
  it('reads one key or several', () => {
    expect(parseListKeys(KEY)).toHaveLength(1)
    expect(parseListKeys(` ${KEY} , ${OTHER_KEY.toUpperCase()}`)).toHaveLength(2)
    expect(parseListKeys(generateListKey())[0]).toHaveLength(32)
    expect(generateListKey()).not.toBe(generateListKey())
  })

  it.each([
    undefined,
    '',
    ',',
    KEY.slice(1),
    `${KEY}0`,
    `${KEY},`,
    'password',
    KEY.replace('0', 'g'),
  ])('refuses %j', (keys) => {
    expect(() => parseListKeys(keys)).toThrow(BadListKeyError)
  })
})

describe('SealedStore', () => {
  it('gives back what was put, and nothing for what was not', async () => {
    const list = seal(new WatchedStore())
    for (const value of [text(''), text('a'), new Uint8Array(100_000)]) {
      await list.put('manifest', value)
      expect(await list.get('manifest')).toEqual(value)
    }
    expect(await list.get('segment/none')).toBeUndefined()
  })

  it('seals the same value differently each time', async () => {
    const store = new WatchedStore()
    await store.sealed.put('a', text('value'))
    const first = await store.get('a')
    await store.sealed.put('a', text('value'))
    expect(await store.get('a')).not.toEqual(first)
  })

  it('opens what is laid out as it is: magic, key id, nonce, ciphertext, tag', async () => {
    // Opened by node:crypto, too: hkdfSync of the key with "hashgate list …", aes-256-gcm with "hashgate/a" beside it.
    const [magic, id, nonce, ciphertext, tag] = [
      '48475345414c3031',
      '9df96256d83407c0',
      '6abf41a1ccf2cf579cfeb1ad',
      'cd90c0e699',
      'dbf1690172b565a01d4e0f924fa36420',
    ]
    const store = new WatchedStore()
    const sealed = [magic, id, nonce, ciphertext, tag].join('')
    await store.put('a', parseHex(sealed, sealed.length / 2)!)
    expect(await store.sealed.get('a')).toEqual(text('value'))
  })

  it('refuses a value in the place of another', async () => {
    const store = new WatchedStore()
    await store.sealed.put('detail/x/0', text('value'))
    await store.put('detail/x/1', (await store.get('detail/x/0'))!)
    await expect(store.sealed.get('detail/x/1')).rejects.toThrow(ValueDamagedError)
  })

  it('refuses every flipped bit, every cut, and what was never sealed', async () => {
    const store = new WatchedStore()
    await store.sealed.put('a', text('value'))
    const sealed = (await store.get('a'))!
    const refused = async (value: Uint8Array) => {
      await store.put('a', new Uint8Array(value))
      await expect(store.sealed.get('a')).rejects.toBeInstanceOf(HashgateError)
    }
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = new Uint8Array(sealed)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await refused(flipped)
    }
    for (let length = 0; length < sealed.length; length++) await refused(sealed.subarray(0, length))
    await refused(text('{"format":1}'))
  })

  it('says that a key is not there, by its id and not itself', async () => {
    const store = new WatchedStore()
    await seal(store, OTHER_KEY).put('a', text('value'))
    const opened = store.sealed.get('a')
    await expect(opened).rejects.toThrow(UnknownKeyError)
    await expect(opened).rejects.not.toThrow(OTHER_KEY.slice(0, 8))
    expect(await seal(store, `${KEY},${OTHER_KEY}`).get('a')).toEqual(text('value'))
  })

  it('leaves nothing of hashes and ids in the store, nor in its names', async () => {
    const store = new WatchedStore()
    const entries = [...randomEntries(100, 1), ...randomDigests(100, 1)]
    await publishBank(store.sealed, entries, { bank: 'csam' })
    const stored = [...store.inner.values].map(([key, value]) => {
      const latin = Array.from(value, (byte) => String.fromCharCode(byte)).join('')
      return `${key}\n${latin}`
    })
    const all = stored.join('\n')
    expect(all).not.toContain('e-1-')
    expect(all).not.toContain('d-1-')
    expect(all).not.toContain('csam')
    for (const { hash } of entries) {
      expect(all).not.toContain(formatHash(hash).slice(0, 8))
      expect(all).not.toContain(String.fromCharCode(...hash.subarray(-8)))
    }
    const other = new WatchedStore()
    const list = seal(other, OTHER_KEY)
    await publishBank(list, entries, { bank: 'csam' })
    const names = (values: Map<string, unknown>) =>
      [...values.keys()].filter((key) => !/^(manifest|history)/.test(key))
    expect(names(other.inner.values)).not.toEqual(names(store.inner.values))
  })
})
