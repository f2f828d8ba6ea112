import { ModuleUnavailableError } from './errors.ts'
import { Pdq } from './pdq.ts'
import type { WasmModule } from './types.ts'

export * from './api.ts'

/**
 * Gets ready to hash: once, for any number of images.
 * @param module the package's `hashgate/pdq.wasm`, compiled, where it cannot be found by itself: where a bundler moved the code
 * and not the module. By itself a Worker imports it, Node, Deno and Bun read it, and browsers fetch it.
 */
export async function loadPdq(module?: WasmModule): Promise<Pdq> {
  return new Pdq(module ?? (await fetchModule(new URL('../../build/image.wasm', import.meta.url))))
}

/** Not streamed, which few bytes do not gain by: a server need not know the type of WebAssembly. */
async function fetchModule(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url)
  if (!response.ok) throw new ModuleUnavailableError(url.href, response.status)
  return WebAssembly.compile(await response.arrayBuffer())
}
