// `hashgate/heic`: HEIC decoded in the Worker, by libheif. A bundle has it, and its licence LGPL-3.0, only if it names this.

import module from 'libheif-js/libheif-wasm/libheif.wasm'
import { libheif } from './scan/image/heic/libheif.ts'
import type { HeicFeature } from './scan/image/heic/library.ts'

export type { HeicFeature, HeicImage, HeicLibrary } from './scan/image/heic/library.ts'

/**
 * Decodes HEIC by libheif: for `createWorker`, or the option `heic` of `gate`. The package `libheif-js` must be installed beside
 * hashgate. It is under LGPL-3.0, and adds 0.5 MB, compressed, to the bundle.
 * @example
 * ```ts
 * import { createWorker } from 'hashgate/features'
 * import { heic } from 'hashgate/heic'
 *
 * export default createWorker({ features: [heic()] })
 * ```
 */
export function heic(): HeicFeature {
  const library = libheif(module)
  return { name: 'heic', library, ...{ bind: () => ({ heic: library }) } }
}
