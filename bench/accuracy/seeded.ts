import { randomWords } from '../match/random.ts'

/** Numbers in [0, 1). */
export type Random = () => number

/** Numbers that are the same for the same words: for a picture, say, and what is done to it. */
export function seeded(...words: readonly (string | number)[]): Random {
  const next = randomWords(fnv1a(words.join('\n')))
  return () => next() / 2 ** 32
}

export function choose<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random() * items.length)] ?? items[0]
}

export function between(random: Random, low: number, high: number): number {
  return low + random() * (high - low)
}

/** A 32-bit hash of a text: FNV-1a (Fowler, Noll, Vo). */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
