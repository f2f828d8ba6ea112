// How often an upload matches an entry of an unrelated picture: counted among real pictures, and
// extrapolated from the tail of their distances to lists of 100,000 to ten million entries.
//
//   npm run bench -- false-matches --distractors DIR
//     --distractors DIR   pictures in folders of folders, by kind; `node scripts/distractors.ts DIR` collects them
//     --corpus DIR        photographs
//     --most N            pictures of each kind: 1000
//     --seed N            of the resampling: 1

import { readFile } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import {
  extrapolate,
  type Histogram,
  histogram,
  MAX_BITS,
  quantile,
  sumOf,
  type Tail,
  uploadsOfAMillion,
} from '../src/commands/distance-tail.ts'
import { entryGuard } from '../src/commands/entry-guard.ts'
import { readModules } from '../src/core/node.ts'
import { DEFAULT_BANK_POLICY } from '../src/list/manifest.ts'
import { limitOf } from '../src/match/thresholds.ts'
import { PackedHashes } from '../src/core/packed-hashes.ts'
import { PROBE_SETS, type ProbeSet } from '../src/scan/probes/sets.ts'
import type { Needle } from '../src/scan/scanned.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { CORPUS, imagesIn } from './accuracy/files.ts'
import { seeded } from './accuracy/seeded.ts'
import { printTable } from './measure.ts'

const { minQuality, threshold: THRESHOLD } = DEFAULT_BANK_POLICY
/** From this quality on, a picture is sharp enough for a meaningful identity. */
const GOOD_QUALITY = 80
const LIST_SIZES = [1e5, 1e6, 1e7]
/**
 * Copies are detected on small grey pictures: their side in pixels, and the correlation above which
 * two are copies.
 */
const [COPY_SIDE, MOST_ALIKE] = [24, 0.9]
/** Number of nearest pairs to print. */
const MOST_NEAREST = 20
const modules = readModules()

interface Picture {
  /** Its file, without the common folders. */
  name: string
  kind: string
  /**
   * Where it comes from. Pictures of one origin may share an artist or be the same, so only those
   * of different origins are compared.
   */
  origin: string
  needles: Needle[]
  quality: number
}

/** Counts for an upload. Distances are reduced by the probe's tolerance. */
interface Counted {
  picture: Picture
  pairs: number
  /** Of the nearest needle. */
  any: Histogram
  byProbe: Map<string, Histogram>
}

/** The report of `npm run bench -- false-matches`. */
export async function benchFalseMatches(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      distractors: { type: 'string' },
      corpus: { type: 'string', default: CORPUS },
      probes: { type: 'string', default: 'default' },
      most: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const set = values.probes
  const probes = set === 'default' || set === 'wide' ? PROBE_SETS[set] : undefined
  if (!probes) throw new Error(`--probes is default or wide, not ${set}`)
  const all = await readPictures(values.corpus, values.distractors, Number(values.most), probes)
  const entries = new Entries(all)
  const counted = all.map((picture) => entries.count(picture))
  console.log(`## False matches: ${['npm run bench -- false-matches', ...args].join(' ')}\n`)
  printPictures(all, entries, set)
  printNearest(all, entries)
  printProbes(counted, Number(values.seed))
  printUploads(counted, Number(values.seed), set)
}

async function readPictures(
  corpus: string,
  distractors: string | undefined,
  most: number,
  probes: ProbeSet,
) {
  const folders: [kind: string, folder: string][] = [['photographs', corpus]]
  for (const kind of distractors === undefined ? [] : readdirSync(distractors)) {
    for (const name of readdirSync(join(distractors ?? '', kind))) {
      folders.push([kind, join(distractors ?? '', kind, name)])
    }
  }
  const pictures: Picture[] = []
  const copies = new Copies()
  for (const [kind, folder] of folders) {
    for (const path of imagesIn(folder).slice(0, most)) {
      const context = { modules, digestKinds: [], probes }
      const scanned = await scanFile(context, await readFile(path)).catch(() => undefined)
      const [identity] = scanned?.coverage === 'scanned' ? scanned.needles : []
      if (scanned?.coverage !== 'scanned' || !identity) continue
      if (!(await copies.isNew(path))) continue
      // As if nothing had matched, so that the wide set is queried, too.
      const asked = [...scanned.needles, ...(scanned.widen?.() ?? [])]
      const needles = asked.filter((needle) => !limitOf(needle, minQuality))
      pictures.push({
        name: path.split('/').slice(-2).join('/'),
        kind,
        origin: originOf(folder, path),
        needles: needles.map((needle) => Object.assign({}, needle, { hash: needle.hash.slice() })),
        quality: identity.quality,
      })
    }
  }
  return pictures
}

/**
 * The first word of a package's name; for a corpus file, the first word of the file's name, which
 * is that of its package. Some packages share pictures in other cuts and colours.
 */
function originOf(folder: string, path: string): string {
  const [word = ''] = basename(folder === CORPUS ? path : folder).split('-')
  return word
}

/**
 * Detects copies by their pixels, not by PDQ: packages contain the same picture in several sizes
 * and colours.
 */
class Copies {
  readonly #seen: Float32Array[] = []

  async isNew(path: string): Promise<boolean> {
    const pixels = await sharp(path)
      .flatten({ background: 'white' })
      .resize(COPY_SIDE, COPY_SIDE, { fit: 'fill' })
      .greyscale()
      .raw()
      .toBuffer()
    const mean = pixels.reduce((total, pixel) => total + pixel, 0) / pixels.length
    const values = Float32Array.from(pixels, (pixel) => pixel - mean)
    const norm = Math.hypot(...values) || 1
    const unit = values.map((value) => value / norm)
    for (const other of this.#seen) {
      let correlation = 0
      for (let i = 0; i < unit.length; i++) correlation += (unit[i] ?? 0) * (other[i] ?? 0)
      if (Math.abs(correlation) > MOST_ALIKE) return false
    }
    this.#seen.push(unit)
    return true
  }
}

/** Identities of pictures that a list would accept, as words. */
class Entries {
  readonly lowered: number
  readonly size: number
  readonly #origins: string[]
  readonly #names: string[]
  readonly #hashes: PackedHashes

  constructor(pictures: readonly Picture[]) {
    const listed = pictures.filter(({ needles: [first] }) => first?.probe === 'identity')
    const left = listed.filter(({ needles: [first] }) => first && !entryGuard().capOf(first.hash))
    this.lowered = listed.length - left.length
    this.size = left.length
    this.#origins = left.map(({ origin }) => origin)
    this.#names = left.map(({ name }) => name)
    this.#hashes = new PackedHashes(left.flatMap(({ needles: [first] }) => first?.hash ?? []))
  }

  /** The entry nearest to a picture, less the tolerance. */
  nearestTo({ name, origin, needles }: Picture) {
    let nearest: { bits: number; probe: string; upload: string; entry: string } | undefined
    for (const { hash, tolerance, probe } of needles) {
      this.#hashes.distancesTo(hash).forEach((distance, i) => {
        const bits = distance - tolerance
        if (this.#origins[i] === origin || bits >= (nearest?.bits ?? MAX_BITS)) return
        nearest = { bits, probe, upload: name, entry: this.#names[i] ?? '' }
      })
    }
    return nearest ? [nearest] : []
  }

  count(picture: Picture): Counted {
    const counted: Counted = { picture, pairs: 0, any: histogram(), byProbe: new Map() }
    const groups = [...Map.groupBy(picture.needles, ({ probe }) => probe)].map(
      ([probe, needles]) => ({
        counts: histogram(),
        probe,
        needles: needles.map(({ hash, tolerance }) => ({
          distances: this.#hashes.distancesTo(hash),
          tolerance,
        })),
      }),
    )
    for (const { probe, counts } of groups) counted.byProbe.set(probe, counts)
    for (let i = 0; i < this.size; i++) {
      if (this.#origins[i] === picture.origin) continue
      counted.pairs++
      let least = MAX_BITS
      for (const { counts, needles } of groups) {
        let bits = MAX_BITS
        for (const { distances, tolerance } of needles) {
          bits = Math.min(bits, Math.max(0, (distances[i] ?? MAX_BITS) - tolerance))
        }
        add(counts, bits, 1)
        least = Math.min(least, bits)
      }
      add(counted.any, least, 1)
    }
    return counted
  }
}

function add(counts: Histogram, bits: number, count: number): void {
  counts[bits] = (counts[bits] ?? 0) + count
}

function nearestOf(counts: Histogram): number {
  return counts.findIndex((count) => count > 0)
}

function printPictures(all: readonly Picture[], entries: Entries, set: string): void {
  console.log(
    `${all.length} pictures, each an upload by the ${set} set; ${entries.size} of them are entries, of quality ${minQuality} and more, ${entries.lowered} more were lowered and left out. Pictures of one origin are not compared.\n`,
  )
  const kinds = [...Map.groupBy(all, ({ kind }) => kind)]
  printTable(
    ['kind', 'pictures', `quality ${GOOD_QUALITY} and more`],
    kinds.map(([kind, own]) => [kind, String(own.length), String(own.filter(isGood).length)]),
  )
}

/**
 * The nearest pairs, for a person to look at: no program can tell whether they show the same
 * picture.
 */
function printNearest(all: readonly Picture[], entries: Entries): void {
  console.log(`### The ${MOST_NEAREST} nearest pairs\n`)
  const pairs = all
    .flatMap((picture) => entries.nearestTo(picture))
    .toSorted((a, b) => a.bits - b.bits)
  printTable(
    ['bits', 'probe', 'upload', 'entry'],
    pairs
      .slice(0, MOST_NEAREST)
      .map(({ bits, probe, upload, entry }) => [String(bits), probe, upload, entry]),
  )
}

function isGood({ quality }: Picture): boolean {
  return quality >= GOOD_QUALITY
}

/** The share of accidental pairs within the distances in the table. */
const SAFE_SHARE = 1e-11

function printProbes(counted: readonly Counted[], seed: number): void {
  console.log('### By probe\n')
  console.log(
    `Bits less tolerance, by the quality of the upload. The share of pairs within ${THRESHOLD} is extrapolated; the last column is the distance within which one pair of 10^11 lies.\n`,
  )
  const probes = [...new Set(counted.flatMap(({ byProbe }) => [...byProbe.keys()]))]
  const rows = probes.flatMap((probe) =>
    [true, false].map((good) => {
      const own = counted
        .filter(({ picture }) => isGood(picture) === good)
        .flatMap(({ byProbe }) => byProbe.get(probe) ?? [])
      const all = sumOf(own)
      const found = extrapolate(own, THRESHOLD, seeded(seed, 'resample'))
      const pairs = all.reduce((total, count) => total + count, 0)
      return [
        probe,
        good ? `${GOOD_QUALITY} and more` : `under ${GOOD_QUALITY}`,
        (pairs / 1e6).toFixed(1),
        pairs > 0 ? String(nearestOf(all)) : '',
        found ? power(found.share) : '',
        found ? power(found.upper) : '',
        found ? String(distanceOf(found.tail, SAFE_SHARE)) : '',
      ]
    }),
  )
  printTable(
    [
      'probe',
      'quality',
      'million pairs',
      'nearest',
      `share within ${THRESHOLD}`,
      'upper bound, 97.5 %',
      'at 10^-11',
    ],
    rows,
  )
}

function printUploads(counted: readonly Counted[], seed: number, set: string): void {
  console.log(`### Uploads that match an unrelated entry, by the ${set} set\n`)
  console.log(
    'Of a million uploads, extrapolated, with the bound below which it lies in 97.5 % of draws.\n',
  )
  const groups: [string, (one: Counted) => boolean][] = [
    ['all', () => true],
    [`quality ${GOOD_QUALITY} and more`, ({ picture }) => isGood(picture)],
    [`quality under ${GOOD_QUALITY}`, ({ picture }) => !isGood(picture)],
    ...[...new Set(counted.map(({ picture }) => picture.kind))].map(
      (kind): [string, (one: Counted) => boolean] => [kind, ({ picture }) => picture.kind === kind],
    ),
  ]
  const rows: string[][] = []
  for (const [name, isIn] of groups) {
    const own = counted.filter(isIn)
    const any = sumOf(own.map((one) => one.any))
    const pairs = own.reduce((total, one) => total + one.pairs, 0)
    const within = any.slice(0, THRESHOLD + 1).reduce((total, count) => total + count, 0)
    const found = extrapolate(
      own.map((one) => one.any),
      THRESHOLD,
      seeded(seed, 'resample'),
    )
    const uploads = (share: number, size: number) => uploadsOfAMillion(share, size).toPrecision(2)
    rows.push([
      name,
      (pairs / 1e6).toFixed(1),
      String(within),
      String(nearestOf(any)),
      ...LIST_SIZES.map((size) =>
        found ? `${uploads(found.share, size)} (${uploads(found.upper, size)})` : '',
      ),
    ])
  }
  printTable(
    [
      'uploads',
      'million pairs',
      `within ${THRESHOLD}`,
      'nearest',
      ...LIST_SIZES.map((size) => `${size.toLocaleString('en')} entries`),
    ],
    rows,
  )
}

function power(share: number): string {
  return share === 0 ? '0' : `10^${Math.log10(share).toFixed(1)}`
}

/** Largest whole distance that keeps the share of pairs within it at most `share`. */
function distanceOf(tail: Tail, share: number): number {
  return Math.floor((quantile(share) - tail.at) / tail.slope)
}
