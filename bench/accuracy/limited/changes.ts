import { jpeg, type Encode, png, webp } from '../encode.ts'
import { readSource, resizeTo } from '../pixels.ts'

/** Changes that a picture undergoes unintentionally. */
export const CHANGES: Readonly<Record<string, Encode>> = {
  unchanged: png,
  'JPEG q 90': jpeg(90),
  'JPEG q 75': jpeg(75),
  'JPEG q 50': jpeg(50),
  'WebP q 75': webp(75),
  'resize 50 %': async (pixels) =>
    jpeg(85)(await resizeTo(pixels, pixels.width / 2, pixels.height / 2)),
}

/** The files that a picture is uploaded as. The first is the original. */
export async function* changed(
  file: Uint8Array,
): AsyncGenerator<{ change: string; file: Uint8Array }> {
  const { pixels } = await readSource('', file)
  for (const [change, encode] of Object.entries(CHANGES)) {
    yield { change, file: change === 'unchanged' ? file : await encode(pixels) }
  }
}
