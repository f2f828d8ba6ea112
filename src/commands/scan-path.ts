import { createReadStream } from 'node:fs'
import { readModules } from '../core/node.ts'
import type { ScanContext } from '../scan/context.ts'
import type { ScannedFile } from '../scan/scanned.ts'
import { fileErrorText, isFileError } from './file-errors.ts'
import { installedHeic } from './heic.ts'
import { FileScanner } from '../scan/scanner.ts'

const READ_BYTES = 256 * 1024

/** Scans a file while reading it. An unreadable file is reported and gives `undefined`. */
export async function scanPath(
  context: ScanContext,
  path: string,
): Promise<ScannedFile | undefined> {
  try {
    return await scanStream(context, path)
  } catch (error) {
    if (!isFileError(error)) throw error
    console.error(`hashgate: ${fileErrorText(error, path)}`)
    return undefined
  }
}

/** What a command scans with: the core, and libheif if it is installed. */
export async function scanContext(own: Partial<ScanContext> = {}): Promise<ScanContext> {
  return { modules: readModules(), ...own, ...(await installedHeic()) }
}

/** Scans files one by one. Returns whether all could be read, and `use` returned `true` for all. */
export async function scanEach(
  context: ScanContext,
  paths: readonly string[],
  use: (scanned: ScannedFile, path: string) => boolean | Promise<boolean>,
): Promise<boolean> {
  let isAll = true
  for (const path of paths) {
    const scanned = await scanPath(context, path)
    const isGood = scanned !== undefined && (await use(scanned, path))
    isAll &&= isGood
  }
  return isAll
}

async function scanStream(context: ScanContext, path: string): Promise<ScannedFile> {
  const scanner = new FileScanner(context)
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    scanner.write(chunk as Uint8Array)
  }
  return scanner.end()
}
