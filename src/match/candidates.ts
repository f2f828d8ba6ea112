import { sureDistance } from '../core/haystack.ts'
import { concatenate, isEqual } from '../util/bytes.ts'
import { bitsDiffering, HALF_BYTES } from '../util/hash.ts'
import { blockOf, type Detail, type DetailBlock } from '../list/details.ts'
import type { DigestKind } from '../list/entry.ts'
import type { Bank, SegmentRef } from '../list/manifest.ts'
import type { StoreReader } from '../list/store.ts'
import type { Needle } from '../scan/scanned.ts'
import { type DetailReads, detailReads } from './detail-reads.ts'
import { type Match, type MatchResult, MAX_MATCHES, nearestMatches } from './match.ts'
import { limitOf, loweredThreshold } from './thresholds.ts'

/** Most detail blocks read for one file, so that a list that is near it as a whole is not read completely. */
const MAX_BLOCKS = 66
/** Detail blocks that are read at once. A Worker may have six connections. */
const BLOCKS_AT_ONCE = 6

/**
 * Verifies candidates by their details. Blocks that several files need are read once, and only the parts that candidates
 * need are kept.
 */
export class CandidateVerifier {
  readonly #store: StoreReader
  readonly #reads: DetailReads
  readonly #read = new Map<string, Promise<DetailBlock>>()
  /** Positions of all candidates, by block. */
  readonly #wanted = new Map<string, Set<number>>()

  /** @param the reads of the isolate; tests pass their own */
  constructor(store: StoreReader, reads = detailReads) {
    this.#store = store
    this.#reads = reads
  }

  /**
   * Verifies the candidates of several files. If details are missing or damaged, matches found elsewhere still count.
   */
  async verify(files: readonly Searched[]): Promise<MatchResult[]> {
    for (const { candidates } of files) {
      for (const { ref, position } of candidates) this.#want(ref, position)
    }
    const results: MatchResult[] = []
    for (const file of files) results.push(await this.#verifyFile(file))
    return results
  }

  async #verifyFile({ candidates, isComplete }: Searched): Promise<MatchResult> {
    const blocks = blocksOf(candidates)
    const found = new Map<string, Match>()
    const failures: unknown[] = []
    let isLeftOpen = !isComplete
    let matches: Match[] = []
    for (let first = 0; first < blocks.length; first += BLOCKS_AT_ONCE) {
      const some = blocks.slice(first, first + BLOCKS_AT_ONCE)
      if (first + some.length > MAX_BLOCKS || isFull(matches, some[0])) {
        isLeftOpen = true
        break
      }
      const collected = some.map(async (block) =>
        collect(block, await this.#readBlock(block), found),
      )
      for (const result of await Promise.allSettled(collected)) {
        if (result.status === 'rejected') failures.push(result.reason)
      }
      matches = nearestMatches([...found.values()])
    }
    const isAll = !isLeftOpen && failures.length === 0 && found.size <= MAX_MATCHES
    return { matches, isComplete: isAll, ...(failures.length > 0 && { error: failures[0] }) }
  }

  #readBlock({ ref, number }: Block): Promise<DetailBlock> {
    const key = `${ref.name}/${number}`
    const positions = this.#wanted.get(key) ?? []
    const reading = this.#read.get(key) ?? this.#reads.read(this.#store, ref, number, positions)
    this.#read.set(key, reading)
    return reading
  }

  #want(ref: SegmentRef, position: number): void {
    const key = `${ref.name}/${blockOf(position)}`
    const positions = this.#wanted.get(key) ?? new Set()
    this.#wanted.set(key, positions.add(position))
  }
}

/** An entry that may match, judging by the data in memory. */
export type ListCandidate = NearCandidate | ExactCandidate

interface NearCandidate extends EntryPlace {
  needle: Needle
  /** First half of the entry's hash, if only some bits of the needle count. */
  firstHalf?: Uint8Array
  /** Largest distance of a match, in bits. */
  threshold: number
}

interface ExactCandidate extends EntryPlace {
  digest: Uint8Array
  kind: DigestKind
}

interface EntryPlace {
  bank: Bank
  ref: SegmentRef
  position: number
  /** Bits that differ so far; the full distance is at least this. */
  distance: number
}

/** What the search in memory found for one file. */
export interface Searched {
  candidates: ListCandidate[]
  /** Whether these are all candidates. */
  isComplete: boolean
}

/** Candidates whose details lie in the same block. */
interface Block {
  ref: SegmentRef
  number: number
  /** Distance of the nearest candidate so far. */
  distance: number
  candidates: ListCandidate[]
}

/** Blocks that candidates lie in, those with the nearest first. */
function blocksOf(candidates: readonly ListCandidate[]): Block[] {
  const byPlace = Map.groupBy(candidates, ({ ref, position }) => `${ref.name}/${blockOf(position)}`)
  const blocks = [...byPlace.values()].flatMap((inBlock): Block[] => {
    const [first] = inBlock
    if (!first) return []
    const distance = inBlock.reduce((least, other) => Math.min(least, other.distance), Infinity)
    return [{ ref: first.ref, number: blockOf(first.position), distance, candidates: inBlock }]
  })
  return blocks.toSorted((a, b) => a.distance - b.distance)
}

/** Whether there are enough matches to report, and no remaining block can hold a nearer one. */
function isFull(matches: readonly Match[], next: Block | undefined): boolean {
  const last = matches[MAX_MATCHES - 1]
  return last !== undefined && last.distance <= (next?.distance ?? 0)
}

/** Adds the matches among the candidates of a block: the nearest one for each entry. */
function collect(block: Block, details: DetailBlock, found: Map<string, Match>): void {
  for (const candidate of block.candidates) {
    const match = verifyCandidate(candidate, details.of(candidate.position))
    if (!match) continue
    const key = `${candidate.bank.id}/${candidate.ref.name}/${candidate.position}`
    const other = found.get(key)
    if (!other || match.distance < other.distance) found.set(key, match)
  }
}

/** The match that a candidate turns out to be, if it is one. */
function verifyCandidate(
  candidate: ListCandidate,
  { rest, id, labels, cap }: Detail,
): Match | undefined {
  const { bank } = candidate
  const match = { bank: bank.id, entry: id, labels }
  if ('digest' in candidate) {
    if (!isEqual(candidate.digest, rest)) return undefined
    return { ...match, distance: 0, threshold: 0, tolerance: 0, probe: candidate.kind }
  }
  const { needle } = candidate
  const distance = distanceOf(candidate, rest)
  const { tolerance, probe } = needle
  const threshold =
    cap === undefined ? candidate.threshold : loweredThreshold(candidate.threshold, cap, needle)
  if (threshold === undefined || distance > threshold) return undefined
  const limited =
    limitOf(needle, bank.minQuality) ?? (threshold < candidate.threshold ? 'entry' : undefined)
  return { ...match, distance, threshold, tolerance, probe, ...(limited && { limited }) }
}

/** The distance of an entry, given the second half of its hash. */
function distanceOf({ needle, firstHalf, distance }: NearCandidate, rest: Uint8Array): number {
  const { hash, sure } = needle
  if (sure && firstHalf) return sureDistance(hash, sure, concatenate([firstHalf, rest]))
  return distance + bitsDiffering(hash.subarray(HALF_BYTES), rest, HALF_BYTES)
}
