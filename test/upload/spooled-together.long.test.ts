// Bodies that wait in the bucket, many at once, in the proportions of the defaults: none waits for what another holds.

import sharp from 'sharp'
import { expect, it } from 'vitest'
import { randomBytes } from '../support/random.ts'
import { startStaging } from '../support/staging-harness.ts'
import { sendUpload } from '../support/upload-client.ts'

const MIB = 1024 * 1024
const { origin, url, known, unrelated, expectNothingStaged } = await startStaging({
  upload: { maxBufferedBytes: 4 * MIB, maxHeldBytes: 8 * MIB, maxWaitSeconds: 20 },
})

it('all arrive, or are refused if they are known', { timeout: 120_000 }, async () => {
  const statuses = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const body = Buffer.concat([randomBytes(7 * MIB, i), i % 2 === 0 ? unrelated : known])
      const isChunked = i % 4 < 3
      const chunks = Array.from({ length: body.length / 50_000 }, () => 50_000)
      const options = isChunked ? { chunks } : {}
      return (await sendUpload(new URL(`/${i}.jpg`, url), body, options)).status
    }),
  )
  expect(statuses).toEqual([201, 451, 201, 451, 201, 451, 201, 451])
  expect(origin.received.filter(({ isComplete }) => isComplete)).toHaveLength(4)
  await expectNothingStaged()
})

it('pictures arrive that are held, or too long to be', { timeout: 120_000 }, async () => {
  const raw = { width: 1000, height: 1000, channels: 3 } as const
  const noise = await sharp(randomBytes(3_000_000, 5), { raw }).png().toBuffer()
  const tall = await sharp(randomBytes(4_500_000, 6), { raw: { ...raw, height: 1500 } })
    .png()
    .toBuffer()
  const statuses = await Promise.all(
    [noise, tall, noise, tall].map(async (image, i) => {
      const body = Buffer.concat([image, randomBytes(3 * MIB, i)])
      return (await sendUpload(new URL(`/${i}.png`, url), body)).status
    }),
  )
  expect(statuses).toEqual([201, 201, 201, 201])
  await expectNothingStaged()
})
