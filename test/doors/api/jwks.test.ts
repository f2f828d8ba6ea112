import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KeySetCache, KeySetUnavailableError } from '../../../src/doors/api/jwks.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND

let ids: string[]
let isDown: boolean
let reads: number
let clock: number

beforeEach(() => {
  ids = ['one']
  isDown = false
  reads = 0
  clock = 0
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    reads++
    if (isDown) return new Response('', { status: 500 })
    return Response.json({ keys: ids.map((kid) => ({ kid, kty: 'RSA' })) })
  })
})

afterEach(() => {
  vi.restoreAllMocks()
})

const cache = () => new KeySetCache('https://team.example/certs', () => clock)

/** The ids of the keys that are given for one. */
async function given(keys: KeySetCache, id: string) {
  return (await keys.keysFor(id)).map(({ kid }) => kid)
}

describe('a set of keys', () => {
  it('is read once an hour for a key that it has', async () => {
    const keys = cache()
    for (const at of [0, 1, HOUR - 1]) {
      clock = at
      expect(await given(keys, 'one')).toEqual(['one'])
    }
    expect(reads).toBe(1)
    clock = HOUR
    await keys.keysFor('one')
    expect(reads).toBe(2)
  })

  it('is read again for a new key after half a minute, however many name one', async () => {
    const keys = cache()
    await keys.keysFor('one')
    ids.push('two')
    for (const at of [0, 1, 30 * SECOND - 1]) {
      clock = at
      expect(await given(keys, 'two')).toEqual(['one'])
    }
    expect(reads).toBe(1)
    clock = 30 * SECOND
    expect(await given(keys, 'two')).toEqual(['one', 'two'])
    for (let i = 0; i < 5; i++) await keys.keysFor('none')
    expect(reads).toBe(2)
  })

  it('stays in use for a day while it cannot be read, and is asked for once in half a minute', async () => {
    const keys = cache()
    await keys.keysFor('one')
    isDown = true
    clock = 2 * HOUR
    for (let i = 0; i < 5; i++) expect(await given(keys, 'one')).toEqual(['one'])
    expect(reads).toBe(2)
    clock = 24 * HOUR - 1
    expect(await given(keys, 'one')).toEqual(['one'])
    clock = 24 * HOUR + 30 * SECOND
    await expect(keys.keysFor('one')).rejects.toThrow(KeySetUnavailableError)
    isDown = false
    clock += 2 * SECOND
    expect(await given(keys, 'one')).toEqual(['one'])
  })

  it('that was never read fails, and is asked for again after two seconds', async () => {
    isDown = true
    const keys = cache()
    await expect(keys.keysFor('one')).rejects.toThrow('answered 500')
    clock = 2 * SECOND - 1
    await expect(keys.keysFor('one')).rejects.toThrow('could not be fetched')
    expect(reads).toBe(1)
    isDown = false
    clock = 2 * SECOND
    expect(await given(keys, 'one')).toEqual(['one'])
  })
})
