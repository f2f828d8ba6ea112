import type { Hash256 } from '../../src/util/hash.ts'
import { readModules } from '../../src/core/node.ts'

const { image } = readModules()

/** The core's hash of a plane of luma, at most 512 x 512. */
export function hashLuma(luma: Float32Array, width: number, height: number): Hash256 {
  const instance = image.begin()
  const core = instance.exports
  const plane = core.allocate(luma.length * 4)
  const out = core.allocate(32)
  new Float32Array(core.memory.buffer, plane, luma.length).set(luma)
  core.hashPlane(plane, height, width, out)
  const hash = new Uint8Array(core.memory.buffer, out, 32).slice()
  instance.release()
  return hash
}
