import { type FileFormat, isImageFormat } from './format.ts'
import type { ScannedFile } from './scanned.ts'

/**
 * Whether a file and everything found within it have accepted formats. A text counts by the files written in it. An empty file
 * is always accepted.
 */
export function isAccepted(
  file: ScannedFile,
  isText: boolean,
  accept: ReadonlySet<FileFormat>,
): boolean {
  const isExempt = file.bytes === 0 || (isText && file.format === undefined)
  return (isExempt || isOneOf(file, accept)) && isInnerAccepted(file, accept)
}

function isInnerAccepted(file: ScannedFile, accept: ReadonlySet<FileFormat>): boolean {
  return (file.inner ?? []).every((inner) => {
    const isText = inner.within === 'text' && inner.format === undefined
    const isHere = isText || (isOneOf(inner, accept) && mayBeIn(file, inner))
    return isHere && isInnerAccepted(inner, accept)
  })
}

function isOneOf({ format }: ScannedFile, accept: ReadonlySet<FileFormat>): boolean {
  return format !== undefined && accept.has(format)
}

/** Cameras put previews and gain maps into and after an image, as JPEG. Icons are PNG. Anything else there is a second file. */
function mayBeIn({ format: outer }: ScannedFile, { format, within }: ScannedFile): boolean {
  const isReading = within === undefined // what a decoder shows of the file itself
  if (isReading || !isImageFormat(outer) || within === 'text') return true
  return format === 'jpeg' || (outer === 'ico' && format === 'png')
}
