import {
  assert,
  asyncProperty,
  integer,
  type Scheduler,
  scheduler as anyScheduler,
} from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readModules } from '../../src/core/node.ts'
import { type Manifest, parseManifest, segmentsOf } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { keysOf } from '../../src/list/segment.ts'
import { LiveList } from '../../src/match/live-list.ts'
import { needle, randomDigests, randomEntries } from '../support/entries.ts'
import { type Behaviour, CrashError, EventualKv } from '../support/eventual-store.ts'
import { randomFrom } from '../support/random.ts'

const modules = readModules()
const ENTRIES = [...randomEntries(14, 1), ...randomDigests(6, 1)]
const NONE = { md5: new Uint8Array(16), sha1: new Uint8Array(20), sha256: new Uint8Array(32) }
/** One query for each entry. */
const QUERIES = ENTRIES.map(({ kind, hash }) =>
  kind === 'pdq'
    ? { needles: [needle(hash)] }
    : { needles: [], digests: { ...NONE, [kind]: hash } },
)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-01T00:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Publishers and readers over one KV, in an order that the scheduler chooses. */
class World {
  readonly kv = new EventualKv(Date.now)
  readonly published: { manifest: Manifest; content: string | undefined }[] = []
  readonly problems: string[] = []
  readonly counts = { published: 0, crashed: 0, refused: 0, answered: 0, failed: 0 }
  readonly #scheduler: Scheduler
  readonly #random: () => number

  constructor(scheduler: Scheduler, seed: number) {
    this.#scheduler = scheduler
    this.#random = randomFrom(seed)
    this.kv.onManifest = (value) => {
      const manifest = parseManifest('manifest', value)
      const entry = { manifest, content: undefined as string | undefined }
      this.published.push(entry)
      entry.content = this.#contentOf(manifest)
    }
  }

  #behaviour(faults: number, writesLeft: number): Behaviour {
    return {
      turn: (operation) => this.#scheduler.schedule(Promise.resolve(), operation),
      random: this.#random,
      faults,
      writesLeft,
    }
  }

  /** Ids of all entries that a version has, from what is truly stored; `undefined` if something is missing. */
  #contentOf(manifest: Manifest): string | undefined {
    const ids: string[] = []
    for (const ref of segmentsOf(manifest)) {
      const values = new Map(keysOf(ref).map((key) => [key, this.kv.latest(key)]))
      if ([...values.values()].includes(undefined)) return undefined
      const details = JSON.parse(new TextDecoder().decode(values.get(`detail/${ref.name}/0`))) as [
        string,
        string,
        object,
      ][]
      const gone = ref.removed && this.kv.latest(`removed/${ref.removed.name}`)
      if (ref.removed && !gone) return undefined
      const removed = new Set(gone ? new Uint32Array(gone.slice().buffer) : [])
      ids.push(...details.flatMap(([, id], i) => (removed.has(i) ? [] : [id])))
    }
    return ids.toSorted().join()
  }

  pass(): void {
    const chance = this.#random()
    const seconds = chance < 0.97 ? 90 * this.#random() : 30 * 3600 * this.#random()
    vi.setSystemTime(Date.now() + seconds * 1000)
  }

  async publisher(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const writesLeft = this.#random() < 0.4 ? Math.floor(25 * this.#random()) : Infinity
      const store = this.kv.for(this.#behaviour(0.02, writesLeft))
      const content = ENTRIES.filter(() => this.#random() < 0.6)
      try {
        await publishBank(store, content, { bank: 'a' })
        this.counts.published++
      } catch (error) {
        if (error instanceof CrashError) this.counts.crashed++
        else this.counts.refused++
      }
      this.pass()
    }
  }

  /** After some quiet minutes one publisher alone succeeds, and a new reader sees what it published. */
  async recover(): Promise<void> {
    vi.setSystemTime(Date.now() + 10 * 60_000)
    const content = ENTRIES.slice(3)
    await publishBank(this.kv.for(this.#behaviour(0, Infinity)), content, { bank: 'a' })
    vi.setSystemTime(Date.now() + 10 * 60_000)
    const list = this.#list(0)
    const { results } = await list.match(QUERIES, () => {})
    const ids = results.flatMap(({ matches }) => matches.map(({ entry }) => entry))
    const isWhole =
      ids.toSorted().join() ===
      content
        .map(({ id }) => id)
        .toSorted()
        .join()
    if (!isWhole) this.problems.push(`at last: ${ids.join()}`)
  }

  #list(faults: number): LiveList {
    return new LiveList({
      modules,
      store: this.kv.for(this.#behaviour(faults, 0)),
      refreshSeconds: 60,
      maxAgeSeconds: 3600,
      onStale: 'use',
      maxEntries: 1 << 20,
      maxTableEntries: 0,
      onError: () => {},
    })
  }

  async reader(times: number): Promise<void> {
    const list = this.#list(0.03)
    const behind: Promise<unknown>[] = []
    for (let i = 0; i < times; i++) {
      for (let turns = 0; turns < 4; turns++) await this.#behaviour(0, 0).turn('think')
      const before = list.version ?? 0
      try {
        const { results } = await list.match(QUERIES, (promise) => behind.push(promise))
        if (results.some(({ isComplete }) => !isComplete)) throw new Error('not all was looked up')
        this.counts.answered++
        this.#check(
          results.map(({ matches }) => matches.map(({ entry }) => entry)),
          before,
        )
      } catch {
        this.counts.failed++
      }
      this.pass()
    }
    await Promise.all(behind)
  }

  #check(found: string[][], before: number): void {
    const ids = found.flat()
    const answer = ids.toSorted().join()
    const isPublished = this.published.some(
      ({ manifest, content }) => manifest.version >= before && content === answer,
    )
    if (!isPublished) this.problems.push(`after version ${before}: ${answer}`)
  }
}

describe('a list in an eventually consistent store', () => {
  it('is only ever one of its published versions, and never an older one', async () => {
    const counts = { published: 0, crashed: 0, refused: 0, answered: 0, failed: 0 }
    await assert(
      asyncProperty(anyScheduler(), integer(), async (scheduler, seed) => {
        const world = new World(scheduler, seed)
        const tasks = Promise.all([
          world.publisher(5),
          world.publisher(4),
          world.reader(30),
          world.reader(30),
        ])
        await scheduler.waitFor(tasks)
        await scheduler.waitFor(world.recover())
        expect(world.problems).toEqual([])
        for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
          counts[name] += world.counts[name]
        }
      }),
      { numRuns: 60, seed: 20261126 },
    )
    // That much of each happened: else the property says little.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(20)
  })
})
