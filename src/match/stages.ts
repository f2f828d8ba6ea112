import type { ScannedFile } from '../scan/scanned.ts'
import { nextTurn } from '../util/steps.ts'
import { type MatchResult, type Query, queryOf } from './match.ts'

/**
 * What a list knows about files. Unmatched images are queried again with needles of the wide set, if that is on. Most
 * uploads never match, so the first query must be small.
 */
export async function matchInStages(
  files: readonly ScannedFile[],
  askList: AskList,
): Promise<MatchResult[]> {
  const results = await askList(files.map(queryOf))
  const open: (Query & { index: number })[] = []
  for (const [index, file] of files.entries()) {
    if (file.coverage !== 'scanned' || !file.widen || results[index]?.matches.length !== 0) continue
    open.push({ index, needles: file.widen() })
    await nextTurn() // some hundred views have been made
  }
  if (open.length === 0) return results
  const wide = await askList(open)
  open.forEach(({ index }, i) => {
    const [first, second] = [results[index], wide[i]]
    if (first && second) results[index] = { ...second, ...incompleteOf(first, second) }
  })
  return results
}

export type AskList = (queries: readonly Query[]) => Promise<MatchResult[]>

/** The answer is complete only if both stages are. */
function incompleteOf(first: MatchResult, second: MatchResult): Partial<MatchResult> {
  const error = first.error ?? second.error
  return {
    isComplete: first.isComplete && second.isComplete,
    ...(error !== undefined && { error }),
  }
}
