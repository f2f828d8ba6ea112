// `hashgate/heic`: decodes HEIC in the Worker with libheif. Only a Worker that imports this bundles
// libheif, whose licence is LGPL-3.0.

import module from 'libheif-js/libheif-wasm/libheif.wasm'
import { libheif } from './scan/image/heic/libheif.ts'
import type { HeicFeature } from './scan/image/heic/library.ts'

export type { HeicFeature, HeicImage, HeicLibrary } from './scan/image/heic/library.ts'

/**
 * Decodes HEIC with libheif, for `createWorker` or the option `heic` of `gate`. Install the package
 * `libheif-js` beside hashgate. It is under LGPL-3.0, and adds 0.5 MB (compressed) to the bundle.
 * @throws nothing: a picture that libheif cannot decode is `unscannable`
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
