import { type FileFormat, isImageFormat } from './format.ts'
import type { ScannedFile } from './scanned.ts'

/**
 * Whether a file, and all that was found within it, are of accepted formats. A text counts by what is written in it, and an empty
 * file by nothing.
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

/** Cameras put previews and gain maps into an image and behind it, in JPEG. Icons are PNG. Anything else there is a second file. */
function mayBeIn({ format: outer }: ScannedFile, { format, within }: ScannedFile): boolean {
  if (!isImageFormat(outer) || within === 'text') return true
  return format === 'jpeg' || (outer === 'ico' && format === 'png')
}
