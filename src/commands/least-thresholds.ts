import { toHex } from '../util/bytes.ts'
import { PackedHashes } from '../core/packed-hashes.ts'
import { DIGEST_KINDS, type Entry } from '../list/entry.ts'
import { DEFAULT_BANK_POLICY } from '../list/manifest.ts'
import { capOf } from '../match/thresholds.ts'
import { SET_NAMES, type SetName } from '../scan/probes/sets.ts'
import { allFiles, smallestSetOf, type Needle, type ScannedFile } from '../scan/scanned.ts'

/**
 * Largest threshold examined, in bits: from about 50 on, hashes of a large list are that near by
 * chance.
 */
export const MAX_TUNED = 48

/**
 * The smallest threshold, in bits, at which a file matches, by probe set. Absent if it does not
 * match up to MAX_TUNED.
 */
export type LeastThresholds = Partial<Record<SetName, number>>

/** A list that files are compared with at any threshold. */
export class ComparedList {
  readonly #perceptual: PackedHashes
  readonly #digests: ReadonlySet<string>

  constructor(entries: readonly Entry[]) {
    const perceptual = entries.filter(({ kind }) => kind === 'pdq')
    const digests = entries.filter(({ kind }) => kind !== 'pdq')
    this.#perceptual = new PackedHashes(perceptual.map(({ hash }) => hash))
    this.#digests = new Set(digests.map(({ kind, hash }) => digestKey(kind, hash)))
  }

  get perceptualHashes(): number {
    return this.#perceptual.count
  }

  get digests(): number {
    return this.#digests.size
  }

  /** The thresholds that a file, and the files within it, would need to match as an upload. */
  leastFor(file: ScannedFile): LeastThresholds {
    const least: LeastThresholds = {}
    for (const one of allFiles(file)) {
      if (this.#hasDigest(one)) lower(least, 'plain', 0)
      if (one.coverage !== 'scanned') continue
      for (const needle of one.needles) this.#lowerBy(least, smallestSetOf(needle), needle)
      for (const needle of one.widen?.() ?? []) this.#lowerBy(least, 'wide', needle)
    }
    return least
  }

  #lowerBy(least: LeastThresholds, set: SetName, needle: Needle): void {
    const cap = capOf(needle, DEFAULT_BANK_POLICY.minQuality)
    if (cap === undefined) return
    const most = Math.min(Math.min(MAX_TUNED, (least[set] ?? Infinity) - 1) + needle.tolerance, cap)
    const distance = this.#perceptual.leastDistanceTo(needle, most)
    if (distance !== undefined) lower(least, set, Math.max(0, distance - needle.tolerance))
  }

  #hasDigest({ digests }: ScannedFile): boolean {
    return DIGEST_KINDS.some((kind) => {
      const digest = digests?.[kind]
      return digest !== undefined && this.#digests.has(digestKey(kind, digest))
    })
  }
}

/** Whatever a set finds, larger sets find too. */
function lower(least: LeastThresholds, set: SetName, threshold: number): void {
  for (const larger of SET_NAMES.slice(SET_NAMES.indexOf(set))) {
    least[larger] = Math.min(least[larger] ?? Infinity, threshold)
  }
}

function digestKey(kind: string, digest: Uint8Array): string {
  return `${kind}:${toHex(digest)}`
}
