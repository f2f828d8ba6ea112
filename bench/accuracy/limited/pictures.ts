import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { readModules } from '../../../src/core/node.ts'
import { PROBE_SETS } from '../../../src/scan/probes/sets.ts'
import { needlesOf, type Needle } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { drawDistractor, KINDS } from '../distractors.ts'
import { CORPUS } from '../files.ts'
import { open, readSource } from '../pixels.ts'
import { between, seeded } from '../seeded.ts'

/** A picture whose hash may say little: a file, and what it was made from. */
export interface Picture {
  from: 'photographs' | 'made up' | 'plain colours'
  /** Pictures of one source are not compared with each other. */
  source: string
  file: Uint8Array
}

export interface PictureOptions {
  seed: number
  /** Number of crops from each photograph. */
  crops: number
  /** Number of generated pictures of each kind. */
  generated: number
}

/** Reads the options of a report on pictures, and folders of photographs. */
export function readPictureOptions(
  args: readonly string[],
): PictureOptions & { corpus: readonly string[] } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      corpus: { type: 'string', multiple: true, default: [CORPUS] },
      generated: { type: 'string', default: '20' },
      crops: { type: 'string', default: '8' },
      seed: { type: 'string', default: '1' },
    },
  })
  const { corpus, generated, crops, seed } = values
  return { corpus, generated: Number(generated), crops: Number(crops), seed: Number(seed) }
}

/** Contrasts that photographs are reduced to: too low for a quality of 50. */
const CONTRASTS = [0.15, 0.05]
const FAINT_SIDE = 512
/** Smallest and largest share of a photograph's sides that a crop has. */
const [LEAST_PART, LARGEST_PART] = [0.08, 0.5]
/** Smallest and largest sides of crops, and of plain sheets, in pixels. */
const [LEAST_SIDE, LARGEST_SIDE] = [64, 900]

const context = { modules: readModules(), digestKinds: [], probes: PROBE_SETS.plain }

/** A file's identity; `undefined` if it has none. */
export async function identityOf(file: Uint8Array): Promise<Needle | undefined> {
  const scanned = await scanFile(context, file)
  return needlesOf(scanned)[0]
}

/** Photographs, crops and faint copies of them; generated pictures; sheets of one colour. */
export async function* pictures(
  photographs: readonly string[],
  options: PictureOptions,
): AsyncGenerator<Picture> {
  for (const path of photographs) yield* ofPhotograph(path, options)
  for (const kind of KINDS) {
    for (let i = 0; i < options.generated; i++) {
      const file = await drawDistractor(kind, i, options.seed)
      yield { from: 'made up', source: `${kind} ${i}`, file }
    }
  }
  for (let i = 0; i < options.generated; i++) yield plainSheet(i, options.seed)
}

async function* ofPhotograph(
  path: string,
  { seed, crops }: PictureOptions,
): AsyncGenerator<Picture> {
  const source = basename(path)
  const from = 'photographs'
  const file = await readFile(path)
  yield { from, source, file }
  const { pixels } = await readSource(source, file)
  const random = seeded(seed, source, 'parts')
  for (let i = 0; i < crops; i++) {
    const share = between(random, LEAST_PART, LARGEST_PART)
    const side = (whole: number) => Math.min(whole, Math.max(LEAST_SIDE, Math.round(whole * share)))
    const [width, height] = [side(pixels.width), side(pixels.height)]
    const left = Math.floor(random() * (pixels.width - width + 1))
    const top = Math.floor(random() * (pixels.height - height + 1))
    yield {
      from,
      source,
      file: await open(pixels).extract({ left, top, width, height }).png().toBuffer(),
    }
  }
  for (const contrast of CONTRASTS) {
    const faint = open(pixels)
      .resize(FAINT_SIDE, FAINT_SIDE, { fit: 'inside', withoutEnlargement: true })
      .linear(contrast, 128 * (1 - contrast))
    yield { from, source, file: await faint.png().toBuffer() }
  }
}

async function plainSheet(number: number, seed: number): Promise<Picture> {
  const source = `plain ${number}`
  const random = seeded(seed, source)
  const side = () => Math.round(between(random, LEAST_SIDE, LARGEST_SIDE))
  const channel = () => Math.floor(random() * 256)
  const background = { r: channel(), g: channel(), b: channel() }
  const image = sharp({ create: { width: side(), height: side(), channels: 3, background } })
  const file = await (number % 2 === 0 ? image.png() : image.jpeg({ quality: 85 })).toBuffer()
  return { from: 'plain colours', source, file }
}
