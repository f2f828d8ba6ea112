import image from '../../build/image.wasm'
import { Pdq } from './pdq.ts'
import type { WasmModule } from './types.ts'

export * from './api.ts'

/** `loadPdq` of browser.ts; a Worker has the module since it was deployed. */
export async function loadPdq(module: WasmModule = image): Promise<Pdq> {
  return new Pdq(module)
}
