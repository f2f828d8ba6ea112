import { readFileSync } from 'node:fs'
import { EntryGuard, type EntryCap } from '../list/entry-guard.ts'
import type { LoweredEntry } from '../list/publish.ts'

/** Entries reported by name; beyond that, only a count. */
const MAX_PRINTED = 20

let guard: EntryGuard | undefined

/** The guard for published lists, with the package's background pictures. */
export function entryGuard(): EntryGuard {
  guard ??= new EntryGuard(readFileSync(new URL('../../assets/background.bin', import.meta.url)))
  return guard
}

/** Prints which entries were lowered, and why. */
export function printLowered(lowered: readonly LoweredEntry[]): void {
  if (lowered.length === 0) return
  const some = lowered.toSorted((a, b) => a.cap - b.cap).slice(0, MAX_PRINTED)
  const [entries, match] =
    lowered.length === 1
      ? ['1 entry matches', 'it']
      : [`${lowered.length.toLocaleString('en')} entries match`, 'they']
  console.log(`${entries} only what is very near, since ${match} would match pictures of others:`)
  for (const { id, ...cap } of some)
    console.log(`  ${id}: within ${cap.cap} bits; ${reasonText(cap)}`)
  const others = lowered.length - some.length
  if (others > 0) console.log(`  and ${others.toLocaleString('en')} more`)
}

function reasonText({ reason, nearest }: EntryCap): string {
  if (reason === 'crowded') return `an everyday picture of the background is ${nearest} bits away`
  if (reason === 'plain') return 'it shows hardly more than a smooth surface and an edge'
  return 'rows or columns of its hash are the same, as those of a weave or a blank panel are'
}
