/** Numbers of [0, 1) that are the same for the same seed: a linear congruential generator (Numerical Recipes). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Bytes from a seed. */
export function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = randomFrom(seed)
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(random() * 256)
  return bytes
}

/** `text` with another last character: `one`, or `other` where it ended in `one` already. */
export function withOtherEnd(text: string, one: string, other: string): string {
  return text.slice(0, -1) + (text.endsWith(one) ? other : one)
}
