/** Most bytes searched at once. */
const MAX_BYTES = 65_536

/**
 * Finds where images may begin, by two bytes of their signatures: assembly/search.ts. One instance serves all files, since no
 * search affects the next.
 */
export class SignatureSearch {
  readonly #module: WebAssembly.Module
  #core: SearchExports | undefined

  constructor(module: WebAssembly.Module) {
    this.#module = module
  }

  /** Positions of the pairs, in order, in at most 65,536 bytes. */
  find(bytes: Uint8Array): number[] {
    if (bytes.length > MAX_BYTES) throw new RangeError(`${bytes.length} bytes cannot be searched`)
    this.#core ??= new WebAssembly.Instance(this.#module, {}).exports as unknown as SearchExports
    const core = this.#core
    new Uint8Array(core.memory.buffer).set(bytes, core.inputAddress())
    const count = core.findPairs(bytes.length)
    return count === 0 ? [] : [...new Uint32Array(core.memory.buffer, core.placesAddress(), count)]
  }
}

/** Exports of assembly/search.ts. */
interface SearchExports {
  memory: WebAssembly.Memory
  inputAddress(): number
  placesAddress(): number
  findPairs(count: number): number
}
