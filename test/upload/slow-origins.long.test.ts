// Origins that read a long body from the bucket for longer than they may take to answer.

import { expect, it } from 'vitest'
import { randomBytes } from '../support/random.ts'
import { startStaging } from '../support/staging-harness.ts'
import { sendUpload } from '../support/upload-client.ts'
import { digest } from '../support/uploads.ts'

const MIB = 1024 * 1024
const { origin, url, expectNothingStaged } = await startStaging({
  tus: { path: '/files', originPath: '/reads-slowly' },
  upload: { maxBufferedBytes: MIB, maxBodyBytes: 64 * MIB, maxHeldBytes: 8 * MIB },
  origin: { timeoutSeconds: 4 },
})
/** Takes twice as long as the origin may take to answer. */
const body = randomBytes(60 * MIB, 1)

async function expectArrived(): Promise<void> {
  const [received] = origin.received
  expect([received?.isComplete, digest(received!.body)]).toEqual([true, digest(body)])
  await expectNothingStaged()
}

it('get a body without a length to its end', { timeout: 120_000 }, async () => {
  const chunks = Array.from({ length: 60 }, () => MIB)
  const answer = await sendUpload(new URL('/reads-slowly', url), body, { chunks })
  expect(answer.status).toBe(201)
  await expectArrived()
})

it('get an upload in parts to its end', { timeout: 120_000 }, async () => {
  const headers = {
    'tus-resumable': '1.0.0',
    'upload-length': String(body.length),
    'content-type': 'application/offset+octet-stream',
  }
  const answer = await sendUpload(new URL('/files', url), body, { headers })
  expect(answer.status).toBe(201)
  await expectArrived()
})
