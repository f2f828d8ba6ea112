import { readFileSync } from 'node:fs'
import binaryen from 'assemblyscript/binaryen'

const { Features, f64, i32, none } = binaryen

/** What the core's module is compiled with. */
const FEATURES =
  Features.BulkMemory |
  Features.BulkMemoryOpt |
  Features.SIMD128 |
  Features.MutableGlobals |
  Features.SignExt |
  Features.NontrappingFPToInt

/** A module of the core that counts what its instances do. */
export interface CountedModule {
  module: WebAssembly.Module
  imports: WebAssembly.Imports
  /** Steps of all instances so far: calls, turns of loops, and bytes copied or filled. */
  steps: WebAssembly.Global<'f64'>
}

/**
 * A module of build/, the image module if no other is named, with a counter in it. The count is the same on every machine, so that a test can bound the
 * work a file makes. A time would depend on the machine and on what else runs there.
 *
 * A copy or a fill is one instruction, whatever it takes. They become loops first, so that each byte counts.
 */
export function countedModule(name: 'image' | 'match' = 'image'): CountedModule {
  const file = readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url))
  const wasm = binaryen.readBinary(file)
  wasm.setFeatures(FEATURES)
  wasm.runPasses(['llvm-memory-copy-fill-lowering', 'log-execution'])
  countWhatIsLogged(wasm)
  if (!wasm.validate()) throw new Error('the counted module is not valid')
  const module = new WebAssembly.Module(Uint8Array.from(wasm.emitBinary()))
  wasm.dispose()
  const steps = new WebAssembly.Global({ value: 'f64', mutable: true }, 0)
  return { module, imports: { env: { steps } }, steps }
}

/** `log-execution` calls an import in each function and each turn of a loop. It becomes a function that counts. */
function countWhatIsLogged(wasm: binaryen.Module): void {
  wasm.removeFunction('log_execution')
  wasm.addGlobalImport('steps', 'env', 'steps', f64, true)
  const more = wasm.f64.add(wasm.global.get('steps', f64), wasm.f64.const(1))
  wasm.addFunction('log_execution', i32, none, [], wasm.global.set('steps', more))
}
