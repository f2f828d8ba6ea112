import { toHex } from '../../src/util/bytes.ts'
import { modules } from '../../src/core/workerd.ts'
import type { ImageStages } from '../support/image-stages.ts'

/** A fresh image instance. */
export function imageInstance(): ImageStages {
  return modules.image.begin().exports as unknown as ImageStages
}

/** Values of f32 in the memory of an instance, as a copy. */
export function floatsAt(
  core: { memory: WebAssembly.Memory },
  address: number,
  count: number,
): Float32Array {
  return new Float32Array(core.memory.buffer, address, count).slice()
}

/** Writes values of f32 to new memory. Returns its address. */
export function placeFloats(core: ImageStages, values: Float32Array): number {
  const address = core.allocate(values.length * 4)
  new Float32Array(core.memory.buffer, address, values.length).set(values)
  return address
}

/** Bytes as hex digits. */
export function hexAt(
  core: { memory: WebAssembly.Memory },
  address: number,
  count: number,
): string {
  return toHex(new Uint8Array(core.memory.buffer, address, count))
}
