/** Probability of a zero, in 256ths, where a one is as frequent. */
const EVEN = 128

/** Decodes VP8's arithmetic coding (RFC 6386, 7). Its data is followed by zeros, without an end. */
export class BoolDecoder {
  readonly #data: Uint8Array
  /** Bytes taken into the value. */
  #at = 0
  /** Data not decoded yet: its upper 8 bits are compared with a split of the range. */
  #value = 0
  /** Bits of the value below those 8. Negative if some of the 8 are still to be taken. */
  #lowBits = -8
  /** 128 to 255. */
  #range = 255

  constructor(data: Uint8Array) {
    this.#data = data
  }

  /** Bytes of which nothing has been decoded. Negative if the data has ended before. */
  get unusedBytes(): number {
    return this.#data.length - this.#at + (this.#lowBits >> 3)
  }

  /** @param probability of a zero, in 256ths */
  bit(probability: number): number {
    if (this.#lowBits < 0) this.#fill()
    const split = 1 + (((this.#range - 1) * probability) >> 8)
    const start = split << this.#lowBits
    const isOne = this.#value >= start
    const range = isOne ? this.#range - split : split
    if (isOne) this.#value -= start
    const shift = Math.clz32(range) - 24
    this.#range = range << shift
    this.#lowBits -= shift
    return isOne ? 1 : 0
  }

  /** A number whose bits have these probabilities. */
  number(probabilities: readonly number[]): number {
    let value = 0
    for (const probability of probabilities) value = value * 2 + this.bit(probability)
    return value
  }

  flag(): boolean {
    return this.bit(EVEN) === 1
  }

  /** A number whose bits are as often 1 as 0. */
  evenNumber(bits: number): number {
    let value = 0
    for (let i = 0; i < bits; i++) value = value * 2 + this.bit(EVEN)
    return value
  }

  /** A flag, then a number and its sign; 0 without the flag. */
  optionalSigned(bits: number): number {
    if (!this.flag()) return 0
    const value = this.evenNumber(bits)
    return this.flag() ? -value : value
  }

  /**
   * Walks a tree (8.1) from a node to a leaf.
   * @param tree two values for each node: another node, twice its number; or a leaf, as 0 or less
   * @param probabilities of nodes, from `at` on
   */
  leaf(tree: Int8Array, probabilities: Uint8Array, at: number, from = 0): number {
    let node = from
    do node = tree[node + this.bit(probabilities[at + (node >> 1)] ?? 0)] ?? 0
    while (node > 0)
    return 0 - node // -0 would make every leaf a float
  }

  /** Takes two bytes, as the value has at most 7 bits left and must fit 31. */
  #fill(): void {
    const data = this.#data
    const at = this.#at
    this.#value =
      (this.#value << 16) |
      (at + 1 < data.length ? ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0) : (data[at] ?? 0) << 8)
    this.#at = at + 2
    this.#lowBits += 16
  }
}
