import { bitsDiffering, HASH_BYTES } from '../core/hash.ts'
import { Haystack } from '../core/haystack.ts'
import type { CoreModules } from '../core/modules.ts'
import {
  type Bank,
  checkSize,
  type Manifest,
  MAX_THRESHOLD,
  type SegmentRef,
} from '../list/manifest.ts'
import { BLOCK_ENTRIES, type Detail, readDetails, readSegment } from '../list/segment.ts'
import type { ListStore } from '../list/store.ts'
import { HashgateError } from '../errors.ts'
import type { Needle } from '../scan/scanner.ts'

/** An entry within its bank's threshold of a needle. */
export interface Match {
  bank: string
  entry: string
  labels: Record<string, string>
  /** Bits, 0 to the threshold. */
  distance: number
  threshold: number
  needle: Needle
}

/** Detail blocks that one query may read: a list that lies near the needle as a whole is no reason to read it all. */
const MAX_BLOCKS = 200

/** Bits by which `nearest` widens its search. */
const NEAREST_STEP = 16

/** A query met more candidates than it may look up. */
export class TooManyCandidatesError extends HashgateError {
  readonly code = 'too-many-candidates'

  constructor() {
    super(`the candidates lie in more detail blocks than a query reads, ${MAX_BLOCKS}`)
  }
}

interface LoadedBank {
  bank: Bank
  segments: { ref: SegmentRef; haystack: Haystack }[]
}

/** One published version of the list, in memory: 16 bytes an entry. Details are read for candidates only. */
export class BankIndex {
  readonly manifest: Manifest
  readonly #store: ListStore
  readonly #banks: LoadedBank[]

  private constructor(manifest: Manifest, store: ListStore, banks: LoadedBank[]) {
    this.manifest = manifest
    this.#store = store
    this.#banks = banks
  }

  /**
   * Loads the segments that a manifest names, but those that `previous` has.
   * @throws {ValueMissingError | ValueDamagedError} a segment is not there or not whole
   * @throws {ListTooLargeError}
   */
  static async load(
    modules: CoreModules,
    store: ListStore,
    manifest: Manifest,
    previous?: BankIndex,
  ): Promise<BankIndex> {
    checkSize(manifest)
    const old = previous ? previous.#banks.flatMap(({ segments }) => segments) : []
    const known = new Map(old.map(({ ref, haystack }) => [ref.name, haystack]))
    const banks: LoadedBank[] = []
    for (const bank of manifest.banks) {
      const segments = []
      for (const ref of bank.segments) {
        segments.push({
          ref,
          haystack: known.get(ref.name) ?? (await loadHaystack(modules, store, ref)),
        })
      }
      banks.push({ bank, segments })
    }
    return new BankIndex(manifest, store, banks)
  }

  /** Bytes of memory that the index takes. */
  get memoryBytes(): number {
    const haystacks = this.#banks.flatMap(({ segments }) =>
      segments.map(({ haystack }) => haystack),
    )
    return haystacks.reduce((sum, haystack) => sum + haystack.memoryBytes, 0)
  }

  /**
   * All entries that lie within their bank's threshold of a needle of sufficient quality, nearest first.
   * @throws {ValueMissingError | ValueDamagedError} a candidate's details are not there or not whole
   * @throws {TooManyCandidatesError}
   */
  async match(needles: readonly Needle[]): Promise<Match[]> {
    return this.#verified(this.#banks.flatMap((loaded) => candidatesIn(loaded, needles)))
  }

  /**
   * The entry that is nearest to any of the needles, within `maxDistance`, whatever thresholds and qualities say: for
   * people who try a list out. `undefined` if there is none.
   */
  async nearest(
    needles: readonly Needle[],
    maxDistance: number = MAX_THRESHOLD,
  ): Promise<Match | undefined> {
    for (
      let threshold = NEAREST_STEP;
      threshold < maxDistance + NEAREST_STEP;
      threshold += NEAREST_STEP
    ) {
      const policy = { threshold: Math.min(threshold, maxDistance), minQuality: 0 }
      const [nearest] = await this.#verified(
        this.#banks.flatMap(({ bank, segments }) =>
          candidatesIn({ bank: { ...bank, ...policy }, segments }, needles),
        ),
      )
      if (nearest) return nearest
    }
    return undefined
  }

  async #verified(candidates: readonly Candidate[]): Promise<Match[]> {
    const blocks = Map.groupBy(
      candidates,
      ({ ref, position }) => `${ref.name}/${blockOf(position)}`,
    )
    if (blocks.size > MAX_BLOCKS) throw new TooManyCandidatesError()
    const matches: Match[] = []
    for (const inBlock of blocks.values()) {
      const [first] = inBlock
      if (!first) continue
      const details = await readDetails(this.#store, first.ref, blockOf(first.position))
      matches.push(...inBlock.flatMap((candidate) => verify(candidate, details)))
    }
    return matches.toSorted((a, b) => a.distance - b.distance)
  }
}

async function loadHaystack(
  modules: CoreModules,
  store: ListStore,
  ref: SegmentRef,
): Promise<Haystack> {
  const { groups, count } = await readSegment(store, ref)
  return new Haystack(modules.match, groups, count)
}

/** An entry whose first half lies near a needle's. */
interface Candidate {
  bank: Bank
  ref: SegmentRef
  position: number
  needle: Needle
  firstHalfDistance: number
}

function blockOf(position: number): number {
  return Math.floor(position / BLOCK_ENTRIES)
}

/**
 * Candidates of a bank for all needles that are good enough for it.
 * @throws {TooManyCandidatesError}
 */
function candidatesIn({ bank, segments }: LoadedBank, needles: readonly Needle[]): Candidate[] {
  return needles
    .filter(({ quality }) => quality >= bank.minQuality)
    .flatMap((needle) =>
      segments.flatMap(({ ref, haystack }) => {
        const { near, isComplete } = haystack.scan(needle.hash, bank.threshold)
        if (!isComplete) throw new TooManyCandidatesError()
        return near.map(({ position, distance }) => ({
          bank,
          ref,
          position,
          needle,
          firstHalfDistance: distance,
        }))
      }),
    )
}

/** The match that a candidate turns out to be, if it is one, by the second half of its hash. */
function verify(
  { bank, position, needle, firstHalfDistance }: Candidate,
  details: readonly Detail[],
): Match[] {
  const detail = details[position % BLOCK_ENTRIES]
  if (!detail) throw new RangeError(`no details for position ${position}`)
  const secondHalf = needle.hash.subarray(HASH_BYTES / 2)
  const distance =
    firstHalfDistance + bitsDiffering(secondHalf, detail.secondHalf, 0, HASH_BYTES / 2)
  if (distance > bank.threshold) return []
  return [
    {
      bank: bank.id,
      entry: detail.id,
      labels: detail.labels,
      distance,
      threshold: bank.threshold,
      needle,
    },
  ]
}
