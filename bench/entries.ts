// What entries of ordinary pictures would match by mistake, before and after a publisher lowers
// them. The guard of src/list/entry-guard.ts is tuned with it.
//
//   npm run bench -- entries
//     --corpus DIR     photographs; may be given more than once
//     --generated N    generated pictures of each kind that are entries, and as many that are uploads: 20
//     --crops N        crops of each photograph: 8
//     --seed N         1; the background has another

import { entryGuard } from '../src/commands/entry-guard.ts'
import { readModules } from '../src/core/node.ts'
import { type CapReason, isRepeating } from '../src/list/entry-guard.ts'
import { DEFAULT_BANK_POLICY } from '../src/list/manifest.ts'
import { loweredThreshold, thresholdOf } from '../src/match/thresholds.ts'
import { PROBE_SETS } from '../src/scan/probes/sets.ts'
import type { Needle } from '../src/scan/scanned.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { distance, type Hash256 } from '../src/util/hash.ts'
import { drawDistractor, KINDS } from './accuracy/distractors.ts'
import { imagesIn } from './accuracy/files.ts'
import {
  identityOf,
  type PictureOptions,
  pictures,
  readPictureOptions,
} from './accuracy/limited/pictures.ts'
import { printTable } from './measure.ts'

const BANK = { ...DEFAULT_BANK_POLICY, id: 'bench', segments: [] }
const CAPS = [2, 4, 6, 8, 10, 12, 16]
const context = { modules: readModules(), digestKinds: [], probes: PROBE_SETS.default }

interface Drawn {
  kind: string
  needles: Needle[]
}

/** An entry, an upload of another picture, and how near the upload's nearest needle comes. */
interface Near {
  entry: Drawn
  needle: Needle
  bits: number
  threshold: number
}

/** The report of `npm run bench -- entries`. */
export async function benchEntries(args: readonly string[]): Promise<void> {
  const options = readPictureOptions(args)
  const entries = (await draw(options.generated, options.seed)).filter(isListed)
  const uploads = await draw(options.generated, options.seed + 1)
  const near = entries.flatMap((entry) => uploads.flatMap((upload) => nearIn(entry, upload)))
  console.log(
    `## Entries of ordinary pictures: ${['npm run bench -- entries', ...args].join(' ')}\n`,
  )
  console.log(
    `${entries.length} made-up pictures as entries, ${uploads.length} others as uploads, by the default set: ${(entries.length * uploads.length).toLocaleString('en')} pairs.\n`,
  )
  printKinds(entries, near)
  printRepeating(near)
  await printPhotographs(options)
}

async function draw(count: number, seed: number): Promise<Drawn[]> {
  const drawn: Drawn[] = []
  for (const kind of KINDS) {
    for (let i = 0; i < count; i++) {
      const scanned = await scanFile(context, await drawDistractor(kind, i, seed))
      if (scanned.coverage === 'scanned') drawn.push({ kind, needles: scanned.needles })
    }
  }
  return drawn
}

/** Whether a list would accept it: its identity has the quality that lists require. */
function isListed({ needles: [identity] }: Drawn): boolean {
  return identity?.probe === 'identity' && identity.quality >= DEFAULT_BANK_POLICY.minQuality
}

function hashOf({ needles: [identity] }: Drawn): Hash256 {
  if (!identity) throw new Error('an entry without a hash')
  return identity.hash
}

/** The upload's needle nearest to an entry, among those that match without a guard. */
function nearIn(entry: Drawn, upload: Drawn): Near[] {
  const all = upload.needles.flatMap((needle): Near[] => {
    const threshold = thresholdOf(needle, BANK)
    const bits = distance(needle.hash, hashOf(entry))
    return threshold === undefined || bits > threshold ? [] : [{ entry, needle, bits, threshold }]
  })
  return all.toSorted((a, b) => a.bits - b.bits).slice(0, 1)
}

function isStillNear({ entry, needle, bits, threshold }: Near): boolean {
  const lowered = entryGuard().capOf(hashOf(entry))
  return !lowered || isWithin(needle, bits, threshold, lowered.cap)
}

function isWithin(needle: Needle, bits: number, threshold: number, cap: number): boolean {
  return bits <= (loweredThreshold(threshold, cap, needle) ?? -1)
}

function printKinds(entries: readonly Drawn[], near: readonly Near[]): void {
  const rows = KINDS.flatMap((kind) => {
    const own = entries.filter((entry) => entry.kind === kind)
    const pairs = near.filter(({ entry }) => entry.kind === kind)
    const reasons = own.map((entry) => entryGuard().capOf(hashOf(entry))?.reason)
    const of = (reason: CapReason) => reasons.filter((one) => one === reason).length
    if (pairs.length === 0 && reasons.every((reason) => !reason)) return []
    const after = pairs.filter(isStillNear).length
    const counts = [of('repeating'), of('plain'), of('crowded')]
    return [[kind, own.length, ...counts, pairs.length, after].map(String)]
  })
  const all = [near.length, near.filter(isStillNear).length]
  rows.push(['all', String(entries.length), '', '', '', ...all.map(String)])
  printTable(
    ['entries of', 'entries', 'repeating', 'plain', 'crowded', 'pairs that match', 'lowered'],
    rows,
  )
}

function printRepeating(near: readonly Near[]): void {
  const own = near.filter(({ entry }) => isRepeating(hashOf(entry)))
  console.log(
    `Pairs of entries that repeat themselves, if they match up to a distance: ${own.length} at 31.\n`,
  )
  printTable(
    CAPS.map((cap) => `${cap} bits`),
    [
      CAPS.map((cap) =>
        String(own.filter((one) => isWithin(one.needle, one.bits, one.threshold, cap)).length),
      ),
    ],
  )
}

async function printPhotographs(
  options: PictureOptions & { corpus: readonly string[] },
): Promise<void> {
  const files = options.corpus.flatMap(imagesIn)
  const counts = { all: 0, repeating: 0, plain: 0, crowded: 0 }
  for await (const { from, file } of pictures(files, { ...options, generated: 0 })) {
    const identity = from === 'photographs' ? await identityOf(file) : undefined
    if (!identity || identity.quality < DEFAULT_BANK_POLICY.minQuality) continue
    counts.all++
    const reason = entryGuard().capOf(identity.hash)?.reason
    if (reason) counts[reason]++
  }
  console.log(
    `Of ${counts.all} photographs and parts of them, ${counts.repeating} repeat themselves, ${counts.plain} are plain and ${counts.crowded} are crowded.`,
  )
}
