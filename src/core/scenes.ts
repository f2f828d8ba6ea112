import type { ImageCore } from './image-core.ts'

/** Parts along a side. Their means tell scenes apart (POINTS in assembly/luma/canvas.ts). */
export const SCENE_POINTS = 32

/** Whether a picture shows something new, judged by the means of SCENE_POINTS x SCENE_POINTS parts of both. */
export function isOtherScene(core: ImageCore, own: Float32Array, before: Float32Array): boolean {
  const instance = core.begin()
  try {
    const { exports } = instance
    const address = exports.allocate(own.byteLength + before.byteLength)
    const means = new Float32Array(exports.memory.buffer, address, own.length + before.length)
    means.set(own)
    means.set(before, own.length)
    return exports.isOtherScene(address, address + own.byteLength) === 1
  } finally {
    instance.release()
  }
}
