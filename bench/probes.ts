// What probes cost: for an image, by family, and against a list of a million. Files and lists in
// CPU time.

import { ImageDecoder } from '../src/core/image.ts'
import { readModules } from '../src/core/node.ts'
import { readManifest } from '../src/list/manifest.ts'
import { publishBank } from '../src/list/publish.ts'
import { MemoryStore } from '../src/list/store.ts'
import { BankIndex } from '../src/match/bank-index.ts'
import {
  type Family,
  FIRST_FAMILIES,
  type Probed,
  WIDE_FAMILIES,
} from '../src/scan/probes/families.ts'
import { PROBE_SETS } from '../src/scan/probes/sets.ts'
import { pointsOf, wholeOf } from '../src/scan/probes/view.ts'
import type { Needle } from '../src/scan/scanned.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { randomEntries } from '../test/support/entries.ts'
import { photoOf, smallPhoto, source } from './inputs.ts'
import { Bars } from './bars.ts'
import { MILLION } from './match/tables.ts'
import { cpuMs, measure, ms, printTable } from './measure.ts'

const modules = readModules()
const bars = new Bars()

const ROUNDS = 41
/** Bytes written between two queries to evict the list from the cache, as other requests would. */
const OTHER_BYTES = 64 << 20

async function needlesOf(file: Uint8Array, set: keyof typeof PROBE_SETS): Promise<Needle[]> {
  const scanned = await scanFile({ modules, probes: PROBE_SETS[set], digestKinds: [] }, file)
  if (scanned.coverage !== 'scanned') throw new Error('the photograph cannot be scanned')
  return [...scanned.needles, ...(scanned.widen?.() ?? [])]
}

/** The needles of the wide set that are queried if nothing matched before. */
async function wideNeedlesOf(file: Uint8Array): Promise<Needle[]> {
  const first = (await needlesOf(file, 'default')).length
  return (await needlesOf(file, 'wide')).slice(first)
}

/** Whole files by set: what is added to decoding and the identity. */
async function showSets(): Promise<void> {
  const rows: string[][] = []
  const twoMegapixels = await photoOf(1632, 1224)
  for (const [name, file] of [
    ['JPEG 2 MP', twoMegapixels],
    ['JPEG 1.6 MP', await smallPhoto()],
    ['JPEG 0.3 MP', await photoOf(640, 480)],
  ] as const) {
    const sets = ['plain', 'as-is', 'default', 'wide'] as const
    const timings = await measure(
      sets.map((set) => ({ name: set, run: () => needlesOf(file, set) })),
      ROUNDS,
      cpuMs,
    )
    for (const [i, set] of sets.entries()) {
      const time = timings[i]?.mean ?? 0
      const added = time - timings[0].mean
      rows.push([
        `${name}, ${set}`,
        String((await needlesOf(file, set)).length),
        ms(time),
        set === 'default' || set === 'wide'
          ? bars.check(`added by the ${set} set, ${name}, ms`, added)
          : ms(Math.max(0, added)),
        (added / timings[0].mean).toFixed(2),
      ])
      if (set === 'default' && name === 'JPEG 2 MP') {
        bars.check('default set to decoding a 2-megapixel photograph', added / timings[0].mean)
      }
    }
  }
  console.log(`### Scanning a file, by set\n\nInputs: ${source}.\n`)
  printTable(['file, set', 'needles', 'CPU ms', 'added, ms', 'added to plain, ratio'], rows)
}

/** Families by themselves, compared with making each picture and hashing it. */
async function showFamilies(): Promise<void> {
  const decoder = ImageDecoder.forFile(modules.image, 'jpeg')
  const rows: string[][] = []
  const file = await smallPhoto()
  const pending: Promise<void>[] = []
  decoder.push(file, true, (frame) => {
    const plane = frame.plane('stored')
    if (!plane) throw new Error('there is no memory for probes')
    const probed: Probed = { plane, aspect: decoder.size.width / decoder.size.height, displayed: 0 }
    const families: [string, Family][] = Object.entries({ ...FIRST_FAMILIES, ...WIDE_FAMILIES })
    pending.push(
      (async () => {
        const [again] = await measure([{ name: '', run: () => frame.displayed(2) }], ROUNDS)
        const whole = { part: wholeOf(plane) }
        const [one] = await measure(
          [{ name: '', run: () => plane.hash(pointsOf(plane, whole, 1)) }],
          ROUNDS,
        )
        rows.push([
          'a picture made and hashed by itself',
          '1',
          '',
          (again.median * 1000).toFixed(0),
        ])
        rows.push(['a view', '1', '', (one.median * 1000).toFixed(0)])
        for (const [name, family] of families) rows.push(await familyRow(name, family, probed))
        console.log('### Families\n')
        printTable(['family', 'needles', 'finding its views, µs', 'all, µs'], rows)
        const ratio = one.median / again.median
        console.log(`A view takes ${ratio.toFixed(2)} of making its picture and hashing that.\n`)
      })(),
    )
  })
  await Promise.all(pending)
}

async function familyRow(name: string, { views }: Family, probed: Probed): Promise<string[]> {
  const { plane, aspect } = probed
  const [found, all] = await measure(
    [
      { name: '', run: () => views(probed) },
      {
        name: '',
        run: () => {
          for (const view of views(probed)) plane.hash(pointsOf(plane, view, aspect))
        },
      },
    ],
    ROUNDS,
  )
  const micros = (time: number) => (time * 1000).toFixed(0)
  return [name, String(views(probed).length), micros(found.median), micros(all?.median ?? 0)]
}

/** Bars of the queries. */
const LIST_BARS: Readonly<Record<string, string>> = {
  default: 'needles of the default set against a million, ms',
  'wide, where nothing matched': 'needles of the wide stage against a million, ms',
}

/** A photograph's needles against a million hashes, queried as a Worker does. */
async function showMatching(): Promise<void> {
  const store = new MemoryStore()
  await publishBank(store, randomEntries(MILLION, 3), { bank: 'bench' })
  const index = await BankIndex.load(modules, store, await readManifest(store))
  await index.buildTables(async () => 'go on')
  const other = new Uint8Array(OTHER_BYTES)
  const file = await smallPhoto()
  const rows: string[][] = []
  const asked = {
    plain: await needlesOf(file, 'plain'),
    'as-is': await needlesOf(file, 'as-is'),
    default: await needlesOf(file, 'default'),
    'wide, where nothing matched': await wideNeedlesOf(file),
    'wide, both stages': await needlesOf(file, 'wide'),
  }
  for (const [set, needles] of Object.entries(asked)) {
    let sum = 0
    for (let round = 0; round <= ROUNDS; round++) {
      other.fill(round)
      const start = cpuMs()
      await index.match([{ needles }])
      if (round > 0) sum += cpuMs() - start
    }
    const mean = sum / ROUNDS
    const bar = LIST_BARS[set]
    rows.push([set, String(needles.length), bar === undefined ? ms(mean) : bars.check(bar, mean)])
  }
  console.log('### A million hashes, by table\n')
  console.log('The same needles again and again; in between, 64 MB of other memory is written.\n')
  printTable(['set', 'needles', 'CPU ms'], rows)
}

/** The report of `npm run bench -- probes`. */
export async function benchProbes(): Promise<void> {
  await showSets()
  await showFamilies()
  await showMatching()
  console.log('### Bars\n')
  printTable(['what', 'value', 'bar', ''], [...bars.rows])
}
