// Cases that are measured alike in Node and in workerd. A case is prepared once, then its
// contenders take turns.

import { type Hash256, parseHash } from '../../src/util/hash.ts'
import type { CoreModules } from '../../src/core/modules.ts'
import type { Contender } from '../measure.ts'
import { hashesOf, type ListName, makeList } from './lists.ts'
import { fastBytes } from './random.ts'
import { randomDigestSets, randomHaystacks } from './random-lists.ts'
import { memoryReader } from './reader.ts'
import { buildTables, loadSegments, searchAll, type Searched, storeSegments } from './segments.ts'

/** What can be measured. It is sent to workerd as JSON. */
export type Spec =
  | { kind: 'scan'; count: number }
  /** `bases`: hashes in hex that the list `copies` is made from. */
  | { kind: 'table'; count: number; list: ListName; bases?: string[] }
  | { kind: 'digests'; count: number }

export interface Case {
  contenders: Contender[]
  /** Further facts, by name. */
  facts: Record<string, number>
}

/** WebAssembly modules as Node or workerd has them. */
export interface BenchModules {
  core: CoreModules
  reader: WebAssembly.Module
}

/** Digests that one call of a contender looks up. */
export const QUERIES = 20_000

export function prepareCase(modules: BenchModules, spec: Spec): Case | Promise<Case> {
  switch (spec.kind) {
    case 'scan':
      return scanCase(modules, spec.count)
    case 'table':
      return tableCase(modules.core, spec.list, spec.count, spec.bases ?? [])
    case 'digests':
      return digestCase(spec.count)
  }
}

/** One needle against all segments, compared with loops that read as many bytes. */
function scanCase({ core, reader }: BenchModules, count: number): Case {
  const { haystacks, needle } = randomHaystacks(core, count)
  expectFound(searchAll(haystacks, [needle]).count, 1)
  return {
    contenders: [
      { name: 'scan', run: () => searchAll(haystacks, [needle]) },
      { name: 'read', run: memoryReader(reader, count * 16, 'read') },
      { name: 'read in four', run: memoryReader(reader, count * 16, 'readInFour') },
    ],
    facts: { memoryBytes: haystacks.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0) },
  }
}

/** 40 needles against all segments of a list, by table and by scanning: two contenders for each set of needles. */
async function tableCase(
  modules: CoreModules,
  name: ListName,
  count: number,
  bases: readonly string[],
): Promise<Case> {
  const parsed = bases.flatMap((base): Hash256[] => {
    const hash = parseHash(base)
    return hash ? [hash] : []
  })
  const { hashes, needles } = makeList(name, count, parsed)
  const stored = storeSegments(hashesOf(hashes))
  const scanned = (await loadSegments(modules, stored)).map(({ haystack }) => haystack)
  const segments = await loadSegments(modules, stored)
  const { total, longest } = await buildTables(modules, stored, segments)
  const tables = segments.map(({ haystack }) => haystack)
  const memoryBytes = tables.reduce((sum, haystack) => sum + haystack.memoryBytes, 0)
  const facts: Case['facts'] = { memoryBytes, total, longest }
  const contenders: Contender[] = []
  for (const [set, asked] of Object.entries(needles)) {
    facts[`found: ${set}`] = foundAlike(searchAll(tables, asked), searchAll(scanned, asked))
    contenders.push(
      { name: set, run: () => searchAll(tables, asked) },
      { name: `${set}, scan`, run: () => searchAll(scanned, asked) },
    )
  }
  return { contenders, facts }
}

/** Digests that are on no list, against all sets. */
function digestCase(count: number): Case {
  const { sets, listed } = randomDigestSets(count)
  for (const digest of listed)
    expectFound(sets.some((set) => set.find(digest).length > 0) ? 1 : 0, 1)
  const packed = fastBytes(QUERIES * 16, 9)
  const digests = Array.from({ length: QUERIES }, (_, i) => packed.subarray(i * 16, (i + 1) * 16))
  const query = () => {
    let candidates = 0
    for (const digest of digests) for (const set of sets) candidates += set.find(digest).length
    return candidates
  }
  const memoryBytes = sets.reduce((sum, set) => sum + set.memoryBytes, 0)
  return {
    contenders: [{ name: 'query', run: query }],
    facts: { memoryBytes, falseShare: query() / QUERIES },
  }
}

/**
 * How many hashes the table reports. It must not be more than the scan, which reports every hash
 * whose first half is near.
 */
function foundAlike(byTable: Searched, byScan: Searched): number {
  if (!byTable.isComplete || !byScan.isComplete) return Infinity
  if (byTable.count > byScan.count) throw new Error(`${byTable.count} found, and ${byScan.count}`)
  return byTable.count
}

function expectFound(found: number, expected: number): void {
  if (found !== expected) throw new Error(`found ${found}, and not ${expected}`)
}
