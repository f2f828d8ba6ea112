import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { type Manifest, readManifest, segmentsOf } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { BankIndex } from '../../src/match/bank-index.ts'
import type { ListShard } from '../../src/match/list-shard.ts'
import { LiveList } from '../../src/match/live-list.ts'
import { ShardedIndex, type ShardNamespace, splitBanks } from '../../src/match/sharded-index.ts'
import { flipBits, needle, randomDigests, randomEntries } from '../support/entries.ts'
import { kvNamespace, kvStore } from '../support/stores.ts'

const shards = (env as unknown as { LIST_SHARDS: DurableObjectNamespace<ListShard> }).LIST_SHARDS

const store = kvStore()

beforeEach(async () => {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
})

const entries = Array.from({ length: 8 }, (_, i) => [
  ...randomEntries(100, i),
  ...randomDigests(20, i),
])

/** Publishes a list of seven small segments of perceptual hashes in two banks. */
async function publish(): Promise<Manifest> {
  for (let i = 1; i <= 5; i++) {
    await publishBank(store, entries.slice(0, i).flat(), { bank: 'a', threshold: 25 })
  }
  await publishBank(store, [entries[0]!, entries[6]!].flat(), { bank: 'b' })
  await publishBank(store, [entries[0]!, entries[6]!, entries[7]!].flat(), { bank: 'b' })
  return readManifest(store)
}

const queries = [
  ...[0, 2, 4, 6, 7].map((list, i) => ({
    needles: [0, 20, 25, 31].map((bits) => needle(flipBits(entries[list]![i]!.hash, bits, i))),
  })),
  { needles: [], digests: digestsOf(entries[7]!.at(-1)!.hash) },
  { needles: [] },
]

function digestsOf(hash: Uint8Array) {
  const none = { md5: new Uint8Array(16), sha1: new Uint8Array(20), sha256: new Uint8Array(32) }
  const kind = { 16: 'md5', 20: 'sha1', 32: 'sha256' }[hash.length] ?? 'md5'
  return { ...none, [kind]: hash }
}

describe('ShardedIndex', () => {
  it.each([1, 100, 101, 250, 1000])(
    'answers as one index does, with %i entries a shard',
    async (maxEntries) => {
      const manifest = await publish()
      const index = await BankIndex.load(modules, store, manifest)
      const expected = await index.match(queries)
      expect(expected.map(({ matches }) => matches.length)).toEqual([2, 1, 1, 1, 1, 1, 0])
      const sharded = await ShardedIndex.open(manifest, shards, maxEntries)
      expect(await sharded.match(queries)).toEqual(expected)
    },
  )

  it('asks as many shards as it takes, each for what it has', async () => {
    const manifest = await publish()
    const ranges = splitBanks(manifest.banks, 250)
    const sizes = ranges.map((banks) =>
      segmentsOf({ banks }).reduce((sum, { kind, count }) => sum + (kind === 'pdq' ? count : 0), 0),
    )
    expect(sizes.every((size) => size <= 250)).toBe(true)
    expect(ranges.flatMap((banks) => segmentsOf({ banks }))).toEqual(segmentsOf(manifest))
    expect(ranges.length).toBeGreaterThan(2)
  })

  it('follows from version to version', async () => {
    const manifest = await publish()
    const first = await ShardedIndex.open(manifest, shards, 250)
    await publishBank(store, entries.slice(3).flat(), { bank: 'a', threshold: 25 })
    const next = await readManifest(store)
    const second = await ShardedIndex.open(next, shards, 250)
    const whole = await BankIndex.load(modules, store, next)
    const old = await BankIndex.load(modules, store, manifest)
    for (let i = 0; i < 3; i++) {
      // Isolates change one after another: both versions are asked meanwhile.
      expect(await second.match(queries)).toEqual(await whole.match(queries))
      expect(await first.match(queries)).toEqual(await old.match(queries))
    }
  })

  it('fails where a shard cannot load its range, or does not answer', async () => {
    const manifest = await publish()
    await ShardedIndex.open(manifest, shards, 250)
    await publishBank(store, [...entries.flat(), ...randomEntries(300, 50)], { bank: 'a' })
    const next = await readManifest(store)
    const known = new Set(segmentsOf(manifest).map(({ name }) => name))
    const added = segmentsOf(next).find(({ name }) => !known.has(name))
    await store.deleteAll([`segment/${added!.name}/0`])
    await expect(ShardedIndex.open(next, shards, 250)).rejects.toThrow(added!.name)
    const broken: ShardNamespace = {
      getByName: () => ({
        prepare: async () => {},
        match: () => Promise.reject(new Error('gone')),
      }),
    }
    const index = await ShardedIndex.open(manifest, broken, 250)
    const [result] = await index.match(queries)
    expect(result).toMatchObject({ matches: [], isComplete: false, error: new Error('gone') })
  })
})

describe('a live list beyond the bound of an isolate', () => {
  function live(maxEntries: number) {
    return new LiveList({
      modules,
      store,
      refreshSeconds: 60,
      maxAgeSeconds: 3600,
      onStale: 'use',
      maxEntries,
      maxTableEntries: 0,
      shards,
      onError: (error) => {
        throw error
      },
    })
  }

  it('lies in Durable Objects, and within it in the isolate', async () => {
    const manifest = await publish()
    const total = segmentsOf(manifest).reduce(
      (sum, { kind, count }) => sum + (kind === 'pdq' ? count : 0),
      0,
    )
    const [within, beyond] = [live(total), live(total - 1)]
    const keep = () => {}
    const { results } = await within.match(queries, keep)
    expect((await beyond.match(queries, keep)).results).toEqual(results)
    expect(within.state.where).toBe('isolate')
    expect(beyond.state).toMatchObject({ where: 'durable objects', memoryBytes: 0 })
  })
})
