import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { HeicLibrary } from '../scan/image/heic/library.ts'

/** A HEIC decoder, if the package `libheif-js` is installed. */
export async function installedHeic(): Promise<{ heic?: HeicLibrary }> {
  let path: string
  try {
    path = createRequire(import.meta.url).resolve('libheif-js/libheif-wasm/libheif.wasm')
  } catch {
    return {}
  }
  const { libheif } = await import('../scan/image/heic/libheif.ts')
  return { heic: libheif(new WebAssembly.Module(await readFile(path))) }
}
