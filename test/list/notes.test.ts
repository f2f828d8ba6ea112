import { beforeEach, describe, expect, it } from 'vitest'
import * as v from 'valibot'
import { modules } from '../../src/core/workerd.ts'
import { TooManyNotesError, UnknownListBankError } from '../../src/list/errors.ts'
import {
  nextManifest,
  parseManifest,
  manifestValue,
  readManifest,
} from '../../src/list/manifest.ts'
import {
  changeExempt,
  MAX_EXEMPT,
  MAX_TEXT_BYTES,
  MAX_TEXTS,
  publishNotes,
} from '../../src/list/notes.ts'
import { publishBank } from '../../src/list/publish.ts'
import { rekey } from '../../src/list/rekey.ts'
import { rollBack } from '../../src/list/rollback.ts'
import { LiveList } from '../../src/match/live-list.ts'
import { needle, randomEntries } from '../support/entries.ts'
import { kvNamespace, kvStore } from '../support/stores.ts'

const entries = randomEntries(300, 1)
const [known] = entries
const texts = { csam: { title: 'No.', text: 'Really.', appealUrl: 'https://a.example/{caseId}' } }

beforeEach(async () => {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
  await publishBank(kvStore(), entries, { bank: 'csam' })
})

const exempted = `csam/${known?.id}`
const exempt = (...names: string[]) => publishNotes(kvStore(), () => ({ exempt: names }))

function liveList(): LiveList {
  return new LiveList({
    modules,
    store: kvStore(),
    refreshSeconds: 60,
    maxAgeSeconds: 3600,
    onStale: 'use',
    maxEntries: 1 << 20,
    maxTableEntries: 0,
    onError: (error) => expect.fail(String(error)),
  })
}

async function matchOf(list: LiveList) {
  const hash = known && 'hash' in known ? known.hash : new Uint8Array(32)
  const needles = [needle(hash)]
  const { results } = await list.match([{ needles }], () => {})
  return results[0]?.matches[0]
}

describe('publishNotes', () => {
  it('marks matches of exempt entries from the next version on', async () => {
    expect(await matchOf(liveList())).not.toHaveProperty('isExempt')
    const { version, banks } = await readManifest(kvStore())
    const after = await exempt(exempted)
    expect([after.version, after.banks]).toEqual([version + 1, banks])
    expect(await matchOf(liveList())).toMatchObject({ entry: known?.id, isExempt: true })
    expect(await exempt()).not.toHaveProperty('exempt')
    expect(await matchOf(liveList())).not.toHaveProperty('isExempt')
  })

  it('gives texts to whoever asks', async () => {
    await publishNotes(kvStore(), () => ({ texts }))
    const list = liveList()
    await matchOf(list)
    expect(list.texts).toEqual(texts)
  })

  it('keeps each when the other, the list or its key changes', async () => {
    await exempt(exempted)
    await publishNotes(kvStore(), () => ({ texts }))
    await publishBank(kvStore(), randomEntries(10, 2), { bank: 'other' })
    const { version } = await rekey(kvStore())
    expect(await readManifest(kvStore())).toMatchObject({ version, texts, exempt: [exempted] })
  })

  it('keeps them as they are when an earlier list is published again', async () => {
    const { version } = await readManifest(kvStore())
    await exempt(exempted)
    expect(await rollBack(kvStore(), version)).toMatchObject({ exempt: [exempted] })
  })

  it('refuses banks that the list does not have, and too much', async () => {
    await expect(exempt('csma/1')).rejects.toThrow(UnknownListBankError)
    const many = Array.from({ length: MAX_EXEMPT + 1 }, (_, i) => `csam/${i}`)
    await expect(exempt(...many)).rejects.toThrow(TooManyNotesError)
    const most = await exempt(...many.slice(1))
    expect(most.exempt).toHaveLength(MAX_EXEMPT)
    const kinds = Array.from({ length: MAX_TEXTS + 1 }, (_, i) => [`kind-${i}`, {}])
    const publishing = publishNotes(kvStore(), () => ({
      texts: Object.fromEntries(kinds) as Record<string, object>,
    }))
    await expect(publishing).rejects.toThrow(TooManyNotesError)
    const allowed = Object.fromEntries(kinds.slice(1)) as Record<string, object>
    const noted = await publishNotes(kvStore(), () => ({ texts: allowed }))
    expect([most.exempt?.length, Object.keys(noted.texts ?? {}).length]).toEqual([10_000, 100])
    expect(MAX_TEXT_BYTES).toBe(262_144)
    const longest = 'a'.repeat(MAX_TEXT_BYTES - '{"csam":{"text":""}}'.length)
    const publishText = (text: string) =>
      publishNotes(kvStore(), () => ({ texts: { csam: { text } } }))
    await expect(publishText(`${longest}a`)).rejects.toThrow(TooManyNotesError)
    expect((await publishText(longest)).texts?.['csam']?.text).toBe(longest)
  })
})

describe('changeExempt', () => {
  it('adds each once, and takes away', () => {
    expect(changeExempt({ exempt: ['a/2'] }, ['a/1', 'a/2', 'a/1'], false)).toEqual(['a/1', 'a/2'])
    expect(changeExempt({ exempt: ['a/1', 'a/2'] }, ['a/1', 'a/3'], true)).toEqual(['a/2'])
    expect(changeExempt({}, ['a/1'], true)).toEqual([])
  })
})

describe('a manifest with notes', () => {
  it('is as before without any', () => {
    expect(Object.keys(nextManifest(0, []))).not.toContain('exempt')
    expect(Object.keys(nextManifest(0, [], { exempt: [], texts: {} }))).not.toContain('texts')
  })

  it('is read by the version before, which ignores them, and by a later one with more', () => {
    const manifest = nextManifest(3, [], { exempt: ['csam/1'], texts })
    const before = v.object({ format: v.literal(3), version: v.number(), banks: v.array(v.any()) })
    expect(v.parse(before, manifest)).toEqual({ format: 3, version: 4, banks: [] })
    const later = { ...manifest, texts: { csam: { ...texts.csam, lang: 'en' } }, more: 1 }
    expect(parseManifest('manifest', manifestValue(later))).toMatchObject(manifest)
  })
})
