// The table of tolerances that the code reads: how many bits each probe may add to a bank's
// threshold without matching an unrelated picture of the bench.

import { writeFile } from 'node:fs/promises'
import { DEFAULT_BANK_POLICY } from '../src/list/manifest.ts'
import { FIRST_FAMILIES, type Family, WIDE_FAMILIES } from '../src/scan/probes/families.ts'
import { needlesDigest } from '../test/support/needles-digest.ts'

/** The command that writes the table. */
const COMMAND =
  'npm run bench -- false-matches --probes wide --distractors DIR --pieces PIECES --write'
const FILE = new URL('../src/scan/probes/tolerances.ts', import.meta.url)

/** The nearest unrelated entry of uploads of quality 80 and more, and of others, in bits. */
export type NearestByQuality = readonly [clear: number, others: number]

/** Writes the table. */
export async function writeTolerances(
  nearest: ReadonlyMap<string, NearestByQuality>,
  pictures: number,
): Promise<void> {
  const families = Object.entries<Family>({ ...FIRST_FAMILIES, ...WIDE_FAMILIES })
  const rows = families.flatMap(([name]) => {
    const found = nearest.get(name)
    if (!found) return []
    const key = /^\w+$/.test(name) ? name : `'${name}'`
    return `  ${key}: [${found.map(mostOf).join(', ')}], // nearest: ${found.join(', ')}\n`
  })
  await writeFile(
    FILE,
    `// Made by \`${COMMAND}\`,
// from ${pictures.toLocaleString('en')} pictures: do not edit.

/** SHA-256 of needles of made-up pictures (test/support/needles-digest.ts) at that time. */
export const MEASURED_NEEDLES = '${await needlesDigest()}'

/**
 * Most bits that a probe may add to a bank's threshold, for needles of quality 80 and more and for
 * others: with one more, an unrelated picture of the bench would match.
 */
export const MOST_TOLERANCES: Readonly<Record<string, readonly [clear: number, others: number]>> = {
${rows.join('')}}

/** Quality from which a needle is clear. */
const CLEAR_QUALITY = 80

export function mostTolerance(probe: string, quality: number): number {
  return MOST_TOLERANCES[probe]?.[quality >= CLEAR_QUALITY ? 0 : 1] ?? 0
}
`,
  )
}

/** An entry at the threshold matches, so one bit is kept between them. */
function mostOf(nearest: number): number {
  return Math.max(0, nearest - DEFAULT_BANK_POLICY.threshold - 1)
}
