// How near pictures with uninformative hashes come to each other, and to themselves after a change.
// The thresholds of src/match/thresholds.ts are tuned with it.
//
//   npm run bench -- limited
//     --corpus DIR     photographs; may be given more than once
//     --generated N    generated pictures of each kind, and sheets of one colour: 20
//     --crops N        crops of each photograph: 8
//     --seed N         1

import { distance, type Hash256 } from '../src/util/hash.ts'
import { DEFAULT_BANK_POLICY } from '../src/list/manifest.ts'
import { LIMITED_THRESHOLDS, limitOf } from '../src/match/thresholds.ts'
import { isPatterned, type Needle } from '../src/scan/scanned.ts'
import { imagesIn } from './accuracy/files.ts'
import { changed, CHANGES } from './accuracy/limited/changes.ts'
import {
  identityOf,
  type Picture,
  pictures,
  readPictureOptions,
} from './accuracy/limited/pictures.ts'
import { printTable } from './measure.ts'

const { minQuality } = DEFAULT_BANK_POLICY
/** Distances to report, in bits. */
const DISTANCES = [0, 2, 4, 6, 8, 10, 12, 16, 20, 24, 31]

const GROUPS = [
  'blank',
  'quality 0',
  'quality 1 to 49, pattern',
  'quality 1 to 49',
  'quality 50 to 100, pattern',
  'no limit',
] as const
type Group = (typeof GROUPS)[number]

interface Measured extends Omit<Picture, 'file'> {
  group: Group
  identity: Needle
  /** For a limited picture, its hash after each change. */
  changes: Record<string, Hash256 | undefined>
}

/** The report of `npm run bench -- limited`. */
export async function benchLimited(args: readonly string[]): Promise<void> {
  const options = readPictureOptions(args)
  const all: Measured[] = []
  for await (const picture of pictures(options.corpus.flatMap(imagesIn), options)) {
    const measured = await measure(picture)
    if (measured) all.push(measured)
  }
  console.log(`## Limited hashes: ${['npm run bench -- limited', ...args].join(' ')}\n`)
  console.log(`Thresholds in force: ${JSON.stringify(LIMITED_THRESHOLDS)}\n`)
  printGroups(all)
  printFound(all)
  printOthers(all, 'that a list takes: quality 50 and more', (one) => !isVague(one))
  printOthers(all, 'of any quality', () => true)
}

async function measure({ file, ...picture }: Picture): Promise<Measured | undefined> {
  const identity = await identityOf(file)
  if (!identity) return undefined
  const group = groupOf(identity)
  const changes: Measured['changes'] = {}
  if (group !== 'no limit') {
    for await (const one of changed(file)) changes[one.change] = (await identityOf(one.file))?.hash
  }
  return { ...picture, group, identity, changes }
}

/**
 * By PDQ's own quality: a merely faint picture is in a group of low quality, though it is not
 * limited.
 */
function groupOf(needle: Needle): Group {
  if (limitOf(needle, minQuality) === 'blank') return 'blank'
  if (needle.quality === 0) return 'quality 0'
  if (needle.quality < minQuality)
    return isPatterned(needle) ? 'quality 1 to 49, pattern' : 'quality 1 to 49'
  return isPatterned(needle) ? 'quality 50 to 100, pattern' : 'no limit'
}

function isVague({ identity }: Measured): boolean {
  return identity.quality < minQuality
}

function printGroups(all: readonly Measured[]): void {
  const sources = ['photographs', 'made up', 'plain colours'] as const
  console.log('### Pictures\n')
  console.log(
    'Photographs with parts and faint copies of them, made-up pictures, sheets of one colour.\n',
  )
  printTable(
    ['hash', ...sources],
    GROUPS.map((group) =>
      cells(group).concat(
        sources.map((source) => {
          return String(all.filter((one) => one.group === group && one.from === source).length)
        }),
      ),
    ),
  )
}

function printFound(all: readonly Measured[]): void {
  console.log('### Found within a distance, in per cent of the limited pictures\n')
  const rows = GROUPS.filter((group) => group !== 'no limit').flatMap((group) =>
    Object.keys(CHANGES).map((change) => {
      const own = all.filter((one) => one.group === group)
      const near = own.map(({ identity, changes: { [change]: hash } }) => {
        return hash ? distance(identity.hash, hash) : Infinity
      })
      return cells(group, change).concat(shares(near))
    }),
  )
  printTable(['hash', 'change', ...DISTANCES.map(String)], rows)
}

function shares(distances: readonly number[]): string[] {
  return DISTANCES.map((most) => {
    const within = distances.filter((one) => one <= most).length
    return distances.length === 0 ? '' : ((100 * within) / distances.length).toFixed(0)
  })
}

function printOthers(
  all: readonly Measured[],
  what: string,
  isListed: (one: Measured) => boolean,
): void {
  const listed = all.filter(isListed)
  console.log(`### Pairs with another picture within a distance: entries ${what}\n`)
  const rows = GROUPS.filter((group) => group !== 'no limit').map((group) => {
    const asked = all.filter((one) => one.group === group)
    const distances = asked.flatMap((one) => distancesToOthers(one, listed))
    const pairs = DISTANCES.map((most) => String(distances.filter((bits) => bits <= most).length))
    return cells(group, String(asked.length), String(distances.length)).concat(pairs)
  })
  printTable(['hash', 'asked about', 'pairs', ...DISTANCES.map(String)], rows)
}

function distancesToOthers(one: Measured, listed: readonly Measured[]): number[] {
  return listed
    .filter(({ source }) => source !== one.source)
    .map(({ identity }) => distance(one.identity.hash, identity.hash))
}

function cells(...texts: string[]): string[] {
  return texts
}
