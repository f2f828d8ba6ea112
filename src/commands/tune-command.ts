import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { DEFAULT_BANK_POLICY } from '../list/manifest.ts'
import { HashgateError } from '../util/errors.ts'
import { PROBE_SETS } from '../scan/probes/sets.ts'
import { problemOf } from '../scan/scanned.ts'
import { readLabels } from './file-labels.ts'
import { UnrelatedPairs } from './false-matches.ts'
import { ComparedList, type LeastThresholds } from './least-thresholds.ts'
import { endProgress, showProgress } from './progress.ts'
import { readListToMatch, type ReadOptions } from './read-list.ts'
import { scanContext, scanPath } from './scan-path.ts'
import { tuneTable, type TunedFile } from './tune-report.ts'

/**
 * `hashgate tune`: how many files of a folder would match at each threshold and probe set, and how
 * many uploads would match by mistake. Unscannable files are counted. Returns whether any file
 * could be scanned.
 */
export async function tune(
  options: ReadOptions & { list: string; dir: string; labels?: string },
): Promise<boolean> {
  const { list, dir } = options
  const { entries } = await readListToMatch(list, options)
  const compared = new ComparedList(entries)
  const unrelated = new UnrelatedPairs(entries)
  const paths = await filesIn(dir)
  const labels =
    options.labels === undefined ? undefined : await readLabels(options.labels, new Set(paths))
  const context = await scanContext({ probes: PROBE_SETS.wide })
  const files: TunedFile[] = []
  for (const path of paths) {
    const scanned = await scanPath(context, join(dir, path))
    const least = scanned ? compared.leastFor(scanned) : {}
    const isKnown = labels?.get(path)
    const isScanned = scanned !== undefined && problemOf(scanned) === undefined
    files.push({ least, isScanned, isKnown })
    if (scanned && isUnrelated(least, isKnown)) unrelated.add(scanned)
    showProgress(`${files.length} of ${paths.length} files`, false)
  }
  endProgress()
  const day = new Date().toISOString().slice(0, 10)
  const unscanned = files.filter(({ isScanned }) => !isScanned).length
  console.log(`${day}: ${files.length} files of ${dir} against ${list}`)
  console.log(
    `perceptual hashes on the list: ${compared.perceptualHashes}; digests: ${compared.digests}`,
  )
  console.log(`files that could not be scanned completely: ${unscanned}`)
  if (labels)
    console.log(`labelled files, the only ones that count as found or wrong: ${labels.size}`)
  console.log(`\n${tuneTable(files)}\n`)
  console.log(`${unrelated.report()}\n`)
  return unscanned < files.length
}

/** There is nothing to measure in a folder without files. */
class NoFilesError extends HashgateError {
  readonly code = 'no-files'

  constructor(folder: string) {
    super(`${folder} has no files`)
  }
}

/** Whether a file counts as being on no list: by its label, otherwise if it matches nothing. */
function isUnrelated({ wide }: LeastThresholds, isKnown: boolean | undefined): boolean {
  return isKnown === undefined ? (wide ?? Infinity) > DEFAULT_BANK_POLICY.threshold : !isKnown
}

/** Sorted paths of all files in a folder and its subfolders, relative to it. */
async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  if (files.length === 0) throw new NoFilesError(folder)
  return files.toSorted()
}
