// How often an upload matches an entry of an unrelated picture: counted among real pictures, and
// extrapolated from the tail of their distances to lists of 100,000 to ten million entries.
//
//   npm run bench -- false-matches --distractors DIR
//     --distractors DIR   pictures in folders of folders, by kind; `node scripts/distractors.ts DIR` collects them
//     --pieces DIR        cuts the photographs into pieces, in this folder: each is an upload and an entry too
//     --side N            minimum side of a piece, in pixels: 256
//     --most N            pictures of each package: 1000
//     --probes SET        default or wide: default
//     --seed N            of the resampling: 1
//     --threads N         2
//     --write             writes src/scan/probes/tolerances.ts; with `--probes wide`

import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
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
import { DEFAULT_BANK_POLICY } from '../src/list/manifest.ts'
import { limitOf } from '../src/match/thresholds.ts'
import { PackedHashes } from '../src/core/packed-hashes.ts'
import { SET_NAMES, type SetName } from '../src/scan/probes/sets.ts'
import { type Needle, smallestSetOf } from '../src/scan/scanned.ts'
import { sameAs, sourceOf } from './accuracy/same-pictures.ts'
import { Copies } from './accuracy/copies.ts'
import { imagesIn } from './accuracy/files.ts'
import { cut, LEAST_SIDE } from './accuracy/pieces.ts'
import { seeded } from './accuracy/seeded.ts'
import { printTable } from './measure.ts'
import { type NearestByQuality, writeTolerances } from './tolerances.ts'

const { minQuality, threshold: THRESHOLD } = DEFAULT_BANK_POLICY
/** From this quality on, a picture is sharp enough for a meaningful identity. */
const GOOD_QUALITY = 80
const LIST_SIZES = [1e5, 1e6, 1e7]
/** Number of nearest pairs to print. */
const MOST_NEAREST = 20

interface Found {
  path: string
  /** Its file, without the common folders. */
  name: string
  /** The picture that it is a piece of, or itself. */
  whole: string
  kind: string
  /**
   * Where it comes from. Pictures of one origin may share an artist or be the same, so only those
   * of different origins are compared.
   */
  origin: string
}

interface Picture extends Found {
  needles: Needle[]
  quality: number
}

/** Counts for an upload. Distances are reduced by the probe's tolerance. */
interface Counted {
  picture: Picture
  /** By the default set alone, and by all needles. */
  byGroup: Record<Group, Record<SetUsed, Near>>
  byProbe: Map<string, ByProbe>
}

/** Kinds that show something with light and depth; the others are drawings and patterns. */
const PICTURED = new Set(['photographs', 'screenshots', 'textures'])

/** Which entries an upload is compared with. */
const GROUPS = {
  'all entries': () => true,
  'photographs as entries': (entry) => entry?.kind === 'photographs',
  [`photographs of quality ${GOOD_QUALITY} and more as entries`]: (entry) =>
    entry?.kind === 'photographs' && isGood(entry),
  'whole photographs as entries': (entry) =>
    entry?.kind === 'photographs' && entry.name === entry.whole,
} satisfies Record<string, InGroup>
type Group = keyof typeof GROUPS
const ALL_GROUPS = Object.keys(GROUPS) as Group[]
type InGroup = (entry: Picture | undefined) => boolean

/** Counts for the nearest needles to entries of a group. */
interface Near {
  bits: Histogram
  /** The nearest entry. */
  nearest?: Nearest
}

type SetUsed = 'default' | 'wide'
/** The sets that contain the probes of the default set, and those that contain the others. */
const BOTH: readonly SetUsed[] = ['default', 'wide']
const WIDE: readonly SetUsed[] = ['wide']

interface Nearest {
  bits: number
  probe: string
  entry: string
}

/** Counts for the needles of a probe. */
interface ByProbe {
  bits: Histogram
  /** Bits to the nearest entry, with nothing subtracted, by quality of the needle. */
  nearest: NearestByQuality
}

/** The report of `npm run bench -- false-matches`. */
export async function benchFalseMatches(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      distractors: { type: 'string' },
      pieces: { type: 'string' },
      side: { type: 'string', default: String(LEAST_SIDE) },
      probes: { type: 'string', default: 'default' },
      most: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      write: { type: 'boolean', default: false },
    },
  })
  const set = SET_NAMES.find((name) => name === values.probes)
  if (!set) throw new Error(`--probes is ${SET_NAMES.join(', ')}, not ${values.probes}`)
  const { distractors, pieces } = values
  if (distractors === undefined) throw new Error('--distractors names a folder of pictures')
  const cutting = pieces === undefined ? undefined : { folder: pieces, side: Number(values.side) }
  const paths = await findPictures(distractors, cutting, Number(values.most))
  const all = await readPictures(paths, set, Number(values.threads))
  const entries = new Entries(all)
  const counted = all.map((picture) => entries.count(picture))
  console.log(`## False matches: ${['npm run bench -- false-matches', ...args].join(' ')}\n`)
  printPictures(all, entries, set)
  const sets: SetUsed[] = set === 'wide' ? ['default', 'wide'] : ['default']
  for (const used of sets) {
    for (const group of ALL_GROUPS) printNearest(counted, group, used)
    const photographs = counted.filter(({ picture }) => picture.kind === 'photographs')
    printNearest(photographs, 'photographs as entries', used, 'photographs as uploads and ')
  }
  printProbes(counted, Number(values.seed))
  for (const group of ALL_GROUPS) {
    for (const used of sets) printUploads(counted, group, used, Number(values.seed))
  }
  if (values.write) await writeTolerances(nearestByProbe(counted), all.length)
}

/**
 * The pictures of `distractors/kind/package`, without copies. Those of each package are at most
 * `most`.
 * @param cutting folder for pieces of the photographs, and their minimum side, if they are to be cut.
 *   Pieces are not compared by their pixels: unrelated ones that look alike have to be counted
 */
async function findPictures(
  distractors: string,
  cutting: { folder: string; side: number } | undefined,
  most: number,
): Promise<Found[]> {
  const found: Found[] = []
  const copies = new Copies()
  for (const kind of readdirSync(distractors)) {
    for (const source of readdirSync(join(distractors, kind))) {
      for (const path of imagesIn(join(distractors, kind, source)).slice(0, most)) {
        if (!(await copies.isNew(path).catch(() => false))) continue
        const whole = nameOf(path)
        const from = { whole, kind, origin: originOf(source) }
        found.push({ ...from, path, name: whole })
        if (!cutting || kind !== 'photographs') continue
        for (const piece of await cut(path, join(cutting.folder, source), cutting.side)) {
          found.push({ ...from, path: piece, name: nameOf(piece) })
        }
      }
    }
  }
  return found
}

/** Its folder and file. */
function nameOf(path: string): string {
  return path.split('/').slice(-2).join('/')
}

async function readPictures(
  found: readonly Found[],
  set: SetName,
  threads: number,
): Promise<Picture[]> {
  const scanned = await scanAll(
    found.map(({ path }) => path),
    set,
    threads,
  )
  return found.flatMap((one, i): Picture[] => {
    const all = scanned[i] ?? []
    const needles = all.filter((needle) => !limitOf(needle, minQuality))
    return all[0] ? [{ ...one, needles, quality: all[0].quality }] : []
  })
}

/** The needles of files, by several threads. */
async function scanAll(
  paths: readonly string[],
  probes: SetName,
  threads: number,
): Promise<Needle[][]> {
  const needles: Needle[][] = []
  const open = paths.entries()
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const worker = new Worker(new URL('scan-worker.ts', import.meta.url), {
        workerData: { probes },
      })
      for (const [i, path] of open) {
        const answer = once(worker, 'message') as Promise<[Needle[]]>
        worker.postMessage(path)
        ;[needles[i]] = await answer
      }
      await worker.terminate()
    }),
  )
  return needles
}

/** Where the pictures of a package come from: the first word of its name. */
function originOf(source: string): string {
  const [word = ''] = source.split('-')
  return sourceOf(word)
}

/** Identities of pictures that a list would accept, as words. */
class Entries {
  readonly lowered: number
  readonly size: number
  readonly #pictures: Picture[]
  readonly #hashes: PackedHashes

  constructor(pictures: readonly Picture[]) {
    const listed = pictures.filter(({ needles: [first] }) => first?.probe === 'identity')
    const left = listed.filter(({ needles: [first] }) => first && !entryGuard().capOf(first.hash))
    this.lowered = listed.length - left.length
    this.size = left.length
    this.#pictures = left
    this.#hashes = new PackedHashes(left.flatMap(({ needles: [first] }) => first?.hash ?? []))
  }

  count(picture: Picture): Counted {
    const others = this.#unrelatedTo(picture)
    const byProbe = new Map<string, ByProbe>()
    const least = { default: new Least(this.size), wide: new Least(this.size) }
    for (const [probe, needles] of Map.groupBy(picture.needles, (needle) => needle.probe)) {
      const { bits, nearest } = this.#reduced(needles, others)
      const counts = histogram()
      for (const i of others) add(counts, bits[i] ?? MAX_BITS, 1)
      byProbe.set(probe, { bits: counts, nearest })
      const isWide = needles.every((needle) => smallestSetOf(needle) === 'wide')
      for (const set of isWide ? WIDE : BOTH) least[set].lower(bits, others, probe)
    }
    const byGroup = {} as Counted['byGroup']
    for (const group of ALL_GROUPS) {
      const own = others.filter((i) => GROUPS[group](this.#pictures[i]))
      byGroup[group] = {
        default: this.#nearOf(least.default, own),
        wide: this.#nearOf(least.wide, own),
      }
    }
    return { picture, byGroup, byProbe }
  }

  /** Indexes of the entries that a picture is compared with. */
  #unrelatedTo(picture: Picture): Uint32Array {
    const same = sameAs(picture.whole)
    return Uint32Array.from(
      this.#pictures.flatMap(({ origin, whole }, i) =>
        origin === picture.origin || same.has(whole) ? [] : i,
      ),
    )
  }

  /** Bits from the needles of a probe to each entry, less their tolerance. */
  #reduced(
    needles: readonly Needle[],
    others: Uint32Array,
  ): { bits: Uint8Array; nearest: [number, number] } {
    const bits = new Uint8Array(this.size).fill(MAX_BITS)
    const nearest: [number, number] = [MAX_BITS, MAX_BITS]
    for (const needle of needles) {
      const distances = this.#hashes.distancesTo(needle)
      const column = needle.quality >= GOOD_QUALITY ? 0 : 1
      let own = nearest[column]
      for (const i of others) {
        const distance = distances[i] ?? MAX_BITS
        if (distance < own) own = distance
        const left = Math.max(0, distance - needle.tolerance)
        if (left < (bits[i] ?? 0)) bits[i] = left
      }
      nearest[column] = own
    }
    return { bits, nearest }
  }

  #nearOf(least: Least, own: Uint32Array): Near {
    const bits = histogram()
    let at: number | undefined
    for (const i of own) {
      const here = least.bits[i] ?? MAX_BITS
      add(bits, here, 1)
      if (here < (at === undefined ? MAX_BITS : (least.bits[at] ?? 0))) at = i
    }
    if (at === undefined) return { bits }
    const entry = this.#pictures[at]?.name ?? ''
    return { bits, nearest: { bits: least.bits[at] ?? 0, probe: least.probes[at] ?? '', entry } }
  }
}

/** The least bits to each entry, and the probe that they are by. */
class Least {
  readonly bits: Uint8Array
  readonly probes: string[]

  constructor(entries: number) {
    this.bits = new Uint8Array(entries).fill(MAX_BITS)
    this.probes = Array.from({ length: entries }, () => '')
  }

  lower(bits: Uint8Array, others: Uint32Array, probe: string): void {
    for (const i of others) {
      const here = bits[i] ?? MAX_BITS
      if (here >= (this.bits[i] ?? 0)) continue
      this.bits[i] = here
      this.probes[i] = probe
    }
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
    ['kind', 'whole', 'pieces', `quality ${GOOD_QUALITY} and more`, 'origins'],
    kinds.map(([kind, own]) => {
      const whole = own.filter((one) => one.name === one.whole).length
      const origins = new Set(own.map(({ origin }) => origin)).size
      return [kind, whole, own.length - whole, own.filter(isGood).length, origins].map(String)
    }),
  )
}

/**
 * The nearest pairs, for a person to look at: no program can tell whether they show the same
 * picture.
 */
function printNearest(counted: readonly Counted[], group: Group, set: SetUsed, uploads = ''): void {
  console.log(`### The ${MOST_NEAREST} nearest pairs by the ${set} set, ${uploads}${group}\n`)
  const pairs = counted
    .flatMap(({ picture, byGroup }) => {
      const { nearest } = byGroup[group][set]
      return nearest ? [{ upload: picture.name, ...nearest }] : []
    })
    .toSorted((a, b) => a.bits - b.bits)
  printTable(
    ['bits', 'probe', 'upload', 'entry'],
    pairs
      .slice(0, MOST_NEAREST)
      .map(({ bits, probe, upload, entry }) => [String(bits), probe, upload, entry]),
  )
}

/** How near needles of each probe come to unrelated entries. */
function nearestByProbe(counted: readonly Counted[]): Map<string, NearestByQuality> {
  const nearest = new Map<string, NearestByQuality>()
  for (const [probe, { nearest: one }] of counted.flatMap(({ byProbe }) => [...byProbe])) {
    const [clear, others] = nearest.get(probe) ?? [MAX_BITS, MAX_BITS]
    nearest.set(probe, [Math.min(clear, one[0]), Math.min(others, one[1])])
  }
  return nearest
}

/**
 * Histograms of uploads, added up for pieces of one picture: these are not independent, so a
 * resample takes all or none of them.
 */
function byWhole(
  counted: readonly Counted[],
  of: (one: Counted) => Histogram | undefined,
): Histogram[] {
  return [...Map.groupBy(counted, ({ picture }) => picture.whole).values()].flatMap((own) => {
    const histograms = own.flatMap((one) => of(one) ?? [])
    return histograms.length > 0 ? [sumOf(histograms)] : []
  })
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
      const own = byWhole(
        counted.filter(({ picture }) => isGood(picture) === good),
        ({ byProbe }) => byProbe.get(probe)?.bits,
      )
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

function printUploads(counted: readonly Counted[], group: Group, set: SetUsed, seed: number): void {
  console.log(`### Uploads that match an unrelated entry, by the ${set} set, ${group}\n`)
  console.log(
    'Of a million uploads, extrapolated, with the bound below which it lies in 97.5 % of draws.\n',
  )
  const groups: [string, (one: Counted) => boolean][] = [
    ['all', () => true],
    [`quality ${GOOD_QUALITY} and more`, ({ picture }) => isGood(picture)],
    [`quality under ${GOOD_QUALITY}`, ({ picture }) => !isGood(picture)],
    [
      `${[...PICTURED].join(', ')}, ${GOOD_QUALITY} and more`,
      ({ picture }) => isGood(picture) && PICTURED.has(picture.kind),
    ],
    [
      `drawings, ${GOOD_QUALITY} and more`,
      ({ picture }) => isGood(picture) && !PICTURED.has(picture.kind),
    ],
    [
      `photographs, ${GOOD_QUALITY} and more`,
      ({ picture }) => isGood(picture) && picture.kind === 'photographs',
    ],
    [
      'whole photographs',
      ({ picture }) => picture.name === picture.whole && picture.kind === 'photographs',
    ],
    ...[...new Set(counted.map(({ picture }) => picture.kind))].map(
      (kind): [string, (one: Counted) => boolean] => [kind, ({ picture }) => picture.kind === kind],
    ),
  ]
  const rows: string[][] = []
  for (const [name, isIn] of groups) {
    const own = counted.filter(isIn)
    const histograms = byWhole(own, ({ byGroup }) => byGroup[group][set].bits)
    const any = sumOf(histograms)
    const pairs = any.reduce((total, count) => total + count, 0)
    const within = any.slice(0, THRESHOLD + 1).reduce((total, count) => total + count, 0)
    const found = extrapolate(histograms, THRESHOLD, seeded(seed, 'resample'))
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
