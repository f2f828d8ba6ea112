import { ImageDecoder } from '../core/image.ts'
import type { ImageCore } from '../core/image-core.ts'
import { type ImageFormat, isCoreFormat } from '../scan/image/format.ts'

/** The picture that is hashed, 64 x 64 luma in base64, of a file that the core decodes. */
export function hashedPicture(
  core: ImageCore,
  format: string | undefined,
  file: Uint8Array,
): string | undefined {
  if (format === undefined || !isCoreFormat(format as ImageFormat)) return undefined
  const decoder = ImageDecoder.forFile(core, format as Parameters<typeof ImageDecoder.forFile>[1])
  let seen: Uint8Array | undefined
  decoder.push(file, true, (frame) => {
    seen = frame.seen()
    decoder.stop()
  })
  decoder.release()
  return seen && btoa(String.fromCharCode(...seen))
}
