import { beforeEach, describe, expect, it } from 'vitest'
import { publish, setUp } from '../support/gate.ts'

const body = new Uint8Array(100)
const URL_OF = 'https://files.example/photos/a'

beforeEach(() => publish())

describe('a request of an upload in parts', () => {
  it.each([
    ['a range', { 'content-range': 'bytes 0-99/1000' }, '', 'content-range'],
    ['tus', { 'tus-resumable': '1.0.0' }, '', 'tus-resumable'],
    ['tus, by its type', { 'content-type': 'Application/Offset+Octet-Stream' }, '', 'content-type'],
    ['a draft of the IETF', { 'upload-complete': '?0' }, '', 'upload-complete'],
    ['a draft, by its type', { 'content-type': 'application/partial-upload' }, '', 'content-type'],
    ['Google', { 'x-goog-upload-command': 'upload' }, '', 'x-goog-upload-command'],
    ['a part of S3', {}, '?partNumber=1&uploadId=x', 'partnumber'],
    ['a part of S3, escaped', {}, '?%75ploadId=x', 'uploadid'],
    ['a block of Azure', {}, '?comp=Block&blockid=x', 'comp'],
  ])('is refused if that is set: %s', async (_, headers, query, how) => {
    const { send, forwarded, verdicts } = setUp({ upload: { onParts: 'refuse' } })
    const answer = await send(body, { method: 'PUT', headers }, URL_OF + query)
    expect([answer.status, forwarded]).toEqual([422, []])
    expect(verdicts()).toMatchObject([
      {
        action: 'refuse',
        reason: 'unscannable',
        error: `part: the request belongs to an upload in parts: ${how}`,
      },
    ])
    const usual = setUp()
    await usual.send(body, { method: 'PUT', headers }, URL_OF + query)
    expect(usual.forwarded).toHaveLength(1)
  })

  it.each([
    ['other parameters', {}, '?comp=metadata&part=1&constructor=1'],
    ['other headers', { 'content-type': 'application/octet-stream', range: 'bytes=0-1' }, ''],
  ])('is not taken for one by %s', async (_, headers, query) => {
    const { send, forwarded } = setUp({ upload: { onParts: 'refuse' } })
    await send(body, { method: 'PUT', headers }, URL_OF + query)
    expect(forwarded).toHaveLength(1)
  })
})
