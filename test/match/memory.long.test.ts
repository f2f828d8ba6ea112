import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../src/util/bytes.ts'
import { groupBytes } from '../../src/core/haystack.ts'
import { readModules } from '../../src/core/node.ts'
import { type Manifest, nextManifest, type SegmentRef } from '../../src/list/manifest.ts'
import { partsOf, TAILS } from '../../src/list/pdq-segment.ts'
import { MAX_SEGMENT_ENTRIES, PART_ENTRIES } from '../../src/list/sizes.ts'
import { type Bytes, MemoryStore } from '../../src/list/store.ts'
import { BankIndex } from '../../src/match/bank-index.ts'
import { LiveList } from '../../src/match/live-list.ts'
import { needle } from '../support/entries.ts'
import { MemoryMeter } from '../support/memory-meter.ts'
import { randomBytes, randomFrom } from '../support/random.ts'

const modules = readModules()
const MILLION = 1_000_000

let meter: MemoryMeter
beforeEach(() => {
  meter = new MemoryMeter()
})
afterEach(() => meter.stop())

/** A store of segments that are as large as real ones and hold anything; what it gives out is measured. */
class LargeStore extends MemoryStore {
  readonly #random = randomFrom(1)
  #names = 0
  isMeasured = false

  override async get(key: string): Promise<Bytes | undefined> {
    if (this.isMeasured) await meter.measure()
    const value = this.values.get(key)
    return value && meter.give(value.slice())
  }

  #fill(bytes: number): Bytes {
    const value = new Uint32Array(bytes / 4)
    for (let i = 0; i < value.length; i++) value[i] = this.#random() * 2 ** 32
    return new Uint8Array(value.buffer)
  }

  #segments(kind: SegmentRef['kind'], count: number): SegmentRef[] {
    return Array.from({ length: Math.ceil(count / MAX_SEGMENT_ENTRIES) }, (_, i) => ({
      kind,
      name: toHex(randomBytes(32, this.#names++)),
      count: Math.min(MAX_SEGMENT_ENTRIES, count - i * MAX_SEGMENT_ENTRIES),
    }))
  }

  #putPdq(ref: SegmentRef): void {
    for (const part of partsOf(ref)) {
      const { heads, rests } = groupBytes(Math.min(PART_ENTRIES, ref.count - part * PART_ENTRIES))
      this.values.set(`segment/${ref.name}/${part}`, this.#fill(heads + rests))
    }
    for (let tail = 0; tail < TAILS; tail++) {
      this.values.set(`tail/${ref.name}/${tail}`, this.#fill(ref.count * 3))
    }
  }

  #putExact(ref: SegmentRef): void {
    const buckets = 2 ** Math.min(16, Math.floor(Math.log2(ref.count)) - 3)
    const value = this.#fill(buckets * 4 + ref.count * 2)
    const ends = new Uint32Array(value.buffer, 0, buckets)
    ends.forEach((_, i) => (ends[i] = Math.floor(((i + 1) * ref.count) / buckets)))
    this.values.set(`segment/${ref.name}/0`, value)
  }

  /** Publishes so many entries in the place of what there is. */
  publish(version: number, pdq: number, exact: number): Manifest {
    const segments = [...this.#segments('pdq', pdq), ...this.#segments('exact', exact)]
    for (const ref of segments) {
      if (ref.kind === 'pdq') this.#putPdq(ref)
      else this.#putExact(ref)
    }
    const bank = { id: 'a', threshold: 31, minQuality: 50, segments }
    const manifest = nextManifest(version - 1, [bank])
    this.values.set('manifest', new Uint8Array(new TextEncoder().encode(JSON.stringify(manifest))))
    return manifest
  }
}

describe('memory of a list', () => {
  it('is at most 60 MB for 3 million perceptual hashes and 3 million digests', async () => {
    const store = new LargeStore()
    const manifest = store.publish(1, 3 * MILLION, 3 * MILLION)
    const index = await BankIndex.load(modules, store, manifest)
    store.values.clear()
    expect(index.memoryBytes).toBeLessThan(60 * MILLION)
    // What a digest set was read from it keeps; measured twice over, as if it were sealed.
    const sets = index.segments.flatMap((segment) =>
      'digestSet' in segment ? segment.digestSet.memoryBytes : [],
    )
    const measured = (await meter.measure()) - sets.reduce((sum, bytes) => sum + bytes, 0)
    expect(measured).toBeLessThan(60 * MILLION)
    expect(measured).toBeGreaterThan(index.memoryBytes * 0.98)
    await index.match([{ needles: [needle(new Uint8Array(32))] }])
  })

  it('has room for 5 million perceptual hashes', async () => {
    const store = new LargeStore()
    const manifest = store.publish(1, 5 * MILLION, 0)
    const index = await BankIndex.load(modules, store, manifest)
    expect(index.memoryBytes / (5 * MILLION)).toBeLessThan(16.5)
    const [result] = await index.match([{ needles: [needle(new Uint8Array(32))] }])
    expect(result).toEqual({ matches: [], isComplete: true })
  })

  it.each([
    ['with tables', 1 << 20],
    ['without tables', 0],
  ])(
    'stays under 1.3 times the resting figure while all of a million is replaced, %s',
    async (_, maxTableEntries) => {
      const store = new LargeStore()
      let now = 1_000_000
      const list = new LiveList({
        modules,
        store,
        refreshSeconds: 60,
        maxAgeSeconds: 3600,
        onStale: 'use',
        maxEntries: 3 << 20,
        maxTableEntries,
        onError: (error) => {
          throw error
        },
        now: () => now,
      })
      const behind: Promise<unknown>[] = []
      const ask = async () => {
        await list.match([{ needles: [needle(new Uint8Array(32))] }], (promise) =>
          behind.push(promise),
        )
        while (behind.length > 0) await Promise.all(behind.splice(0))
      }
      store.publish(1, MILLION, 0)
      await ask()
      await ask()
      const resting = await meter.measure()
      expect(resting).toBeGreaterThan(list.memoryBytes * 0.99)
      expect(resting / MILLION).toBeGreaterThan(maxTableEntries > 0 ? 55 : 15.9)
      expect(resting / MILLION).toBeLessThan(maxTableEntries > 0 ? 64 : 16.6)

      store.publish(2, MILLION, 0)
      now += 60_000
      store.isMeasured = true
      meter.peak = 0
      await ask()
      await ask()
      expect(list.version).toBe(2)
      expect(meter.peak).toBeGreaterThan(resting / 2)
      expect(meter.peak / resting).toBeLessThan(1.3)
      expect((await meter.measure()) / resting).toBeLessThan(1.01)
    },
    120_000,
  )
})
