import type { FileFormat } from './format.ts'
import { allFiles, type ScannedFile } from './scanned.ts'

/**
 * Whether a file, and all that was found within it, are of accepted formats. A text counts by what is written in it, and an empty
 * file by nothing.
 */
export function isAccepted(
  file: ScannedFile,
  isText: boolean,
  accept: ReadonlySet<FileFormat>,
): boolean {
  return allFiles(file).every((one) => {
    const isExempt = one.format === undefined && ((one === file && isText) || one.within === 'text')
    const isNothing = one.bytes === 0 && one === file
    return isExempt || isNothing || (one.format !== undefined && accept.has(one.format))
  })
}
