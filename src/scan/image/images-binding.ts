import { within } from '../../util/within.ts'
import type { ImageConverter } from '../context.ts'

/** Longest side of the requested picture: twice that of the plane it is reduced to. */
const MAX_SIDE = 1024

/** Milliseconds allowed for a conversion. */
const MAX_WAIT_MS = 20_000

/** A converter that has Cloudflare Images turn what it can read into a PNG. */
export function imagesConverter(images: ImagesApi): ImageConverter {
  return async (file) => {
    try {
      const stream = new Response(file as BufferSource).body
      if (!stream) return undefined
      const converting = convert(images, stream)
      return await within(converting, MAX_WAIT_MS, () => new Error('no answer'))
    } catch {
      return undefined // it cannot read the file, fails, or takes too long: the file stays unscannable
    }
  }
}

/** The part of Cloudflare Images' binding used here. */
export interface ImagesApi {
  input(stream: ReadableStream<Uint8Array>): {
    transform(options: { width: number; height: number; fit: 'scale-down' }): {
      output(options: { format: 'image/png' }): Promise<{ response(): Response }>
    }
  }
}

async function convert(images: ImagesApi, stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const result = await images
    .input(stream)
    .transform({ width: MAX_SIDE, height: MAX_SIDE, fit: 'scale-down' })
    .output({ format: 'image/png' })
  return new Uint8Array(await result.response().arrayBuffer())
}
