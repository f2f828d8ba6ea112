import type { ImageCore } from './image-core.ts'
import type { SignatureSearch } from './signature-search.ts'

/**
 * The compiled WebAssembly modules. Workers import them, Node reads them from files. A Worker cannot compile code at run
 * time, so the entries pass them down.
 */
export interface CoreModules {
  /** assembly/image.ts: decoding to luma, hashing. */
  image: ImageCore
  /** assembly/search.ts: where images may begin in a file. */
  search: SignatureSearch
  /** assembly/match.ts: scanning packed hashes. */
  match: WebAssembly.Module
  /** @jsquash/webp */
  webp: WebAssembly.Module
  /** @jsquash/avif */
  avif: WebAssembly.Module
}
