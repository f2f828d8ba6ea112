import { readManifest } from '../list/manifest.ts'
import { publishBank } from '../list/publish.ts'
import { entryGuard } from './entry-guard.ts'
import { MemoryStore } from '../list/store.ts'
import { type Match, TooManyCandidatesError } from '../match/match.ts'
import { matchInStages } from '../match/stages.ts'
import { PROBE_SETS, type ProbeSet } from '../scan/probes/sets.ts'
import { describeNeedle } from '../match/thresholds.ts'
import { needlesOf, allFiles, problemOf, type ScannedFile } from '../scan/scanned.ts'
import { BankIndex } from '../match/bank-index.ts'
import { readListToMatch, type ReadOptions } from './read-list.ts'
import { scanContext, scanEach } from './scan-path.ts'

/** Bank that the list becomes while files are matched against it. */
const BANK = 'list'

/**
 * `hashgate match`: publishes the list to memory, then reads and queries it as the Worker does.
 * Returns whether every file could be scanned.
 */
export async function matchFiles(
  files: readonly string[],
  options: ReadOptions & { list: string; threshold?: number; probes?: ProbeSet },
): Promise<boolean> {
  const { threshold, probes = PROBE_SETS.default } = options
  const context = await scanContext({ probes })
  const store = new MemoryStore()
  const { entries } = await readListToMatch(options.list, options)
  await publishBank(store, entries, {
    bank: BANK,
    guard: entryGuard(),
    ...(threshold !== undefined && { threshold }),
  })
  const index = await BankIndex.load(context.modules, store, await readManifest(store))

  return scanEach(context, files, async (scanned, file) => {
    const results = await matchInStages(allFiles(scanned), (queries) => index.match(queries))
    const matches = results.flatMap((result) => result.matches)
    const isComplete = results.every((result) => result.isComplete)
    if (matches.length === 0 && !isComplete) throw new TooManyCandidatesError()
    const verdict = verdictOf(scanned, matches.length)
    const line = { file, ...verdict, ...qualityOf(scanned), matches: matches.map(matchLine) }
    console.log(JSON.stringify(line))
    return problemOf(scanned) === undefined
  })
}

function verdictOf(scanned: ScannedFile, matches: number): { verdict: string; reason?: string } {
  if (matches > 0) return { verdict: 'match' }
  const reason = problemOf(scanned)
  return reason ? { verdict: 'unscannable', reason } : { verdict: 'no-match' }
}

/** How informative the file's hash is, and therefore how near a match must be. */
function qualityOf(file: ScannedFile): object {
  const identity = needlesOf(file).find(({ probe }) => probe === 'identity')
  if (!identity) return {}
  const { quality, limited, limitedTo } = describeNeedle(identity)
  return { quality, ...(limited && { limited, limitedTo }) }
}

function matchLine({ entry, labels, distance, threshold, probe }: Match): object {
  const { source } = labels
  const margin = threshold - distance
  return { entry, ...(source !== undefined && { source }), distance, margin, probe }
}
