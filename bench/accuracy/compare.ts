import { PackedHashes } from '../../src/core/packed-hashes.ts'
import { type Questions, type SetName, type SetNeedle, SETS, THRESHOLD } from './needles.ts'
import { emptyHistogram, forSets, type Others, type ProbeTally, type Tally } from './tally.ts'

/** The hash of a picture, on the list. */
export interface Entry {
  name: string
  hash: Uint8Array
  quality: number
}

/** A photograph counts as clear from this quality on. */
export const CLEAR_QUALITY = 80

/** Distance of an upload without needles. */
const FARTHEST = 256

/** A needle's distances to all entries, minus what its threshold exceeds the default by. */
interface Measured {
  probe: string
  set: SetName
  distances: Uint16Array
}

/** Compares uploads with a list and counts the outcomes. */
export class Comparison {
  readonly #entries: readonly Entry[]
  readonly #hashes: PackedHashes
  readonly #tally: Tally

  constructor(entries: readonly Entry[], tally: Tally) {
    this.#entries = entries
    this.#hashes = new PackedHashes(entries.map(({ hash }) => hash))
    this.#tally = tally
  }

  /** Counts an upload made from the picture of entry number `own`. */
  addTransformed(transform: string, own: number, questions: Questions): void {
    const isClear = (this.#entries[own]?.quality ?? 0) >= CLEAR_QUALITY
    const measured = this.#ask(questions)
    const nearest = this.#nearest(measured)
    const counts = isClear ? this.#tally.own : this.#tally.ownUnclear
    const histograms = (counts[transform] ??= forSets(emptyHistogram))
    for (const set of SETS) count(histograms[set], nearest[set][own])
    this.#addOthers(isClear ? 'photographs' : 'photographs under 80', nearest, own)
    this.#addProbes('photographs', measured, own)
    if (isClear) this.#addFinders(measured, own)
  }

  /** Counts an upload of a picture that is on no list. */
  addDistractor(source: string, questions: Questions): void {
    const measured = this.#ask(questions)
    this.#addOthers(source, this.#nearest(measured))
    this.#addProbes('distractors', measured)
  }

  /** Queries in stages, as the gate does. */
  #ask({ needles, widen }: Questions): Measured[] {
    const first = this.#measure(needles)
    const isMatch = (distance: number) => distance <= THRESHOLD
    const isMatched = first.some(({ distances }) => distances.some(isMatch))
    return widen && !isMatched ? [...first, ...this.#measure(widen())] : first
  }

  #measure(needles: readonly SetNeedle[]): Measured[] {
    return needles.map((needle) => {
      const { probe, set, threshold } = needle
      const tolerance = threshold - THRESHOLD
      const distances = this.#hashes.distancesTo(needle)
      return { probe, set, distances: distances.map((distance) => clamp(distance - tolerance)) }
    })
  }

  /** The distances of the nearest needles, for each set. */
  #nearest(measured: readonly Measured[]): Record<SetName, Uint16Array> {
    const nearest = forSets(() => new Uint16Array(this.#entries.length).fill(FARTHEST))
    for (const { set, distances } of measured) {
      for (const larger of SETS.slice(SETS.indexOf(set))) lower(nearest[larger], distances)
    }
    return nearest
  }

  #addOthers(source: string, nearest: Record<SetName, Uint16Array>, own?: number): void {
    const others = (this.#tally.others[source] ??= noOthers())
    others.uploads++
    for (const set of SETS) {
      if (nearest[set].some((distance) => distance < FARTHEST)) others.asked[set]++
      nearest[set].forEach((distance, entry) => {
        if (entry !== own) count(others.pairs[set], distance)
      })
    }
  }

  #addProbes(
    kind: 'photographs' | 'distractors',
    measured: readonly Measured[],
    own?: number,
  ): void {
    for (const { probe, distances } of measured) {
      const histogram = this.#probe(probe)[kind]
      distances.forEach((distance, entry) => {
        if (entry !== own) count(histogram, distance)
      })
    }
  }

  #addFinders(measured: readonly Measured[], own: number): void {
    const finders = new Set(
      measured
        .filter(({ distances }) => (distances[own] ?? FARTHEST) <= THRESHOLD)
        .map(({ probe }) => probe),
    )
    for (const probe of finders) {
      const counts = this.#probe(probe)
      counts.found++
      if (finders.size === 1) counts.alone++
    }
  }

  #probe(name: string): ProbeTally {
    return (this.#tally.probes[name] ??= {
      photographs: emptyHistogram(),
      distractors: emptyHistogram(),
      found: 0,
      alone: 0,
    })
  }
}

function noOthers(): Others {
  return { uploads: 0, asked: forSets(() => 0), pairs: forSets(emptyHistogram) }
}

function lower(least: Uint16Array, values: Uint16Array): void {
  for (let i = 0; i < least.length; i++) least[i] = Math.min(least[i] ?? 0, values[i] ?? 0)
}

function count(histogram: number[], distance = FARTHEST): void {
  histogram[distance] = (histogram[distance] ?? 0) + 1
}

function clamp(distance: number): number {
  return Math.min(FARTHEST, Math.max(0, distance))
}
