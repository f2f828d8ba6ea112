// One needle at a time, compared with other libraries for Node.

import { HASH_BYTES, type Hash256 } from '../../src/util/hash.ts'
import type { CoreModules } from '../../src/core/modules.ts'
import { measure, ms, printTable } from '../measure.ts'
import { type Competitor, hashgate, sqlite, typeScript, usearchGraph } from './competitors.ts'
import { flipSome, hashesOf, makeList } from './lists.ts'
import { randomWords } from './random.ts'

const ROUNDS = 21
/** Maximum bits by which a needle differs from a hash of the list, so that each has a neighbour. */
const NEEDLE_BITS = 20
const RECALL_NEEDLES = 50

const NOTES = `hashgate compares first halves and leaves the rare candidate to a verifier; the others compare whole hashes. usearch
takes seconds to build, so it gets the smaller list. Tried and left out: hnswlib-node 3.0.0, which has no Hamming distance;
faiss-node 0.5.1, which fetches a binary from elsewhere and has no binary indexes; mnemonist 0.40.8, whose VP tree and BK
tree over a million such hashes took 0.6 and 1.1 seconds a needle, since at 31 of 256 bits they cannot prune anything; edgevec
0.9.0, exact and in WebAssembly, 38 ms a needle, with few users.
`

/** Contests over two lists: slow builders get the smaller one. */
export async function showContest(modules: CoreModules): Promise<void> {
  console.log('### One needle beside other libraries, in Node\n')
  const large = makeList('uniform', 1_000_000, []).hashes
  await contest('a million hashes', large, [
    ...(await hashgate(modules, large)),
    typeScript(large),
    sqlite(large),
  ])
  const small = makeList('uniform', 100_000, []).hashes
  await contest('100,000 hashes', small, [...(await hashgate(modules, small)), usearchGraph(small)])
  console.log(NOTES)
}

async function contest(
  list: string,
  hashes: Uint8Array,
  competitors: readonly Competitor[],
): Promise<void> {
  const needles = needlesFor(hashes)
  const timings = await measure(
    competitors.map(({ name, find }) => ({ name, run: byTurns(needles, find) })),
    ROUNDS,
  )
  const rows = competitors.map((competitor, i) => {
    const time = timings[i]?.median ?? 0
    const recall = recallOf(competitor, needles)
    return [competitor.name, ms(time), (time / timings[0].median).toFixed(1), recall.toFixed(2)]
  })
  printTable([list, 'ms a needle', 'ratio to hashgate’s scan', 'recall'], rows)
}

/** Needles that are each near a hash of the list. */
function needlesFor(hashes: Uint8Array): Hash256[] {
  const random = randomWords(12)
  const listed = hashesOf(hashes)
  return Array.from({ length: RECALL_NEEDLES }, () => {
    const hash = listed[random() % listed.length] ?? new Uint8Array(HASH_BYTES)
    return flipSome(hash, NEEDLE_BITS, random)
  })
}

/** A function that queries one needle after the other. */
function byTurns(needles: readonly Hash256[], find: (needle: Hash256) => number): () => unknown {
  let next = 0
  return () => {
    const needle = needles[next++ % needles.length]
    return needle && find(needle)
  }
}

/** The share of needles with any result: each has a neighbour. */
function recallOf({ find }: Competitor, needles: readonly Hash256[]): number {
  return needles.filter((needle) => find(needle) > 0).length / needles.length
}
