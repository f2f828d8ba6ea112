// Tokens of Cloudflare Access, against a server on loopback that has the team's keys, as Access publishes them.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Validator } from '@seriousme/openapi-schema-validator'
import { sign } from 'hono/jwt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GateHarness, startGateWith } from '../../support/gate-harness.ts'

const AUDIENCE = 'ab'.repeat(32)
const OTHER_AUDIENCE = 'ef'.repeat(32)
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
}

interface SigningKey {
  kid: string
  privateKey: JsonWebKey
  publicKey: JsonWebKey
}

let keys: SigningKey[]
let stranger: SigningKey
let certs: Server
let reads = 0
let isDown = false
let issuer: string
let gate: GateHarness

async function makeKey(kid: string): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.exportKey('jwk', pair.privateKey),
    crypto.subtle.exportKey('jwk', pair.publicKey),
  ])
  return { kid, privateKey, publicKey }
}

beforeAll(async () => {
  keys = [await makeKey('one')]
  stranger = await makeKey('one') // names a key that is there
  certs = createServer((request, response) => {
    reads++
    if (isDown || request.url !== '/cdn-cgi/access/certs') {
      response.writeHead(500).end()
      return
    }
    const set = keys.map(({ kid, publicKey }) => ({ ...publicKey, kid, use: 'sig', alg: 'RS256' }))
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: set }))
  })
  await new Promise<void>((resolve) => certs.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(certs.address() as AddressInfo).port}`
  gate = await startGateWith(
    {
      api: {
        access: {
          teamDomain: issuer,
          audience: [OTHER_AUDIENCE, AUDIENCE],
          scopes: ['lookup'],
        },
      },
    },
    [],
  )
})

afterAll(async () => {
  await gate.close()
  await new Promise((resolve) => certs.close(resolve))
})

const now = () => Math.floor(Date.now() / 1000)

/** A token as Access makes them of a service token, with claims that are other. */
async function tokenOf({ kid, privateKey }: SigningKey, claims: object = {}): Promise<string> {
  const all = {
    iss: issuer,
    aud: [AUDIENCE],
    exp: now() + 3600,
    iat: now(),
    common_name: 'tool.access',
    ...claims,
  }
  return sign(all, { ...privateKey, kid, alg: 'RS256' }, 'RS256')
}

async function ask(token: string, path = '/status'): Promise<Response> {
  return fetch(new URL(path, gate.url), { headers: { 'cf-access-jwt-assertion': token } })
}

describe('a token of Cloudflare Access', () => {
  it('is as good as a key, for its scopes', async () => {
    const token = await tokenOf(keys[0]!)
    const response = await ask(token)
    expect([response.status, await response.text()]).toEqual([200, 'I-AM-ALIVE'])
    const lookup = await ask(token, `/m/raw_lookup?signal_type=pdq&signal=${'a'.repeat(64)}`)
    expect(lookup.status).toBe(200)
    const denied = await fetch(new URL('/v1/verdict', gate.url), {
      method: 'POST',
      body: 'x',
      headers: { 'cf-access-jwt-assertion': token },
    })
    expect(denied.status).toBe(403)
    expect((await ask(await tokenOf(keys[0]!, { aud: OTHER_AUDIENCE }))).status).toBe(200)
    expect(gate.log.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ event: 'lookup', caller: 'access:tool.access' }),
    )
    expect(reads).toBe(1)
  })

  it('gets the OpenAPI document, which is one by the schema of the standard', async () => {
    const response = await ask(await tokenOf(keys[0]!), '/v1/openapi.json')
    const validator = new Validator()
    const document = (await response.json()) as Record<string, unknown>
    expect(await validator.validate(document)).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  it('is of the team, for the application, and of now', async () => {
    const key = keys[0]!
    const before = reads
    const wrong = [
      tokenOf(stranger),
      tokenOf(key, { iss: 'https://other.cloudflareaccess.com' }),
      tokenOf(key, { aud: ['cd'.repeat(32)] }),
      tokenOf(key, { aud: undefined }),
      tokenOf(key, { aud: `${OTHER_AUDIENCE}, ${AUDIENCE}` }),
      tokenOf(key, { exp: now() - 1 }),
      tokenOf(key, { exp: undefined }),
      tokenOf(key, { nbf: now() + 3600 }),
      sign(
        { iss: issuer, aud: AUDIENCE, exp: now() + 3600 },
        JSON.stringify(key.publicKey),
        'HS256',
      ),
      Promise.resolve(''),
      Promise.resolve('a.b.c'),
      Promise.resolve('x'.repeat(8000)),
      tokenOf(key).then((token) => `${token.slice(0, token.lastIndexOf('.'))}.`),
      tokenOf(key).then((token) =>
        [btoa('{"alg":"none","kid":"one"}'), token.split('.')[1], ''].join('.'),
      ),
    ]
    for (const [i, token] of (await Promise.all(wrong)).entries())
      expect([i, (await ask(token)).status]).toEqual([i, 401])
    expect(reads).toBe(before)
  })

  it('is not good if it was signed with a key that the team does not have', async () => {
    expect((await ask(await tokenOf(await makeKey('two')))).status).toBe(401)
  })

  it('is not taken for good, nor for bad, when the keys cannot be read', async () => {
    isDown = true
    const other = await startGateWith(
      { api: { access: { teamDomain: issuer, audience: [AUDIENCE] } } },
      [],
    )
    try {
      const response = await fetch(new URL('/status', other.url), {
        headers: { 'cf-access-jwt-assertion': await tokenOf(keys[0]!) },
      })
      expect(response.status).toBe(503)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(other.log.map((line) => JSON.parse(line) as object)).toMatchObject([
        { event: 'api-error', error: expect.stringContaining('key-set-unavailable') },
      ])
    } finally {
      isDown = false
      await other.close()
    }
  })
})
