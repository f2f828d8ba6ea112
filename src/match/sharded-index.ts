import type { Bank, Manifest } from '../list/manifest.ts'
import { type Matcher, type MatchResult, nearestMatches, type Query } from './match.ts'

/** A Durable Object that holds some segments of the list, as it is called: src/match/list-shard.ts. */
export interface Shard {
  /** Loads the segments of banks, so that they can be asked at once. */
  prepare(banks: Bank[]): Promise<void>
  /** Answers for the banks that it is given, which name only segments that it is to hold. */
  match(banks: Bank[], queries: readonly Query[]): Promise<MatchResult[]>
}

/** What is used of a namespace of Durable Objects. */
export interface ShardNamespace {
  getByName(name: string): Shard
}

/** A version of the list that is too large for one isolate: ranges of its segments lie in Durable Objects. */
export class ShardedIndex implements Matcher {
  readonly manifest: Manifest
  readonly isReleased = false
  /** Nothing of the list is held here. */
  readonly memoryBytes = 0
  readonly #shards: readonly { shard: Shard; banks: Bank[] }[]

  private constructor(manifest: Manifest, shards: readonly { shard: Shard; banks: Bank[] }[]) {
    this.manifest = manifest
    this.#shards = shards
  }

  /**
   * Has shards load a version.
   * @param maxEntries perceptual hashes that one shard may hold
   * @throws what a shard throws that cannot load its range
   */
  static async open(
    manifest: Manifest,
    namespace: ShardNamespace,
    maxEntries: number,
  ): Promise<ShardedIndex> {
    const shards = splitBanks(manifest.banks, maxEntries).map((banks, i) => ({
      shard: namespace.getByName(`shard-${i}`),
      banks,
    }))
    await Promise.all(shards.map(({ shard, banks }) => shard.prepare(banks)))
    return new ShardedIndex(manifest, shards)
  }

  /**
   * Asks all shards at once. The answers are those that one index would give.
   * @throws what a shard throws: none may be left out
   */
  async match(queries: readonly Query[]): Promise<MatchResult[]> {
    const answers = await Promise.all(
      this.#shards.map(({ shard, banks }) => shard.match(banks, queries)),
    )
    return queries.map((_, query) => {
      const results = answers.flatMap((answer) => answer[query] ?? [])
      const matches = nearestMatches(results.flatMap((result) => result.matches))
      const isAll =
        matches.length === results.reduce((sum, result) => sum + result.matches.length, 0)
      return { matches, isComplete: isAll && results.every(({ isComplete }) => isComplete) }
    })
  }
}

/** Cuts the segments of all banks into ranges, each of at most `maxEntries` perceptual hashes, or of one segment. */
export function splitBanks(banks: readonly Bank[], maxEntries: number): Bank[][] {
  const ranges: Bank[][] = [[]]
  let held = 0
  for (const bank of banks) {
    for (const segment of bank.segments) {
      const size = segment.kind === 'pdq' ? segment.count : 0
      if (held > 0 && held + size > maxEntries) {
        ranges.push([])
        held = 0
      }
      held += size
      const range = ranges.at(-1) ?? []
      const last = range.at(-1)
      if (last?.id === bank.id) last.segments.push(segment)
      else range.push({ ...bank, segments: [segment] })
    }
  }
  return ranges
}
