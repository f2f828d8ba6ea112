import avif from '../../build/avif.wasm'
import image from '../../build/image.wasm'
import match from '../../build/match.wasm'
import search from '../../build/search.wasm'
import webp from '../../build/webp.wasm'
import { ImageCore } from './image-core.ts'
import type { CoreModules } from './modules.ts'
import { SignatureSearch } from './signature-search.ts'

/** The modules in a Worker, compiled when it is deployed. */
export const modules: CoreModules = {
  image: new ImageCore(image),
  search: new SignatureSearch(search),
  match,
  webp,
  avif,
}
