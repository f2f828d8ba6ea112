import { createReadStream } from 'node:fs'
import type { ScanContext } from '../scan/context.ts'
import type { ScannedFile } from '../scan/scanned.ts'
import { fileErrorText, isFileError } from './file-errors.ts'
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

async function scanStream(context: ScanContext, path: string): Promise<ScannedFile> {
  const scanner = new FileScanner(context)
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    scanner.write(chunk as Uint8Array)
  }
  return scanner.end()
}
