import type { Hash256 } from '../../src/util/hash.ts'
import { readModules } from '../../src/core/node.ts'

export interface QualifiedPlane {
  hash: Hash256
  quality: number
}

const { image } = readModules()

/** The core's hash and quality of a plane of luma, at most 512 x 512. */
export function hashPlane(luma: Float32Array, width: number, height: number): QualifiedPlane {
  const instance = image.begin()
  const core = instance.exports
  const plane = core.allocate(luma.length * 4)
  const out = core.allocate(32)
  new Float32Array(core.memory.buffer, plane, luma.length).set(luma)
  const quality = core.hashPlane(plane, height, width, out)
  const hash = new Uint8Array(core.memory.buffer, out, 32).slice()
  instance.release()
  return { hash, quality }
}

/** The core's hash of such a plane. */
export function hashLuma(luma: Float32Array, width: number, height: number): Hash256 {
  return hashPlane(luma, width, height).hash
}
