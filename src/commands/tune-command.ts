import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { readModules } from '../core/node.ts'
import { HashgateError } from '../util/errors.ts'
import { PROBE_SETS } from '../scan/probes/sets.ts'
import { problemOf } from '../scan/scanned.ts'
import { readLabels } from './file-labels.ts'
import { ComparedList } from './least-thresholds.ts'
import { endProgress, showProgress } from './progress.ts'
import { readListToMatch, type ReadOptions } from './read-list.ts'
import { scanPath } from './scan-path.ts'
import { tuneTable, type TunedFile } from './tune-report.ts'

/** A folder without files tells nothing. */
class NoFilesError extends HashgateError {
  readonly code = 'no-files'

  constructor(folder: string) {
    super(`${folder} has no files`)
  }
}

/**
 * `hashgate tune`: how many files of a folder would match at each threshold, by each set of probes. Returns whether all files
 * could be scanned.
 */
export async function tune(
  options: ReadOptions & { list: string; dir: string; labels?: string },
): Promise<boolean> {
  const { list, dir } = options
  const compared = new ComparedList((await readListToMatch(list, options)).entries)
  const paths = await filesIn(dir)
  const labels =
    options.labels === undefined ? undefined : await readLabels(options.labels, new Set(paths))
  const context = { modules: readModules(), probes: PROBE_SETS.wide }
  const files: TunedFile[] = []
  for (const path of paths) {
    const scanned = await scanPath(context, join(dir, path))
    files.push({
      least: scanned ? compared.leastFor(scanned) : {},
      isScanned: scanned !== undefined && problemOf(scanned) === undefined,
      isKnown: labels?.get(path),
    })
    showProgress(`${files.length} of ${paths.length} files`, false)
  }
  endProgress()
  const day = new Date().toISOString().slice(0, 10)
  const unscanned = files.filter(({ isScanned }) => !isScanned).length
  console.log(`${day}: ${files.length} files of ${dir} against ${list}`)
  console.log(
    `perceptual hashes on the list: ${compared.perceptualHashes}; digests: ${compared.digests}`,
  )
  console.log(`files that could not be scanned, or not to their end: ${unscanned}`)
  if (labels)
    console.log(`labelled files, the only ones that count as found or wrong: ${labels.size}`)
  console.log(`\n${tuneTable(files)}\n`)
  return unscanned === 0
}

/** Paths of all files in a folder and those within it, from the folder on, sorted. */
async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  if (files.length === 0) throw new NoFilesError(folder)
  return files.toSorted()
}
