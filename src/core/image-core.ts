import type { ImageExports } from './image-exports.ts'

// The same values as in asconfig.json: the engine rejects a memory that is smaller or may grow larger.
const INITIAL_PAGES = 4
const MAX_PAGES = 366

const PAGE_BYTES = 65_536
/** Largest memory that is kept: the most that an image of up to 40 megapixels takes (SMALL_MEMORY in assembly/memory.ts). */
const MAX_KEPT_PAGES = 137
/** Most bytes of kept memories in total: as much as one image may take. */
const MAX_KEPT_BYTES = MAX_PAGES * PAGE_BYTES
/** Most memories that are kept by default (`keepAtMost`): for uploads decoded at the same time, and a thumbnail. */
const MAX_KEPT = 4

/**
 * assembly/image.ts. Each image has its own instance with fresh globals. Its memory may be reused: it is zeroed first, so no
 * data outlives its image. Zeroing takes 0.03 ms. A new memory costs 12 to 17 µs for each 4 KiB that are first touched on a
 * virtual machine, and stays until it is garbage-collected.
 */
export class ImageCore {
  readonly #module: WebAssembly.Module
  /** Sorted by size. The smallest is used first, since it is zeroed fastest. */
  #kept: WebAssembly.Memory[] = []
  #maxKept = MAX_KEPT

  constructor(module: WebAssembly.Module) {
    this.#module = module
  }

  /** Sets how many memories may wait for another image. */
  keepAtMost(count: number): void {
    this.#maxKept = count
    this.#kept = this.#kept.slice(0, count)
  }

  /** Bytes of the memories that wait for another image. */
  get keptBytes(): number {
    return this.#kept.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
  }

  /** A fresh instance over zeroed memory. */
  begin(): ImageInstance {
    const memory = this.#kept.shift() ?? newMemory()
    new Uint8Array(memory.buffer).fill(0)
    const { exports } = new WebAssembly.Instance(this.#module, { env: { memory } })
    return new ImageInstance(exports as unknown as ImageExports, () => this.#keep(memory))
  }

  #keep(memory: WebAssembly.Memory): void {
    const bytes = memory.buffer.byteLength
    const isSmall = bytes <= MAX_KEPT_PAGES * PAGE_BYTES && this.keptBytes + bytes <= MAX_KEPT_BYTES
    if (!isSmall || this.#kept.length >= this.#maxKept) return
    const at = this.#kept.findIndex(({ buffer }) => buffer.byteLength > bytes)
    this.#kept.splice(at < 0 ? this.#kept.length : at, 0, memory)
  }
}

export function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES })
}

/** An instance that decodes and hashes one image. If it is never released, its memory is garbage-collected instead of reused. */
export class ImageInstance {
  #exports: ImageExports | undefined
  #giveBack: () => void

  constructor(exports: ImageExports, giveBack: () => void) {
    this.#exports = exports
    this.#giveBack = giveBack
  }

  /** @throws after `release` */
  get exports(): ImageExports {
    if (!this.#exports) throw new Error('the image instance was released')
    return this.#exports
  }

  /** Gives its memory to the next image. Do not use the instance afterwards. */
  release(): void {
    if (!this.#exports) return
    this.#exports = undefined
    this.#giveBack()
  }
}
