import { randomFrom } from '../../src/util/random.ts'

export { randomFrom }

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
