// Texts that make as much work as they may, through the Worker in workerd: others are answered meanwhile.

import { describe, expect, it } from 'vitest'
import { randomBytes } from '../support/random.ts'
import { turnsBeside } from '../support/turns.ts'
import { startUploads } from '../support/uploads.ts'

const { send, health } = await startUploads({ upload: { clientStallSeconds: 120 } })

const signs = Buffer.from(randomBytes(1024 * 1024, 6)).map((byte) => 33 + (byte % 94))

describe('the health of the gate can be asked beside', () => {
  it.each<[what: string, body: Uint8Array, type: string, turns: number]>([
    ['signs of all kinds, as in ASCII85', signs, 'text/plain', 30],
    ['values like zlib', repeated(`"eJyr${'A'.repeat(44)}",`, 20_000), 'application/json', 20],
    ['escapes', repeated('%41\\u0041&#65;=41', 30_000), 'application/x-www-form-urlencoded', 20],
  ])('%s', async (_, body, type, least) => {
    const headers = { 'content-type': type }
    const { result, turns } = await turnsBeside(send(body, { headers }), health)
    expect(result.status).toBe(201)
    expect(turns).toBeGreaterThan(least)
  })
})

function repeated(unit: string, times: number): Buffer {
  return Buffer.from(unit.repeat(times))
}
