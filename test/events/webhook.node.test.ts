import { Buffer } from 'node:buffer'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { signatureHeaders } from '../../src/events/webhook.ts'
import { randomBytes } from '../support/random.ts'

const ID = '0b5f4a2e-6a0c-4a55-9d4e-5a3c1a0f7f10'
const BODY = '{"path":"/files/ä%20\u{1f600}"}'

function secretOf(bytes: Uint8Array): string {
  return `whsec_${Buffer.from(bytes).toString('base64')}`
}

describe('signatureHeaders', () => {
  const [one, two, other] = [24, 64, 32].map((bytes) => Buffer.from(randomBytes(bytes, bytes)))
  const now = Math.floor(Date.now() / 1000)

  it('signs as the official library does', () => {
    for (const secret of [one!, two!]) {
      const headers = signatureHeaders(ID, now, BODY, [secret])
      const library = new Webhook(secretOf(secret))
      expect(headers['webhook-signature']).toBe(library.sign(ID, new Date(now * 1000), BODY))
      expect(library.verify(BODY, headers)).toEqual(JSON.parse(BODY))
    }
  })

  it('signs with the vector of the specification’s libraries', () => {
    const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
    const headers = signatureHeaders(
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
      [secret],
    )
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('signs with each secret while they are changed, and with no other', () => {
    const headers = signatureHeaders(ID, now, BODY, [one!, two!])
    for (const secret of [one!, two!]) {
      expect(new Webhook(secretOf(secret)).verify(BODY, headers)).toBeDefined()
    }
    expect(() => new Webhook(secretOf(other!)).verify(BODY, headers)).toThrow(
      'No matching signature',
    )
  })

  it('signs the id, the time and each byte', () => {
    const headers = signatureHeaders(ID, now, BODY, [one!])
    const library = new Webhook(secretOf(one!))
    const bad = 'No matching signature'
    expect(() => library.verify(`${BODY} `, headers)).toThrow(bad)
    expect(() => library.verify(BODY, { ...headers, 'webhook-id': ID.replace('0', '1') })).toThrow(
      bad,
    )
    const later = { ...headers, 'webhook-timestamp': String(now + 1) }
    expect(() => library.verify(BODY, later)).toThrow(bad)
    const old = signatureHeaders(ID, now - 301, BODY, [one!])
    expect(() => library.verify(BODY, old)).toThrow('too old')
  })
})
