import { afterEach, describe, expect, it, vi } from 'vitest'
import { publishBank } from '../../src/list/publish.ts'
import { readEntries } from '../../src/list/segment.ts'
import { BLOCK_ENTRIES } from '../../src/list/sizes.ts'
import { CandidateVerifier, type Searched } from '../../src/match/candidates.ts'
import { DetailReads } from '../../src/match/detail-reads.ts'
import { needle, randomEntries } from '../support/entries.ts'
import { WatchedStore } from '../support/stores.ts'

const BLOCKS = 10

/** A list of some blocks, and a file for each that matches an entry in it. */
async function listOfBlocks() {
  const store = new WatchedStore()
  const { manifest } = await publishBank(store.sealed, randomEntries(BLOCKS * BLOCK_ENTRIES, 1), {
    bank: 'csam',
  })
  const [bank] = manifest.banks
  const [ref] = bank!.segments
  const entries = await readEntries(store.sealed, ref!)
  const fileIn = (block: number, segment = ref!): Searched => {
    const position = block * BLOCK_ENTRIES + 7
    const asked = { needle: needle(entries[position]!.hash), threshold: 31 }
    return {
      candidates: [{ bank: bank!, ref: segment, position, distance: 0, ...asked }],
      isComplete: true,
    }
  }
  store.reads.length = 0
  return { store, ref: ref!, entries, fileIn }
}

/** Notes how much is read at once: each read takes a turn of the event loop. */
function watchReads(store: WatchedStore) {
  const most = { reads: 0 }
  let reading = 0
  store.onRead = async () => {
    most.reads = Math.max(most.reads, ++reading)
    await new Promise((resolve) => setTimeout(resolve, 1))
    reading--
  }
  return most
}

afterEach(() => {
  vi.useRealTimers()
})

describe('reads of details', () => {
  /** What each of several requests finds, of one file each. */
  const verifyAll = async (store: WatchedStore, reads: DetailReads, files: readonly Searched[]) => {
    const requests = files.map((file) => new CandidateVerifier(store.sealed, reads).verify([file]))
    return (await Promise.all(requests)).flat()
  }

  it('take no more bytes at once than an isolate has for them, and all have their turn', async () => {
    const { store, ref, entries, fileIn } = await listOfBlocks()
    const most = watchReads(store)
    const reads = new DetailReads(3 * 7 * ref.detailBytes!)
    const files = Array.from({ length: 4 * BLOCKS }, (_, i) => fileIn(i % BLOCKS))
    const results = await verifyAll(store, reads, files)
    const found = results.map(({ matches }) => matches.map(({ entry }) => entry))
    const expected = files.map((_, i) => [entries[(i % BLOCKS) * BLOCK_ENTRIES + 7]!.id])
    expect([found, most.reads, reads.used]).toEqual([expected, 3, 0])
  })

  it('count the largest block of their segment: it is in the manifest', async () => {
    const { store, ref } = await listOfBlocks()
    const lengths = Array.from({ length: BLOCKS }, async (_, block) => {
      return (await store.sealed.get(`detail/${ref.name}/${block}`))!.length
    })
    expect(ref.detailBytes).toBe(Math.max(...(await Promise.all(lengths))))
  })

  it('are six at once of a segment that does not say how large its blocks are', async () => {
    const { store, ref, fileIn } = await listOfBlocks()
    const { detailBytes: _said, ...old } = ref
    const most = watchReads(store)
    const files = Array.from({ length: BLOCKS }, (_, block) => fileIn(block, old))
    const results = await verifyAll(store, new DetailReads(), files)
    expect(results.every(({ matches }) => matches.length === 1)).toBe(true)
    expect(most.reads).toBe(6)
  })

  it('are one at a time of blocks that are larger than all there is', async () => {
    const { store, fileIn } = await listOfBlocks()
    const most = watchReads(store)
    const files = Array.from({ length: BLOCKS }, (_, block) => fileIn(block))
    const results = await verifyAll(store, new DetailReads(1000), files)
    expect(results.every(({ matches }) => matches.length === 1)).toBe(true)
    expect(most.reads).toBe(1)
  })

  it('give back what they took when they fail', async () => {
    const { store, fileIn } = await listOfBlocks()
    store.onRead = () => Promise.reject(new TypeError('no store'))
    const reads = new DetailReads()
    const [result] = await verifyAll(store, reads, [fileIn(0)])
    expect([result!.error, reads.used]).toEqual([new TypeError('no store'), 0])
  })

  it('go on without those whose requests the platform has ended', async () => {
    const { store, fileIn } = await listOfBlocks()
    vi.useFakeTimers()
    const reads = new DetailReads(1000)
    store.onRead = () => new Promise(() => {}) // nobody hears of it again
    void verifyAll(store, reads, [fileIn(0)])
    await vi.advanceTimersByTimeAsync(15_001)
    store.onRead = () => {}
    const verifying = verifyAll(store, reads, [fileIn(1)])
    await vi.advanceTimersByTimeAsync(0)
    expect((await verifying)[0]!.matches).toHaveLength(1)
  })

  it('fail after a while when there is no room, and the file with them', async () => {
    const { store, fileIn } = await listOfBlocks()
    vi.useFakeTimers()
    const reads = new DetailReads(1000)
    store.onRead = () => new Promise((resolve) => setTimeout(resolve, 14_000)) // KV is slow
    const slow = [0, 1, 2].map((block) => verifyAll(store, reads, [fileIn(block)]))
    await vi.advanceTimersByTimeAsync(60_000)
    const results = (await Promise.all(slow)).flat()
    expect(results.map(({ matches }) => matches.length)).toEqual([1, 1, 0])
    expect(results[2]).toMatchObject({ isComplete: false, error: { code: 'busy' } })
  })

  it('keep of a block what candidates need', async () => {
    const { store, ref } = await listOfBlocks()
    const block = await new DetailReads().read(store.sealed, ref, 2, [2 * BLOCK_ENTRIES + 7])
    expect(block.all()).toHaveLength(1)
    expect(block.of(2 * BLOCK_ENTRIES + 7).id).toBeDefined()
    const message = `detail/${ref.name}/2 contains malformed details`
    expect(() => block.of(2 * BLOCK_ENTRIES + 8)).toThrow(message)
  })
})
