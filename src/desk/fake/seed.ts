import type { ExchangeServer } from './server.ts'
import { FAKE_NAMES } from './state.ts'

/** The demo's pictures, as in examples/list.csv. examples/known.jpg is a copy of the first. */
export const DEMO_HASHES = [
  '90e1aad696d63d8c957435196529893b36eb24cbb39dc376678854b64db652a4',
  '3cc28b1ff92da6a930eeced3c9cbbc21b0bf1f96434669470cf1f09ef904012c',
] as const

/** Each provider's classification. Shield's second one is for tests. */
const TIERS: Record<string, readonly string[]> = {
  ncmec: ['A1', 'B2'],
  stopncii: ['Blocked', 'NotBlocked'],
  graph: ['MALICIOUS', 'UNKNOWN'],
  tcap: ['islamist', 'far-right'],
  list: ['A1', 'B2'],
  shield: ['csam', 'test'],
}

const HOUR_MS = 3_600_000

/**
 * Makes every provider list the demo's pictures, dated an hour ago: entries a few seconds old are
 * not read yet.
 */
export function seed({ clock, providers }: ExchangeServer): void {
  clock.advance(-HOUR_MS)
  for (const name of FAKE_NAMES) {
    for (const [i, value] of DEMO_HASHES.entries()) {
      const key = name === 'ncmec' ? `42-${1001 + i}` : String(1001 + i)
      providers[name].put(key, [{ kind: 'pdq', value }], TIERS[name]?.[i])
    }
  }
  clock.advance(HOUR_MS)
}
