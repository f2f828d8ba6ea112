import { readModules } from '../core/node.ts'
import { readManifest } from '../list/manifest.ts'
import { publishBank } from '../list/publish.ts'
import { MemoryStore } from '../list/store.ts'
import { type Match, queryOf, TooManyCandidatesError } from '../match/match.ts'
import type { ScannedFile } from '../scan/scanner.ts'
import { BankIndex } from '../match/bank-index.ts'
import { readListFile } from './read-list.ts'
import { scanPath } from './scan-path.ts'

/** Name of the bank that a list becomes while files are matched against it. */
const BANK = 'list'

/**
 * `hashgate match`: the list is published to memory, and read and asked as the Worker does.
 * Returns whether all files could be scanned.
 */
export async function matchFiles(
  files: readonly string[],
  options: { list: string; threshold?: number; skipBad?: true },
): Promise<boolean> {
  const { threshold } = options
  const modules = readModules()
  const store = new MemoryStore()
  const entries = await readListFile(options.list, options)
  await publishBank(store, entries, { bank: BANK, ...(threshold !== undefined && { threshold }) })
  const index = await BankIndex.load(modules, store, await readManifest(store))

  let isAll = true
  for (const file of files) {
    const scanned = await scanPath({ modules }, file)
    if (!scanned) {
      isAll = false
      continue
    }
    if (scanned.coverage === 'unscannable') isAll = false
    const [result] = await index.match([queryOf(scanned)])
    const { matches, isComplete } = result ?? { matches: [], isComplete: false }
    if (matches.length === 0 && !isComplete) throw new TooManyCandidatesError()
    const verdict = verdictOf(scanned, matches.length)
    console.log(JSON.stringify({ file, ...verdict, matches: matches.map(describe) }))
  }
  return isAll
}

function verdictOf(scanned: ScannedFile, matches: number): { verdict: string; reason?: string } {
  if (matches > 0) return { verdict: 'match' }
  if (scanned.coverage === 'scanned') return { verdict: 'no-match' }
  return { verdict: 'unscannable', reason: scanned.reason }
}

function describe({ entry, labels, distance, probe }: Match): object {
  const { source } = labels
  return { entry, ...(source !== undefined && { source }), distance, probe }
}
