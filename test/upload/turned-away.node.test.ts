// Uploads for which there is no room in time, between real sockets.

import type { ClientRequest } from 'node:http'
import { expect, it } from 'vitest'
import { randomBytes } from '../support/random.ts'
import { startUploads } from '../support/uploads.ts'

const MEGABYTE = 1_000_000

const { origin, known, unrelated, health, send } = await startUploads({
  upload: {
    maxBufferedBytes: 1.05 * MEGABYTE,
    maxHeldBytes: 3.2 * MEGABYTE,
    maxWaitSeconds: 2,
    clientStallSeconds: 120,
  },
})

/** Uploads of a megabyte of which the end does not come. Returns what ends them. */
function beginUploads(count: number): () => Promise<void> {
  const requests: ClientRequest[] = []
  const sent = Array.from({ length: count }, () =>
    send(new Uint8Array(0), {
      headers: { 'content-length': String(MEGABYTE) },
      write: (request) => {
        requests.push(request)
        request.write(large(unrelated).subarray(0, MEGABYTE - 1000))
      },
    }),
  )
  return async () => {
    for (const request of requests) request.destroy()
    await Promise.allSettled(sent)
  }
}

async function heldBytes(): Promise<number> {
  return (await health()).uploads.heldBytes
}

/** A picture with as much behind its end as makes a megabyte of it. */
function large(image: Uint8Array): Uint8Array {
  return Buffer.concat([image, randomBytes(MEGABYTE - image.length, 1)])
}

const WAIT = { timeout: 60_000 }

it('are turned away when nothing is given back in time, while small ones find room', async () => {
  const end = beginUploads(3)
  await expect.poll(heldBytes, WAIT).toBe(3 * 15 * 65_536) // in chunks, but for the last
  const answers = await Promise.all([large(known), large(unrelated), unrelated].map((b) => send(b)))
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 201])
  expect(Number(answers[0]?.headers['retry-after'])).toBeGreaterThan(0)
  expect(origin.received.map(({ body }) => body.length)).toEqual([unrelated.length])

  await end()
  await expect.poll(heldBytes, WAIT).toBe(0)
  const later = await Promise.all([large(known), large(unrelated)].map((body) => send(body)))
  expect(later.map(({ status }) => status)).toEqual([451, 201])
})
