// Generated pictures that are unrelated to any list, from a seed, as many of each kind as wanted.
// Many are what a perceptual hash confuses: patterns, pages of text, almost empty screens.

import sharp from 'sharp'
import { ART } from './distractors/art.ts'
import { CHARTS } from './distractors/charts.ts'
import { DOCUMENTS } from './distractors/documents.ts'
import type { Draw, Size } from './distractors/draw.ts'
import { NOISE } from './distractors/noise.ts'
import { PATTERNS } from './distractors/patterns.ts'
import { PLATES } from './distractors/plates.ts'
import { SCREENS } from './distractors/screens.ts'
import { open, svg } from './pixels.ts'
import { choose, seeded } from './seeded.ts'

const MEASURED: Readonly<Record<string, Draw>> = {
  ...PATTERNS,
  ...DOCUMENTS,
  ...SCREENS,
  ...CHARTS,
  ...ART,
  ...NOISE,
}

const DRAWS: Readonly<Record<string, Draw>> = { ...MEASURED, ...PLATES }

export const KINDS: readonly string[] = Object.keys(MEASURED)

/** Kinds that entries are compared with when they are published. */
export const BACKGROUND_KINDS: readonly string[] = Object.keys(DRAWS)

const SIZES: [Size, ...Size[]] = [
  { width: 640, height: 480 },
  { width: 480, height: 640 },
  { width: 600, height: 600 },
  { width: 720, height: 405 },
  { width: 405, height: 877 },
]

/** A picture of a kind, as a PNG or JPEG file. */
export async function drawDistractor(
  kind: string,
  number: number,
  seed: number,
): Promise<Uint8Array> {
  const draw = DRAWS[kind]
  if (!draw) throw new Error(`there are no distractors of the kind ${kind}`)
  const random = seeded(seed, kind, number)
  const size = choose(random, SIZES)
  const drawn = draw(size, random)
  const image =
    typeof drawn === 'string'
      ? sharp(svg(size.width, size.height, drawn)).flatten({ background: 'white' })
      : open(drawn)
  return random() < 0.5
    ? image.png({ compressionLevel: 3 }).toBuffer()
    : image.jpeg({ quality: 85 }).toBuffer()
}
