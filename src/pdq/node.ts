import { readFile } from 'node:fs/promises'
import { Pdq } from './pdq.ts'
import type { WasmModule } from './types.ts'

export * from './api.ts'

/** `loadPdq` of browser.ts; Node, Deno and Bun read the module. */
export async function loadPdq(module?: WasmModule): Promise<Pdq> {
  return new Pdq(module ?? (await readModule(new URL('../../build/image.wasm', import.meta.url))))
}

async function readModule(file: URL): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(file))
}
