// Clients that send slowly, or claim much and send little, beside honest ones: nobody holds the gate.

import type { ClientRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { randomBytes } from '../support/random.ts'
import { startUploads } from '../support/uploads.ts'

const KIB = 1024
const MIB = 1024 * KIB

const { origin, known, unrelated, health, send } = await startUploads({
  upload: {
    maxBufferedBytes: 4 * MIB,
    maxBodyBytes: 64 * MIB,
    maxHeldBytes: 8 * MIB,
    maxDecoders: 2,
    maxWaitSeconds: 40,
    clientStallSeconds: 60,
  },
})

/** Clients that send so much at once, and then a few bytes each second, until they are stopped or told something. */
function slowClients(count: number, bytes: number, atOnce: number) {
  const statuses: number[] = []
  const requests: ClientRequest[] = []
  const body = randomBytes(atOnce, 1)
  const sending = Array.from({ length: count }, () =>
    send(new Uint8Array(0), {
      headers: { 'content-length': String(bytes) },
      write: (request) => {
        requests.push(request)
        request.write(body)
      },
    }).then(
      ({ status }) => statuses.push(status),
      () => undefined,
    ),
  )
  const timer = setInterval(() => {
    for (const request of requests) if (!request.destroyed) request.write(body.subarray(0, 99))
  }, 1000)
  return {
    statuses,
    stop: async () => {
      clearInterval(timer)
      for (const request of requests) request.destroy()
      await Promise.all(sending)
    },
  }
}

/** For a machine that has much else to do. */
const WAIT = { timeout: 60_000 }

async function untilHeld(bytes: number): Promise<void> {
  const held = async () => (await health()).uploads.heldBytes
  await expect.poll(held, WAIT).toBeGreaterThanOrEqual(bytes)
}

describe('a hundred slow clients', { timeout: 180_000 }, () => {
  it('keep no honest client out, whatever they claim, and hold no more than they have sent', async () => {
    const slow = slowClients(100, 4 * MIB, 70 * KIB)
    await untilHeld(3.5 * MIB) // all that there is, but for what one of them needs to come to its end
    const honest = Array.from({ length: 6 }, (_, i) => send(i % 3 === 0 ? known : unrelated))
    const large = send(randomBytes(3 * MIB, 9))
    const statuses = (await Promise.all(honest)).map(({ status }) => status)
    expect(statuses).toEqual([451, 201, 201, 451, 201, 201])
    expect((await large).status).toBe(201)
    await expect.poll(() => slow.statuses.length, { timeout: 60_000 }).toBeGreaterThan(20)
    expect(new Set(slow.statuses)).toEqual(new Set([408])) // others wait for what they hold
    await slow.stop()
    await untilNothingIsHeld()
  })

  it('with long uploads take no room from short ones, and none forever from long ones', async () => {
    const slow = slowClients(4, 32 * MIB, 300 * KIB)
    await untilHeld(256 * KIB)
    const [short, long] = await Promise.all([send(known), send(randomBytes(5 * MIB, 3))])
    expect([short.status, long.status]).toEqual([451, 201])
    await slow.stop()
    await untilNothingIsHeld()
  })
})

async function untilNothingIsHeld(): Promise<void> {
  const uploads = async () => (await health()).uploads
  await expect.poll(uploads, WAIT).toEqual({ heldBytes: 0, waiting: 0, decoders: 0 })
}

describe('bodies that do not say their length', () => {
  it('do not starve each other, though not all of them fit', { timeout: 120_000 }, async () => {
    const body = randomBytes(2.75 * MIB, 4)
    const chunks = Array<number>(44).fill(64 * KIB)
    const sending = Array.from({ length: 6 }, () => send(body, { chunks }))
    const statuses = (await Promise.all(sending)).map(({ status }) => status)
    expect(statuses).toEqual(Array(6).fill(201))
    const arrived = origin.received.filter((one) => one.body.length === body.length)
    expect(arrived.map((one) => one.body.equals(body))).toEqual(Array(6).fill(true))
  })
})
