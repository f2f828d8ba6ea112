/** 32-bit words from a seed: 128-bit xorshift (Marsaglia, 2003), fast enough for megabytes. */
export function randomWords(seed: number): () => number {
  let [x, y, z, w] = [seed ^ 0x075bcd15, 0x159a55e5, 0x1f123bb5, Math.imul(seed, 0x9e3779b1)]
  const next = () => {
    const t = x ^ (x << 11)
    x = y
    y = z
    z = w
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8)
    return w >>> 0
  }
  for (let i = 0; i < 16; i++) next() // separates the sequences of similar seeds
  return next
}

/** Bytes from a seed. */
export function fastBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = randomWords(seed)
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = random()
  return new Uint8Array(words.buffer, 0, length)
}

/**
 * Writes the first four bytes of each of `count` packed items of `size` bytes, so that the items
 * are sorted and evenly spread, like sorted random items, in a single pass.
 */
export function spreadFirstBytes(
  items: Uint8Array, // count x size
  size: number,
  range: { first: number; count: number; total: number },
  random: () => number,
): void {
  const view = new DataView(items.buffer, items.byteOffset)
  for (let i = 0; i < range.count; i++) {
    const place = range.first + i + random() / 2 ** 32
    view.setUint32(i * size, Math.min(2 ** 32 - 1, (place / range.total) * 2 ** 32))
  }
}
