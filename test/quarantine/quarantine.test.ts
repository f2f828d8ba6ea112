import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeEach, describe, expect, it } from 'vitest'
import { ObjectDamagedError, WrongIdentityError } from '../../src/quarantine/errors.ts'
import { openSealed, parseIdentities } from '../../src/quarantine/open.ts'
import { readConfig } from '../../src/config/config.ts'
import { quarantineOf } from '../../src/quarantine/bindings.ts'
import type { QuarantineFacts } from '../../src/quarantine/record.ts'
import {
  bucket,
  bucketThat,
  emptyBucket,
  identity,
  keys,
  openObject,
  quarantineWith,
  recipient,
} from '../support/quarantine.ts'
import { randomBytes, withOtherEnd } from '../support/random.ts'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 23, 12)

function factsOf(caseId: string = crypto.randomUUID()): QuarantineFacts {
  return {
    caseId,
    method: 'POST',
    host: 'files.example',
    path: '/albums/holiday',
    contentType: 'image/jpeg',
    listVersion: 7,
    files: [{ coverage: 'scanned', matches: [{ bank: 'csam', entry: 'entry-1', distance: 3 }] }],
  }
}

/** A body in chunks of some length. */
function bodyOf(bytes: Uint8Array, chunkBytes = 64 * 1024) {
  return {
    length: bytes.length,
    *chunks() {
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        yield bytes.subarray(at, at + chunkBytes)
      }
    },
  }
}

beforeEach(emptyBucket)

describe('Quarantine', () => {
  it.each([0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 300_000])(
    'gives back %i bytes, and what is known of them, to the identity',
    async (length) => {
      const bytes = randomBytes(length, length)
      const facts = factsOf()
      const quarantine = quarantineWith({ now: () => NOW })
      const kept = await quarantine.keep(facts, bodyOf(bytes))
      const key = `2026-11-23-${facts.caseId}.tar.age`
      const expires = '2026-12-23T12:00:00.000Z'
      expect(kept).toEqual({ kept: true, key, bytes: expect.any(Number), expires })
      const { record, body } = await openObject(key)
      expect(body).toEqual(bytes)
      const time = '2026-11-23T12:00:00.000Z'
      expect(record).toEqual({ format: 1, time, expires, bytes: length, ...facts })
      const object = await bucket.head(key)
      expect(object?.size).toBe(kept.kept && kept.bytes)
    },
  )

  it.each([1, 7, 4096, 200_000])('takes a body in chunks of %i bytes', async (chunkBytes) => {
    const bytes = randomBytes(20_000, 1)
    const facts = factsOf()
    const kept = await quarantineWith().keep(facts, bodyOf(bytes, chunkBytes))
    expect((await openObject(kept.kept ? kept.key : '')).body).toEqual(bytes)
  })

  it('seals a body of 17 MiB', async () => {
    const chunk = randomBytes(65_536, 5)
    const length = 272 * chunk.length
    const chunks = () => Array.from({ length: 272 }, () => chunk)
    const kept = await quarantineWith().keep(factsOf(), { length, chunks })
    const { body } = await openObject(kept.kept ? kept.key : '')
    expect(body.length).toBe(length)
    expect(body.subarray(-chunk.length)).toEqual(chunk)
  })

  it('stores nothing in the clear', async () => {
    const facts = factsOf()
    const text = new TextEncoder().encode('a body that is easy to find '.repeat(100))
    await quarantineWith({ now: () => NOW }).keep(facts, bodyOf(text))
    const [key] = await keys()
    const object = await bucket.get(key!)
    expect(object?.customMetadata).toEqual({
      case: facts.caseId,
      expires: '2026-12-23T12:00:00.000Z',
      format: '1',
    })
    const told = JSON.stringify([key, object?.customMetadata, object?.httpMetadata])
    const stored = new TextDecoder('latin1').decode(await object!.arrayBuffer())
    for (const word of ['files.example', 'holiday', 'image/jpeg', 'csam', 'entry-1', 'easy to']) {
      expect(told).not.toContain(word)
      expect(stored).not.toContain(word)
    }
    expect(stored.startsWith('age-encryption.org/v1\n-> X25519 ')).toBe(true)
  })

  it('seals the same body differently each time', async () => {
    const body = bodyOf(randomBytes(100, 1))
    await quarantineWith().keep(factsOf(), body)
    await quarantineWith().keep(factsOf(), body)
    const [one, other] = await Promise.all((await keys()).map((key) => bucket.get(key)))
    expect(await one?.text()).not.toBe(await other?.text())
  })

  it('opens for each of several recipients, of both kinds, and for no one else', async () => {
    const hybrid = await generateHybridIdentity()
    const recipients = [recipient, await identityToRecipient(hybrid)]
    const bytes = randomBytes(1000, 2)
    const kept = await quarantineWith({ recipients }).keep(factsOf(), bodyOf(bytes))
    const key = kept.kept ? kept.key : ''
    expect((await openObject(key, identity)).body).toEqual(bytes)
    expect((await openObject(key, hybrid)).body).toEqual(bytes)
    const other = await generateIdentity()
    await expect(openObject(key, other)).rejects.toThrow(WrongIdentityError)
    expect((await openObject(key, other, identity)).body).toEqual(bytes)
  })

  it('keeps many at once, each with its own', async () => {
    const quarantine = quarantineWith()
    const bodies = Array.from({ length: 20 }, (_, i) => randomBytes(100_000 + i, i))
    const kept = await Promise.all(bodies.map((body) => quarantine.keep(factsOf(), bodyOf(body))))
    for (const [i, one] of kept.entries()) {
      expect((await openObject(one.kept ? one.key : '')).body).toEqual(bodies[i])
    }
  })

  it('opens nothing that was changed, at any place', async () => {
    const kept = await quarantineWith().keep(factsOf(), bodyOf(randomBytes(150_000, 3)))
    const key = kept.kept ? kept.key : ''
    const object = { key, caseId: key.slice(11, 47), bytes: 0, expires: '' }
    const sealed = new Uint8Array(await (await bucket.get(key))!.arrayBuffer())
    const open = (bytes: Uint8Array) => openSealed(object, bytes, [identity])
    expect((await open(sealed)).body.length).toBe(150_000)
    for (const at of [0, 30, 120, 150, 190, 300, 70_000, sealed.length - 1]) {
      const changed = sealed.slice()
      changed[at]! ^= 1
      await expect(open(changed), `byte ${at}`).rejects.toThrow(
        /was not sealed to|does not match its seal/,
      )
    }
    for (const length of [0, 10, 200, 66_000, 131_300, sealed.length - 1]) {
      await expect(open(sealed.subarray(0, length)), `${length}`).rejects.toThrow(
        ObjectDamagedError,
      )
    }
    const longer = new Uint8Array([...sealed, 0])
    await expect(open(longer)).rejects.toThrow(ObjectDamagedError)
  })

  it('opens nothing that was sealed for another case', async () => {
    const kept = await quarantineWith().keep(factsOf(), bodyOf(randomBytes(10, 3)))
    const sealed = await (await bucket.get(kept.kept ? kept.key : ''))!.arrayBuffer()
    const caseId = crypto.randomUUID()
    const object = { key: 'copied', caseId, bytes: 0, expires: '' }
    await expect(openSealed(object, new Uint8Array(sealed), [identity])).rejects.toThrow(
      'copied was sealed for another case',
    )
  })

  it('tries twice, and says when R2 fails', async () => {
    let tries = 0
    const put = async () => {
      tries++
      throw new Error('put: We encountered an internal error. Please try again. (10001)')
    }
    const failing = quarantineWith({ bucket: bucketThat({ put }) })
    expect(await failing.keep(factsOf(), bodyOf(randomBytes(200_000, 1)))).toEqual({
      kept: false,
      reason: 'not-stored',
      error: 'Error 10001',
    })
    expect(tries).toBe(2)
    expect(await keys()).toEqual([])
  })

  it('is stored by the second try, whole', async () => {
    let tries = 0
    const put = async (key: string, value: ReadableStream, options: R2PutOptions) => {
      if (tries++ > 0) return bucket.put(key, value, options)
      await value.getReader().read()
      throw new Error('lost')
    }
    const flaky = quarantineWith({ bucket: bucketThat({ put } as Partial<R2Bucket>) })
    const bytes = randomBytes(200_000, 1)
    const kept = await flaky.keep(factsOf(), bodyOf(bytes))
    expect((await openObject(kept.kept ? kept.key : '')).body).toEqual(bytes)
  })

  it('does not wait for R2 forever', async () => {
    const put = () => new Promise(() => {})
    const hanging = bucketThat({ put } as unknown as Partial<R2Bucket>)
    const quarantine = quarantineWith({ bucket: hanging, maxKeepMs: 50 })
    expect(await quarantine.keep(factsOf(), bodyOf(randomBytes(200_000, 1)))).toEqual({
      kept: false,
      reason: 'not-stored',
      error: 'quarantine-timeout: R2 did not store the body in 50 ms',
    })
  })

  it('stores nothing of a body that fails or ends early', async () => {
    const failing = {
      length: 1000,
      *chunks() {
        yield randomBytes(10, 1)
        throw new TypeError('detached')
      },
    }
    const short = { length: 1000, chunks: () => [randomBytes(999, 1)] }
    for (const body of [failing, short]) {
      const kept = await quarantineWith().keep(factsOf(), body)
      expect(kept).toMatchObject({ kept: false, reason: 'not-stored' })
    }
    expect(await keys()).toEqual([])
  })

  it('says when it cannot be sealed', async () => {
    // Of low order: no secret can be agreed on with it.
    const recipients = ['age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z']
    const kept = await quarantineWith({ recipients }).keep(factsOf(), bodyOf(randomBytes(10, 1)))
    expect(kept).toMatchObject({ kept: false, reason: 'not-sealed' })
    expect(await keys()).toEqual([])
  })
})

describe('a sweep', () => {
  it('deletes what has expired, to the millisecond, and nothing else', async () => {
    const at = (now: number, days = 30) => quarantineWith({ now: () => now, days })
    await at(NOW).keep(factsOf(), bodyOf(randomBytes(10, 1)))
    const [first] = await keys()
    await at(NOW + DAY_MS).keep(factsOf(), bodyOf(randomBytes(10, 1)))
    await at(NOW, 400).keep(factsOf(), bodyOf(randomBytes(10, 1)))
    await bucket.put('2020-01-01-of-somebody-else', 'x', { customMetadata: { expires: '2020' } })
    const swept = (now: number) => at(now).deleteExpired()
    const nothing = { deleted: 0, left: 3, others: 1, isWhole: true }
    expect(await swept(NOW + 30 * DAY_MS - 1)).toEqual(nothing)
    expect(await keys()).toContain(first)
    expect(await swept(NOW + 30 * DAY_MS)).toEqual({ ...nothing, deleted: 1, left: 2 })
    expect(await keys()).not.toContain(first)
    expect(await swept(NOW + 31 * DAY_MS)).toEqual({ ...nothing, deleted: 1, left: 1 })
    expect(await swept(NOW + 400 * DAY_MS)).toEqual({ ...nothing, deleted: 1, left: 0 })
    expect(await keys()).toEqual(['2020-01-01-of-somebody-else'])
  })

  it('goes through pages, and stops at some number of them', async () => {
    const ids = Array.from({ length: 45 }, () => crypto.randomUUID())
    const quarantine = (page: number) => {
      const list = (options: R2ListOptions) => bucket.list({ ...options, limit: page })
      return quarantineWith({ bucket: bucketThat({ list }), now: () => NOW + 31 * DAY_MS })
    }
    for (const [i, id] of ids.entries()) {
      const time = new Date(NOW + (i % 3) * DAY_MS).toISOString()
      const expires = new Date(NOW + (30 + (i % 3)) * DAY_MS).toISOString()
      const customMetadata = { case: id, expires, format: '1' }
      await bucket.put(`${time.slice(0, 10)}-${id}.tar.age`, 'x', { customMetadata })
    }
    expect(await quarantine(2).deleteExpired()).toEqual({
      deleted: 30,
      left: 10,
      others: 0,
      isWhole: false,
    })
    expect(await quarantine(2).deleteExpired()).toMatchObject({ left: 15, isWhole: true })
  })

  it('fails as R2 does', async () => {
    const list = async () => {
      throw new Error('list: internal error (10001)')
    }
    const failing = quarantineWith({ bucket: bucketThat({ list }) })
    await expect(failing.deleteExpired()).rejects.toThrow('internal error')
  })
})

describe('a recipient', () => {
  const problem = (recipients: string[]) => {
    try {
      readConfig({ HASHGATE: { quarantine: { recipients } } })
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }

  it('is a key of any kind', async () => {
    const hybrid = await identityToRecipient(await generateHybridIdentity())
    expect(problem([recipient, hybrid])).toBe('')
  })

  it('is rejected in any other form, and there are 16 at most', async () => {
    const many = await Promise.all(
      Array.from({ length: 17 }, async () => identityToRecipient(await generateIdentity())),
    )
    for (const text of ['x', 'age1', `${recipient},`, identity])
      expect(problem([text])).toContain('quarantine.recipients.0 must be an age public key')
    expect(problem(many)).toContain('must have at most 16 keys')
    expect(problem(many.slice(1))).toBe('')
  })

  it('is not one whose check sum is wrong', () => {
    const twisted = withOtherEnd(recipient, 'q', 'p')
    const settings = { recipients: [twisted], days: 30 }
    expect(() => quarantineOf(settings, { QUARANTINE: bucket })).toThrow(
      'must be an age public key',
    )
  })
})

describe('parseIdentities', () => {
  it('reads what age-keygen writes', () => {
    const text = `# created: 2026-11-23\n# public key: ${recipient}\n${identity}\r\n\n`
    expect(parseIdentities(text)).toEqual([identity])
  })

  it('does not repeat an invalid one', () => {
    const bad = withOtherEnd(identity, 'A', 'Q')
    for (const text of ['', '# nothing\n', bad, recipient, 'AGE-PLUGIN-YUBIKEY-1AAAA']) {
      expect(() => parseIdentities(text)).toThrow(WrongIdentityError)
    }
    expect(() => parseIdentities(`# x\n${bad}`)).toThrow(/^line 2 of the identity file is no/)
  })
})
