import { env } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { readConfig } from '../../src/config/config.ts'
import { judge } from '../../src/gate/verdict.ts'
import { DIGEST_KINDS, type DigestKind } from '../../src/list/entry.ts'
import { digestKindsOf, type Manifest } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { rekey } from '../../src/list/rekey.ts'
import { MemoryStore } from '../../src/list/store.ts'
import type { MatchResult, Query } from '../../src/match/match.ts'
import { FileDigester } from '../../src/scan/digests.ts'
import type { Outcome } from '../../src/upload/outcome.ts'
import { passUpload } from '../../src/upload/pass-upload.ts'
import type { UploadDeps } from '../../src/upload/passing.ts'
import { stagingOf } from '../../src/upload/staging/staging.ts'
import { Semaphore } from '../../src/util/semaphore.ts'
import { randomDigests, randomEntries } from '../support/entries.ts'
import { fixture } from '../support/fixtures.ts'

const file = fixture('otherJpeg')
const digester = new FileDigester(['md5'])
digester.update(file)
const { md5 } = digester.digest()

/** A list that has the file's MD5, and nothing else. */
function answerFor({ digests }: Query): MatchResult {
  const isKnown = digests?.md5?.every((byte, i) => byte === md5[i]) ?? false
  const match = {
    bank: 'csam',
    entry: 'known',
    labels: {},
    distance: 0,
    threshold: 0,
    tolerance: 0,
  }
  return { matches: isKnown ? [{ ...match, probe: 'md5' }] : [], isComplete: true }
}

/** Uploads the file while a list has, one after another, these kinds of digests. With a bucket, it does not say its length. */
async function upload(
  kinds: (readonly DigestKind[])[],
  vars: object = {},
  staging?: UploadDeps['staging'],
) {
  const settings = readConfig(vars)
  const { maxHeldBytes, maxDecoders } = settings.upload
  const semaphore = (max: number) => new Semaphore({ what: '', max, maxWaitMs: 1000, spreadMs: 0 })
  const outcomes: Outcome[] = []
  const forwarded: number[] = []
  const taken: string[][] = []
  let asked = 0
  const passage = await passUpload(
    new Request('https://files.example/', {
      method: 'POST',
      body: file,
      headers: {
        'content-type': 'image/jpeg',
        ...(!staging && { 'content-length': String(file.length) }),
      },
    }),
    {
      context: { modules },
      settings,
      caseId: 'case',
      staging,
      bytes: semaphore(maxHeldBytes),
      pictureBytes: semaphore(maxHeldBytes / 2),
      decoders: semaphore(maxDecoders),
      longPlaces: semaphore(maxDecoders),
      digestKinds: () => kinds[Math.min(asked++, kinds.length - 1)] ?? [],
      judge: (files) => judge(files, async (queries) => queries.map(answerFor), settings),
      onScanned: ({ digests }) => void taken.push(Object.keys(digests ?? {})),
      forward: async (body) => {
        const bytes = await new Response(body).arrayBuffer()
        forwarded.push(bytes.byteLength)
        return new Response('stored', { status: 201 })
      },
      keep: async () => ({ kept: false, reason: 'not-configured' }),
      onOutcome: (outcome) => void outcomes.push(outcome),
    },
  )
  return { passage, outcomes, forwarded, taken }
}

describe('digests of uploads', () => {
  it('are of the kinds that the list has', async () => {
    const { taken, outcomes, forwarded } = await upload([['sha256']])
    expect(taken).toEqual([['sha256']])
    expect(outcomes).toMatchObject([{ action: 'allow' }])
    expect(forwarded).toEqual([file.length])
  })

  it('are taken again of a held body, if the list gets a kind while it comes', async () => {
    const { taken, outcomes, forwarded } = await upload([['sha256'], ['md5', 'sha256']])
    expect(taken).toEqual([['sha256'], [...DIGEST_KINDS]])
    expect(outcomes).toMatchObject([{ action: 'block', reason: 'match' }])
    expect(forwarded).toEqual([])
  })

  it('are taken again of a body that waits in the bucket, if the list gets a kind while it comes', async () => {
    const small = { HASHGATE: { upload: { maxBufferedBytes: 1024 } } }
    const staging = stagingOf(env)
    const kinds: DigestKind[][] = [['sha256'], ['md5', 'sha256']]
    const { taken, outcomes, forwarded } = await upload(kinds, small, staging)
    expect(taken).toEqual([['sha256'], [...DIGEST_KINDS]])
    expect(outcomes).toMatchObject([{ action: 'block', reason: 'match' }])
    expect(forwarded).toEqual([])
    const allowed = await upload([['sha256']], small, staging)
    expect(allowed.taken).toEqual([['sha256']])
    expect(allowed.forwarded).toEqual([file.length])
  })

  it('fail a body that is not held whole, if the list gets a kind while it comes', async () => {
    const { outcomes, passage } = await upload([['sha256'], ['sha1', 'sha256']], {
      HASHGATE: { upload: { maxBufferedBytes: 1024 } },
    })
    expect(outcomes).toMatchObject([{ action: 'refuse', reason: 'failed' }])
    expect(passage).toMatchObject({ isPassed: false, outcome: { reason: 'failed' } })
  })
})

describe('digestKindsOf', () => {
  const ofKind = (kind: DigestKind) => randomDigests(30, 1).filter((entry) => entry.kind === kind)

  it('tells what was published, and SHA-256 always', async () => {
    const store = new MemoryStore()
    const publish = (bank: string, entries: Parameters<typeof publishBank>[1]) =>
      publishBank(store, entries, { bank })
    const kinds = ({ manifest }: { manifest: Manifest }) => digestKindsOf(manifest)
    expect(kinds(await publish('a', randomEntries(5, 1)))).toEqual(['sha256'])
    expect(kinds(await publish('b', ofKind('sha1')))).toEqual(['sha1', 'sha256'])
    expect(kinds(await publish('c', [...ofKind('md5'), ...ofKind('sha256')]))).toEqual(DIGEST_KINDS)
    expect(digestKindsOf(await rekey(store))).toEqual(DIGEST_KINDS)
    expect(kinds(await publish('c', ofKind('sha256')))).toContain('sha1')
    expect(digestKindsOf(await rekey(store))).toContain('sha1')
  })

  it('is all of a list that does not say, as older publishers wrote it', async () => {
    const { manifest } = await publishBank(new MemoryStore(), ofKind('sha1'), { bank: 'a' })
    const banks = manifest.banks.map((bank) => ({
      ...bank,
      segments: bank.segments.map(({ kind, name, count }) => ({ kind, name, count })),
    }))
    expect(digestKindsOf({ banks })).toEqual(DIGEST_KINDS)
  })
})
