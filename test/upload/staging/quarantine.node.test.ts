// The quarantine and uploads in parts: it keeps what is held, and the parts are deleted.

import { generateIdentity, identityToRecipient } from 'age-encryption'
import * as tus from 'tus-js-client'
import { expect, it } from 'vitest'
import { randomBytes } from '../../support/random.ts'
import { startStaging } from '../../support/staging-harness.ts'

const MIB = 1024 * 1024
const { origin, url, known, quarantined, expectNothingStaged } = await startStaging(
  {
    tus: { path: '/files' },
    upload: { maxBufferedBytes: MIB },
    policy: { banks: { csam: { action: 'quarantine' } } },
    quarantine: { recipients: [await identityToRecipient(await generateIdentity())] },
  },
  './test/upload/staging/wrangler.quarantine.toml',
)

it.each([
  ['short', 0, 1],
  ['long', 9 * MIB, 0],
])('keeps an upload in parts as it would another: %s', async (_, more, kept) => {
  const file = Buffer.concat([known, randomBytes(more, 1)])
  const before = await quarantined()
  const uploading = new Promise<number>((resolve) => {
    const onError = (error: Error | tus.DetailedError) =>
      resolve(error instanceof tus.DetailedError ? (error.originalResponse?.getStatus() ?? 0) : 0)
    const endpoint = new URL('/files', url).href
    new tus.Upload(file, { endpoint, onError, onSuccess: () => resolve(200) }).start()
  })
  expect(await uploading).toBe(451)
  await expectNothingStaged()
  const after = await quarantined()
  expect(after).toHaveLength(before.length + kept)
  if (kept > 0) expect(Math.max(...after)).toBeGreaterThan(file.length)
  expect(origin.connections).toBe(0)
})
