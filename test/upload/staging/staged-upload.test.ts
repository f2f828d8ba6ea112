import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { newKey } from '../../../src/upload/staging/part-writer.ts'
import type { StagedPart, StagedUpload } from '../../../src/upload/staging/staged-upload.ts'
import {
  newUpload,
  type Staging,
  type UploadHandle,
  uploadOf,
} from '../../../src/upload/staging/staging.ts'

const { STAGING: bucket, UPLOADS: uploads } = env as unknown as {
  STAGING: R2Bucket
  UPLOADS: DurableObjectNamespace<StagedUpload>
}
const staging: Staging = { bucket, uploads }
const HOUR = 3_600_000
const facts = { target: '/files', headers: { 'content-type': 'image/jpeg' } }

async function begin(length?: number, expiresAt = Date.now() + HOUR): Promise<UploadHandle> {
  const upload = newUpload(staging)
  await upload.stub.begin({ ...facts, ...(length !== undefined && { length }) }, expiresAt)
  return upload
}

async function stage({ id }: UploadHandle, number: number, bytes: number): Promise<StagedPart> {
  const key = newKey(id, number)
  await bucket.put(key, new Uint8Array(bytes))
  return { number, key, bytes, md5: `md5 of ${number}` }
}

async function keys(): Promise<string[]> {
  return (await bucket.list()).objects.map(({ key }) => key)
}

/** The time is another in the object from now on, and stands still. */
function passTime(ms: number): void {
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + ms)
}

afterEach(async () => {
  vi.restoreAllMocks()
  await bucket.delete(await keys())
})

describe('StagedUpload', () => {
  it('lets who asks wait for the attempt that goes on, and for what it is answered', async () => {
    const upload = await begin(10)
    await upload.stub.append(0, [await stage(upload, 0, 10)], 'digest')
    const waiting = Promise.all([upload.stub.settled(), upload.stub.settled()])
    const answer = { status: 204, headers: {}, body: '' }
    await upload.stub.settle(1, 'done')
    await upload.stub.remember(answer)
    for (const state of await waiting)
      expect(state).toMatchObject({ phase: 'done', ending: 'digest', answer })
    const slow = await begin(20)
    await slow.stub.append(0, [await stage(slow, 0, 10)])
    const patient = slow.stub.settled()
    await slow.stub.append(10, [await stage(slow, 1, 10)], 'digest')
    await slow.stub.settle(1, 'done')
    await slow.stub.remember(answer)
    expect(await patient).toMatchObject({ phase: 'done', answer })
    const failed = await begin(10)
    await failed.stub.append(0, [await stage(failed, 0, 10)], 'digest')
    const before = failed.stub.settled()
    await failed.stub.settle(1, 'open')
    expect(await before).toMatchObject({ phase: 'open', offset: 9 })
    await failed.stub.append(9, [await stage(failed, 1, 1)])
    expect((await failed.stub.look())?.ending).toBeUndefined()
    await failed.stub.settle(2, 'done')
    expect(await uploads.get(uploads.newUniqueId()).settled()).toBeUndefined()
  })

  it('takes parts only where it is', async () => {
    const upload = await begin(100)
    const first = await stage(upload, 0, 40)
    expect(await upload.stub.append(0, [first])).toMatchObject({ phase: 'open', offset: 40 })
    expect(await upload.stub.append(0, [await stage(upload, 0, 50)])).toBeUndefined()
    const longer = await stage(upload, 0, 60)
    expect(await upload.stub.append(40, [longer])).toMatchObject({ offset: 60 })
    expect(await upload.stub.parts()).toEqual([longer])
  })

  it('is finished by one request, and stays as it was judged', async () => {
    const upload = await begin(10)
    const part = await stage(upload, 0, 10)
    const taken = await Promise.all([upload.stub.append(0, [part]), upload.stub.append(0, [part])])
    expect(taken.map((state) => state?.phase)).toEqual(['finishing', undefined])
    expect(await upload.stub.append(10, [await stage(upload, 1, 1)])).toBeUndefined()
    expect(await upload.stub.end()).toBe(false)
    await upload.stub.settle(1, 'done')
    expect(await upload.stub.look()).toMatchObject({ phase: 'done', offset: 10 })
    expect(await keys()).toEqual([])
  })

  it('gives its last byte up when an attempt is to be repeated, or was lost', async () => {
    const upload = await begin(10)
    const part = await stage(upload, 0, 10)
    await upload.stub.append(0, [part])
    await upload.stub.settle(1, 'open')
    expect(await upload.stub.look()).toMatchObject({ phase: 'open', offset: 9 })
    passTime(0)
    await upload.stub.append(9, [part])
    passTime(140_000)
    expect(await upload.stub.renew(2)).toBe(true)
    passTime(140_000)
    expect(await upload.stub.look()).toMatchObject({ phase: 'finishing' })
    passTime(160_000)
    expect(await upload.stub.look()).toMatchObject({ phase: 'open', offset: 9 })
    expect(await upload.stub.renew(2)).toBe(false)
    await upload.stub.settle(2, 'done')
    expect(await upload.stub.look()).toMatchObject({ phase: 'open' })
  })

  it('gives a last part of one byte up', async () => {
    const upload = await begin(11)
    await upload.stub.append(0, [await stage(upload, 0, 10), await stage(upload, 1, 1)])
    await upload.stub.settle(1, 'open')
    expect(await upload.stub.look()).toMatchObject({ phase: 'open', offset: 10 })
    expect(await upload.stub.parts()).toHaveLength(1)
  })

  it('deletes its parts when it expires, and what comes late, and forgets', async () => {
    const upload = await begin(100)
    await upload.stub.append(0, [await stage(upload, 0, 40), await stage(upload, 1, 10)])
    await stage(upload, 2, 10) // was never told
    const other = await begin(100)
    const kept = await stage(other, 0, 10)
    expect(await runDurableObjectAlarm(upload.stub)).toBe(true)
    expect(await keys()).toEqual([kept.key])
    expect(await upload.stub.look()).toMatchObject({ phase: 'expired' })
    expect(await upload.stub.append(50, [await stage(upload, 2, 10)])).toBeUndefined()
    expect(await runDurableObjectAlarm(upload.stub)).toBe(true)
    expect(await keys()).toEqual([kept.key])
    expect(await upload.stub.look()).toBeUndefined()
    expect(await runDurableObjectAlarm(upload.stub)).toBe(false)
  })

  it('does not expire while it is judged', async () => {
    const upload = await begin(10)
    await upload.stub.append(0, [await stage(upload, 0, 10)])
    expect(await runDurableObjectAlarm(upload.stub)).toBe(true)
    expect(await upload.stub.look()).toMatchObject({ phase: 'finishing' })
    expect(await keys()).toHaveLength(1)
  })

  it('has its alarm when it expires', async () => {
    const expiresAt = Date.now() + 5 * HOUR
    const upload = await begin(10, expiresAt)
    const alarm = await runInDurableObject(upload.stub, (_, state) => state.storage.getAlarm())
    expect(alarm).toBe(expiresAt)
  })

  it('is found by its name alone, which nobody can guess', async () => {
    const { id } = await begin(10)
    expect(uploadOf(id, staging)?.id).toBe(id)
    for (const name of ['', 'x', `${id}0`, id.slice(1), `0${id.slice(1)}`, `${id.slice(0, -1)}0`]) {
      if (name !== id) expect(uploadOf(name, staging)).toBeUndefined()
    }
  })
})
