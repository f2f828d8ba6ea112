// Random lists of any size, packed directly without making entries, since millions of those take
// long.

import type { Hash256 } from '../../src/util/hash.ts'
import { groupBytes, Haystack, HEAD_BYTES } from '../../src/core/haystack.ts'
import type { CoreModules } from '../../src/core/modules.ts'
import { DigestSet, packDigestSet } from '../../src/list/digest-set.ts'
import { fastBytes, randomWords, spreadFirstBytes } from './random.ts'
import { entryOf, segmentRanges } from './segments.ts'

/** Random hashes without their second halves, sorted within each segment, and one that is near the last of them. */
export function randomHaystacks(
  modules: CoreModules,
  total: number,
): { haystacks: Haystack[]; needle: Hash256 } {
  const haystacks: Haystack[] = []
  let needle: Hash256 = new Uint8Array(32)
  for (const { count } of segmentRanges(total)) {
    const sizes = groupBytes(count)
    const heads = fastBytes(sizes.heads, haystacks.length + 1)
    const rests = fastBytes(sizes.rests, ~haystacks.length)
    spreadHeads(heads, count)
    const haystack = new Haystack(modules.match, count)
    haystack.fill(0, heads, rests)
    haystacks.push(haystack)
    needle = firstOf(heads, rests)
  }
  return { haystacks, needle }
}

/** Sorts random hashes in groups, as `spreadFirstBytes` does: planes 0 to 3 are their first bytes. */
function spreadHeads(heads: Uint8Array, count: number): void {
  const first = new Uint8Array(count * 4)
  spreadFirstBytes(first, 4, { first: 0, count, total: count }, randomWords(count))
  for (let i = 0; i < count; i++) {
    const lane = (i >> 4) * HEAD_BYTES + (i & 15)
    for (let plane = 0; plane < 4; plane++) heads[lane + plane * 16] = first[i * 4 + plane] ?? 0
  }
}

/** A needle whose first half differs in two bits from that of the first hash. */
function firstOf(heads: Uint8Array, rests: Uint8Array): Hash256 {
  const planes = [...heads.subarray(0, HEAD_BYTES), ...rests.subarray(0, 80)]
  const hash = Uint8Array.from({ length: 32 }, (_, plane) => planes[plane * 16] ?? 0)
  hash[3] = (hash[3] ?? 0) ^ 0x21
  return hash
}

const DIGEST_BYTES = 16

/** Digest sets of random digests that are published at once, and some of the digests. */
export function randomDigestSets(total: number): { sets: DigestSet[]; listed: Uint8Array[] } {
  const sets: DigestSet[] = []
  const listed: Uint8Array[] = []
  for (const range of segmentRanges(total)) {
    const packed = fastBytes(range.count * DIGEST_BYTES, sets.length + 100)
    spreadFirstBytes(packed, DIGEST_BYTES, range, randomWords(sets.length))
    const digests = Array.from({ length: range.count }, (_, i) =>
      packed.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES),
    )
    sets.push(new DigestSet(packDigestSet(digests.map(entryOf('md5'))), range.count))
    listed.push(...digests.slice(0, 1000).map((digest) => digest.slice()))
  }
  return { sets, listed }
}
