import type { Bank, Manifest } from '../list/manifest.ts'
import { type Matcher, type MatchResult, nearestMatches, type Query } from './match.ts'

/** The interface of a Durable Object that holds some segments of the list: src/match/list-shard.ts. */
export interface Shard {
  /** Loads the segments of banks, so that they can be queried without delay. */
  prepare(banks: Bank[]): Promise<void>
  /** Answers for the given banks. They name only segments for this shard. */
  match(banks: Bank[], queries: readonly Query[]): Promise<MatchResult[]>
}

/** The part of a Durable Object namespace used here. */
export interface ShardNamespace {
  getByName(name: string): Shard
}

/** A range of the list, and the name of the object that holds it. */
interface Range {
  name: string
  banks: Bank[]
}

/** A version of the list that is too large for one isolate. Durable Objects hold ranges of its segments. */
export class ShardedIndex implements Matcher {
  readonly manifest: Manifest
  readonly isReleased = false
  /** No part of the list is held here. */
  readonly memoryBytes = 0
  readonly #namespace: ShardNamespace
  readonly #ranges: readonly Range[]

  private constructor(manifest: Manifest, namespace: ShardNamespace, ranges: readonly Range[]) {
    this.manifest = manifest
    this.#namespace = namespace
    this.#ranges = ranges
  }

  /**
   * Has shards load a version.
   * @param maxEntries most perceptual hashes of one shard
   * @throws what a shard throws if it cannot load its range
   */
  static async open(
    manifest: Manifest,
    namespace: ShardNamespace,
    maxEntries: number,
  ): Promise<ShardedIndex> {
    const ranges = splitBanks(manifest.banks, maxEntries).map((banks, i) => ({
      name: `shard-${i}`,
      banks,
    }))
    const index = new ShardedIndex(manifest, namespace, ranges)
    await Promise.all(ranges.map(({ name, banks }) => namespace.getByName(name).prepare(banks)))
    return index
  }

  /** Asks all shards at once. The answers are those of a single index. If a shard fails, they are what the others found. */
  async match(queries: readonly Query[]): Promise<MatchResult[]> {
    // A stub belongs to the request that made it.
    const answers = await Promise.allSettled(
      this.#ranges.map(({ name, banks }) => this.#namespace.getByName(name).match(banks, queries)),
    )
    return queries.map((_, query) =>
      joinResults(
        answers.map((answer) => {
          if (answer.status === 'fulfilled') return answer.value[query]
          return { matches: [], isComplete: false, error: answer.reason as unknown }
        }),
      ),
    )
  }
}

/** Merges what the shards know about one file. */
function joinResults(results: readonly (MatchResult | undefined)[]): MatchResult {
  const found = results.flatMap((result) => result?.matches ?? [])
  const matches = nearestMatches(found)
  const isAll = results.every((result) => result?.isComplete) && matches.length === found.length
  const failed = results.find((result) => result?.error !== undefined)
  return { matches, isComplete: isAll, ...(failed && { error: failed.error }) }
}

/** Digests that take as much memory as one perceptual hash. */
const DIGESTS_PER_HASH = 6

/** Cuts the segments of all banks into ranges of at most `maxEntries` perceptual hashes, or of one segment. */
export function splitBanks(banks: readonly Bank[], maxEntries: number): Bank[][] {
  const ranges: Bank[][] = [[]]
  let held = 0
  for (const bank of banks) {
    for (const segment of bank.segments) {
      const size = segment.kind === 'pdq' ? segment.count : segment.count / DIGESTS_PER_HASH
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
