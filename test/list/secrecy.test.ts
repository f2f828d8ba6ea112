import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/util/bytes.ts'
import { modules } from '../../src/core/workerd.ts'
import { readManifest, segmentsOf } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { rekey } from '../../src/list/rekey.ts'
import { rollBack } from '../../src/list/rollback.ts'
import { keysOf } from '../../src/list/segment.ts'
import { verifyList } from '../../src/list/verify.ts'
import { LiveList } from '../../src/match/live-list.ts'
import { flipBits, needle, randomDigests, randomEntries } from '../support/entries.ts'
import { WatchedStore } from '../support/stores.ts'

const ENTRIES = [...randomEntries(400, 1), ...randomDigests(60, 1)]

/** All that an error says, to anyone. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return [error.message, error.stack, JSON.stringify(error), wordsOf(error.cause ?? '')].join('\n')
}

/** Every way to use a list, one after another; what each throws is told. */
async function useAll(store: WatchedStore): Promise<string[]> {
  const words: string[] = []
  const live = new LiveList({
    modules,
    store: store.sealed,
    refreshSeconds: 60,
    maxAgeSeconds: 3600,
    onStale: 'use',
    maxEntries: 1 << 20,
    maxTableEntries: 1 << 20,
    onError: (error) => words.push(wordsOf(error)),
  })
  const queries = ENTRIES.slice(0, 3).map(({ hash }) => ({ needles: [needle(flipBits(hash, 3))] }))
  const uses = [
    () => live.match(queries, () => {}),
    async () => words.push(JSON.stringify(live.state)),
    async () => words.push(JSON.stringify(await verifyList(store.sealed))),
    () => publishBank(store.sealed, ENTRIES.slice(5), { bank: 'a' }),
    () => rollBack(store.sealed, 1),
    () => rekey(store.sealed),
  ]
  for (const use of uses) {
    try {
      await use()
    } catch (error) {
      words.push(wordsOf(error))
    }
  }
  return words
}

/** What may stand in the place of a value: whole, sealed with the right key, and wrong. */
const WRONG: ((value: Uint8Array) => Uint8Array)[] = [
  (value) => value.slice(0, value.length / 2),
  (value) => value.slice(3),
  (value) => Uint8Array.from([...value, ...value]),
  (value) => value.map((byte, i) => (i === 5 ? byte ^ 0x5a : byte)),
  (value) =>
    new TextEncoder().encode(`"${Array.from(value, (b) => String.fromCharCode(b)).join('')}`),
]

describe('no hash of a list', () => {
  it('stands in an error or a report, whatever is wrong with the values', async () => {
    const whole = new WatchedStore()
    await publishBank(whole.sealed, ENTRIES.slice(0, 300), { bank: 'a' })
    await publishBank(whole.sealed, ENTRIES, { bank: 'a' })
    const keys = segmentsOf(await readManifest(whole.sealed)).flatMap(keysOf)
    const words: string[] = []
    for (const key of ['manifest', ...keys]) {
      for (const spoil of WRONG) {
        const store = new WatchedStore()
        for (const [name, value] of whole.inner.values) store.inner.values.set(name, value)
        const value = (await whole.sealed.get(key))!
        await store.sealed.put(key, new Uint8Array(spoil(value)))
        words.push(...(await useAll(store)))
      }
    }
    expect(words.length).toBeGreaterThan(200)
    const all = words.join('\n')
    const lower = all.toLowerCase()
    for (const { hash } of ENTRIES) {
      for (let at = 0; at + 4 <= hash.length; at += 4) {
        const part = hash.subarray(at, at + 4)
        expect(lower).not.toContain(toHex(part))
        expect(all).not.toContain(String.fromCharCode(...part))
        expect(all).not.toContain(part.join())
      }
    }
  })
})
