import { ModuleUnavailableError } from './errors.ts'
import { Pdq } from './pdq.ts'
import type { WasmModule } from './types.ts'

export * from './api.ts'

/**
 * Gets ready to hash: once, for any number of images. A Worker imports the WebAssembly module; Node, Deno and Bun read it;
 * browsers fetch it.
 * @param module `hashgate/pdq.wasm`, compiled. Pass it if a bundler has moved the code without it
 * @default the module beside this code
 * @throws {ModuleUnavailableError} in a browser: the server does not have the module
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { loadPdq } from 'hashgate/pdq'
 *
 * const pdq = await loadPdq()
 * const { hash, quality } = pdq.hash(await readFile('known.jpg'))
 * console.log(hash.length, quality > 50) // 64 true
 * ```
 */
export async function loadPdq(module?: WasmModule): Promise<Pdq> {
  return new Pdq(module ?? (await fetchModule(new URL('../../build/image.wasm', import.meta.url))))
}

/** Not streamed: so few bytes gain nothing, and the server need not send WebAssembly's media type. */
async function fetchModule(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url)
  if (!response.ok) throw new ModuleUnavailableError(url.href, response.status)
  return WebAssembly.compile(await response.arrayBuffer())
}
