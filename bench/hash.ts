// PDQ by stages, and whole files compared with a JavaScript perceptual hash.

import sharp from 'sharp'
import phash from 'sharp-phash'
import { readModules } from '../src/core/node.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { pdq } from '../test/reference/pdq.ts'
import type { ImageStages } from '../test/support/image-stages.ts'
import { scene } from '../test/support/scene.ts'
import { largePhoto, smallPhoto, source } from './inputs.ts'
import { measure, ms, printTable } from './measure.ts'

const modules = readModules()

const SIDE = 512
/** Calls timed together: a single one is shorter than the clock's resolution. */
const CALLS = 20

async function showStages(): Promise<void> {
  const core = modules.image.begin().exports as unknown as ImageStages
  const luma = Float32Array.from(scene(SIDE, SIDE, 1, 7).data)
  const plane = core.allocate(SIDE * SIDE * 4)
  const block = core.allocate(64 * 64 * 4)
  const amplitudes = core.allocate(256 * 4)
  const out = core.allocate(32)
  new Float32Array(core.memory.buffer, plane, luma.length).set(luma)
  const window = SIDE / 128
  const stage = (name: string, run: () => unknown) => ({
    name,
    run: () => {
      for (let i = 0; i < CALLS; i++) run()
    },
  })
  const [whole, ...stages] = await measure(
    [
      stage('PDQ, 512 x 512 luma to 256 bits', () => core.hashPlane(plane, SIDE, SIDE, out)),
      stage('  Jarosz filter and decimation', () =>
        core.jaroszDecimate(plane, SIDE, SIDE, window, window, block, 64, 64),
      ),
      stage('  quality', () => core.quality64(block)),
      stage('  DCT, 64 to 16', () => core.dct64To16(block, amplitudes)),
      stage('  median and bits', () => core.hashBits(amplitudes, out)),
    ],
    41,
  )
  const [twin] = await measure([{ name: '', run: () => pdq({ luma, rows: SIDE, cols: SIDE }) }], 7)
  const row = (name: string, time: number) => [
    name,
    ms(time),
    `${((100 * time) / (whole.median / CALLS)).toFixed(0)} %`,
  ]
  printTable(
    ['stage', 'ms', 'share'],
    [
      ...[whole, ...stages].map(({ name, median }) => row(name, median / CALLS)),
      row('the same in plain TypeScript (test/reference)', twin.median),
    ],
  )
}

async function showFiles(): Promise<void> {
  sharp.concurrency(1)
  sharp.cache(false)
  const context = { modules, digestKinds: [] }
  const rows: string[][] = []
  for (const [name, file] of [
    ['JPEG 12 MP', await largePhoto()],
    ['JPEG 1.6 MP', await smallPhoto()],
    [
      'PNG 0.8 MP',
      await sharp(await smallPhoto())
        .resize(1024, 768)
        .png()
        .toBuffer(),
    ],
  ] as const) {
    const [own, other] = await measure(
      [
        { name: 'hashgate', run: () => scanFile(context, file) },
        { name: 'sharp-phash', run: () => phash(file) },
      ],
      15,
    )
    const ratio = own.median / (other?.median ?? 1)
    rows.push([name, ms(own.median), ms(other?.median ?? 0), ratio.toFixed(2)])
  }
  console.log(`File to hash. Inputs: ${source}.\n`)
  printTable(['file', 'hashgate (PDQ), ms', 'sharp with sharp-phash, ms', 'ratio'], rows)
}

/** The report of `npm run bench`. */
export async function benchHash(): Promise<void> {
  await showStages()
  await showFiles()
}
