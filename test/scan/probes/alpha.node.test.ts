import sharp, { type Sharp } from 'sharp'
import { expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { PROBE_SETS } from '../../../src/scan/probes/sets.ts'
import { needlesOf } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { picture } from '../../support/sharp-images.ts'

const context = { modules: readModules(), probes: PROBE_SETS.default }
const SIDE = 256

/** What is added to the threshold of alpha, over colours that show something else. */
async function toleranceOf(alpha: Sharp): Promise<number[]> {
  const luma = await alpha.resize(SIDE, SIDE, { fit: 'fill' }).greyscale().raw().toBuffer()
  const raw = { width: SIDE, height: SIDE, channels: 1 } as const
  const colours = picture(SIDE, SIDE, 3, 7)
  const file = await colours.joinChannel(luma, { raw }).png().toBuffer()
  const needles = needlesOf(await scanFile(context, file))
  return needles.filter(({ probe }) => probe === 'alpha').map(({ tolerance }) => tolerance)
}

function drawn(shapes: string): Sharp {
  const size = `width="${SIDE}" height="${SIDE}"`
  return sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${shapes}</svg>`))
    .flatten({ background: 'black' })
    .png()
}

const photo = () => picture(400, 300, 3, 3)

it.each<[string, () => Sharp]>([
  [
    'a round square',
    () => drawn('<rect x="20" y="16" width="200" height="220" rx="40" fill="white"/>'),
  ],
  ['a star', () => drawn('<path d="M128 9 L160 246 L9 96 L246 96 L96 246 Z" fill="white"/>')],
])('matches within few bits if alpha is an outline: %s', async (_, alpha) => {
  expect(await toleranceOf(alpha())).toEqual([-15])
})

it.each<[string, () => Promise<Sharp>]>([
  ['in greys', () => Promise.resolve(photo())],
  ['in dots of black and white', async () => sharp(await dotted(photo()))],
])('matches as others do if alpha is a picture: %s', async (_, alpha) => {
  expect(await toleranceOf(await alpha())).toEqual([0])
})

/** The picture with two levels, by dots as in newspapers. */
async function dotted(image: Sharp): Promise<Buffer> {
  const grey = image.resize(SIDE, SIDE, { fit: 'fill' }).greyscale()
  return grey.png({ palette: true, colours: 2, dither: 1 }).toBuffer()
}
