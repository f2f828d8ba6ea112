import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Bytes } from '../../src/list/store.ts'

/**
 * Measures what is truly held: the memories of all WebAssembly instances, and the values that a store gave out, that the
 * garbage collector cannot take.
 */
export class MemoryMeter {
  peak = 0
  readonly #memories = new Set<WeakRef<WebAssembly.Memory>>()
  readonly #values = new Set<WeakRef<ArrayBuffer>>()
  readonly #instance = WebAssembly.Instance
  readonly #collect: () => void

  constructor() {
    setFlagsFromString('--expose-gc')
    this.#collect = runInNewContext('gc') as () => void
    const memories = this.#memories
    WebAssembly.Instance = new Proxy(this.#instance, {
      construct(target, args: [WebAssembly.Module, WebAssembly.Imports]) {
        const instance = new target(...args)
        const { memory } = instance.exports
        if (memory instanceof WebAssembly.Memory) memories.add(new WeakRef(memory))
        return instance
      },
    })
  }

  /** Notes a value that a store gives out. Opening a sealed one takes as much again. */
  give(value: Bytes): Bytes {
    this.#values.add(new WeakRef(value.buffer))
    return value
  }

  /** Bytes that are held now. */
  async measure(): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve)) // weak references hold on until then
    this.#collect()
    const sizes = [
      ...[...this.#memories].map((ref) => ref.deref()?.buffer.byteLength ?? 0),
      ...[...this.#values].map((ref) => (ref.deref()?.byteLength ?? 0) * 2),
    ]
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    this.peak = Math.max(this.peak, bytes)
    return bytes
  }

  /** Lets WebAssembly be as it was. */
  stop(): void {
    WebAssembly.Instance = this.#instance
  }
}
