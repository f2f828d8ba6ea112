import { readFileSync } from 'node:fs'
import { ImageCore } from './image-core.ts'
import type { CoreModules } from './modules.ts'
import { SignatureSearch } from './signature-search.ts'

/** The modules in Node, read from the package's build folder, which is two levels up in both src/ and dist/. */
export function readModules(): CoreModules {
  const compile = (name: keyof CoreModules) => {
    const file = new URL(`../../build/${name}.wasm`, import.meta.url)
    return new WebAssembly.Module(readFileSync(file))
  }
  return {
    image: new ImageCore(compile('image')),
    search: new SignatureSearch(compile('search')),
    match: compile('match'),
    webp: compile('webp'),
    avif: compile('avif'),
  }
}
