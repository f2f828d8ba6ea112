import { readModules } from '../../src/core/node.ts'
import type { ScanContext } from '../../src/scan/context.ts'
import type { ScanLimits } from '../../src/scan/limits.ts'
import { allFiles, type ScannedFile } from '../../src/scan/scanned.ts'
import { FileScanner } from '../../src/scan/scanner.ts'

const modules = readModules()

/** Scans a file that comes in chunks of a size. */
export function scanChunks(
  file: Uint8Array,
  cut = file.length,
  limits: Partial<ScanLimits> = {},
  using = modules,
): Promise<ScannedFile> {
  const context: ScanContext = { modules: using, limits }
  const scanner = new FileScanner(context)
  // Copies: what is not to be held may change as soon as it is written.
  for (let at = 0; at < file.length; at += cut) scanner.write(file.slice(at, at + cut))
  return scanner.end()
}

/** What was found, in a line for each file: where, what, how it ended. */
export function outline(file: ScannedFile): string[] {
  return allFiles(file).map((one) => {
    const outcome = one.coverage === 'scanned' ? `${one.needles.length} needles` : one.reason
    const entries = one.coverage === 'unscannable' ? (one.unscannableEntries ?? '') : ''
    return `${one.within ?? 'upload'}: ${one.format ?? 'unknown'} ${outcome} ${entries}`.trim()
  })
}
