import { DIHEDRAL_NAMES, type DihedralName, formatHash } from '../util/hash.ts'
import { type Frame, ImageDecoder } from '../core/image.ts'
import { ImageCore } from '../core/image-core.ts'
import { UnhashableImageError } from './errors.ts'
import { type Input, readInput } from './input.ts'
import type { PdqDihedral, PdqHash, PdqImage, WasmModule } from './types.ts'

/**
 * Hashes images as they are stored: without alpha, ignoring Exif orientation, and only the first frame of an animation.
 * Each image has its own WebAssembly instance over zeroed memory, so none of its data outlives its hash.
 * @example
 * ```ts
 * import { loadPdq, type Pdq } from 'hashgate/pdq'
 *
 * const pdq: Pdq = await loadPdq()
 * console.log(typeof pdq.hash) // function
 * ```
 */
export class Pdq {
  readonly #core: ImageCore

  /** @param module `hashgate/pdq.wasm`, compiled */
  constructor(module: WasmModule) {
    this.#core = new ImageCore(module)
  }

  /**
   * The PDQ hash of an image.
   * @param image the bytes of a file, or pixels
   * @throws {UnhashableImageError} it has no hash, with the reason
   * @throws {BadImageInputError} it is neither bytes nor pixels
   * @example
   * ```ts
   * import { loadPdq } from 'hashgate/pdq'
   *
   * const pdq = await loadPdq()
   * const grey = new Uint8Array(64 * 64).fill(128) // luma, a byte a pixel
   * console.log(pdq.hash({ width: 64, height: 64, data: grey }).quality) // 0
   * ```
   */
  hash(image: PdqImage): PdqHash {
    const { hash, quality } = this.#firstFrame(image, (frame) => frame.stored())
    return { hash: formatHash(hash), quality }
  }

  /**
   * The hashes of an image as it is, turned and mirrored, in little more time than one takes.
   * @param image the bytes of a file, or pixels
   * @throws {UnhashableImageError} it has no hash, with the reason
   * @throws {BadImageInputError} it is neither bytes nor pixels
   * @example
   * ```ts
   * import { readFile } from 'node:fs/promises'
   * import { DIHEDRAL_NAMES, loadPdq } from 'hashgate/pdq'
   *
   * const { hashes } = (await loadPdq()).dihedral(await readFile('known.jpg'))
   * console.log(Object.keys(hashes).length === DIHEDRAL_NAMES.length) // true
   * ```
   */
  dihedral(image: PdqImage): PdqDihedral {
    const variants = this.#firstFrame(image, (frame) => frame.dihedral())
    const texts = DIHEDRAL_NAMES.map((name) => [name, formatHash(variants[name].hash)])
    return {
      hashes: Object.fromEntries(texts) as Record<DihedralName, string>,
      quality: variants.original.quality,
    }
  }

  #firstFrame<T>(image: PdqImage, read: (frame: Frame) => T | undefined): T {
    const input = readInput(image)
    const decoder = this.#decoderFor(input)
    let found = undefined as T | undefined
    try {
      decoder.push(input.bytes, true, (frame) => {
        found = read(frame)
        decoder.stop()
      })
    } finally {
      decoder.release()
    }
    if (found) return found
    const format = 'format' in input ? input.format : undefined
    throw new UnhashableImageError(decoder.failure ?? 'too-small', format)
  }

  #decoderFor(input: Input): ImageDecoder {
    return 'format' in input
      ? ImageDecoder.forFile(this.#core, input.format)
      : ImageDecoder.forPixels(this.#core, input.size)
  }
}
