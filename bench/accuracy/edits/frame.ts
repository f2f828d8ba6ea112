import { drawn, type Edit, open, type Pixels, place, type Placed, settle } from '../pixels.ts'
import { choose, type Random } from '../seeded.ts'
import { phrase, textIn } from '../text.ts'

/** A CSS colour name, or a random colour. */
export type Colour = 'white' | 'black' | 'red' | 'grey' | 'any'

export type Sides = 'one' | 'adjacent' | 'opposite' | 'three' | 'four'

type Side = 'left' | 'top' | 'right' | 'bottom'

const SIDES: Record<Sides, [Side[], ...Side[][]]> = {
  one: [['left'], ['top'], ['right'], ['bottom']],
  adjacent: [
    ['left', 'top'],
    ['top', 'right'],
    ['right', 'bottom'],
    ['bottom', 'left'],
  ],
  opposite: [
    ['left', 'right'],
    ['top', 'bottom'],
  ],
  three: [
    ['left', 'top', 'right'],
    ['top', 'right', 'bottom'],
    ['right', 'bottom', 'left'],
    ['bottom', 'left', 'top'],
  ],
  four: [['left', 'top', 'right', 'bottom']],
}

/**
 * Adds half of a share of the width, or of the height, on each of the sides; the seed chooses which
 * sides.
 */
export function border(share: number, colour: Colour, sides: Sides = 'four'): Edit {
  return (pixels, random) => {
    const added = choose(random, SIDES[sides])
    const across = Math.max(1, Math.round((pixels.width * share) / 2))
    const down = Math.max(1, Math.round((pixels.height * share) / 2))
    const widths = { left: across, right: across, top: down, bottom: down }
    const extend = Object.fromEntries(added.map((side) => [side, widths[side]]))
    return settle(open(pixels).extend({ ...extend, background: shade(colour, random) }))
  }
}

function shade(colour: Colour, random: Random): string {
  if (colour === 'grey') return '#808080'
  if (colour !== 'any') return colour
  return `rgb(${[0, 0, 0].map(() => Math.floor(random() * 256)).join(',')})`
}

/** The smallest sheet of an aspect ratio that holds a picture. */
function sheetAround({ width, height }: Pixels, aspect: number): { width: number; height: number } {
  return {
    width: Math.max(width, Math.round(height * aspect)),
    height: Math.max(height, Math.round(width / aspect)),
  }
}

/** Bars left and right, or above and below, that make an aspect ratio, width over height. */
export function bars(aspect: number, background: string): Edit {
  return (pixels) => centreOn(pixels, { ...sheetAround(pixels, aspect), background })
}

/** Bars above and below that together make up a share of the resulting height. */
export function letterbox(share: number, background: string): Edit {
  return (pixels) =>
    centreOn(pixels, { ...pixels, height: Math.round(pixels.height / (1 - share)), background })
}

/** Bars left and right that together make up a share of the resulting width. */
export function pillarbox(share: number, background: string): Edit {
  return (pixels) =>
    centreOn(pixels, { ...pixels, width: Math.round(pixels.width / (1 - share)), background })
}

/** Bars made of the enlarged, blurred picture, as in video apps. */
export function blurredBars(aspect: number): Edit {
  return async (pixels) => {
    const sheet = sheetAround(pixels, aspect)
    const small = await settle(
      open(pixels)
        .resize(Math.ceil(sheet.width / 8), Math.ceil(sheet.height / 8))
        .blur(5),
    )
    const behind = await settle(
      open(small).resize(sheet.width, sheet.height, { fit: 'fill', kernel: 'cubic' }),
    )
    const left = (sheet.width - pixels.width) / 2
    const top = (sheet.height - pixels.height) / 2
    return place({ ...sheet, background: 'black' }, [
      { pixels: behind, left: 0, top: 0 },
      { pixels, left, top },
    ])
  }
}

function centreOn(
  pixels: Pixels,
  { width, height, background }: { width: number; height: number; background: string },
): Promise<Pixels> {
  const left = (width - pixels.width) / 2
  const top = (height - pixels.height) / 2
  return place({ width, height, background }, [{ pixels, left, top }])
}

export type CaptionPlace = 'above' | 'below' | 'both'

/** Bars with text. Together their heights are a share of the picture's. */
export function caption(share: number, where: CaptionPlace, paper: 'white' | 'black'): Edit {
  return async (pixels, random) => {
    const { width, height } = pixels
    const bar = Math.round((height * share) / (where === 'both' ? 2 : 1))
    const tops = { above: [0], below: [height], both: [0, bar + height] }[where]
    const texts: Placed[] = []
    for (const top of tops) {
      texts.push({ pixels: await captionBar({ width, height: bar }, paper, random), left: 0, top })
    }
    const picture = { pixels, left: 0, top: where === 'below' ? 0 : bar }
    const sheet = { width, height: height + bar * tops.length, background: paper }
    return place(sheet, [picture, ...texts])
  }
}

function captionBar(
  size: { width: number; height: number },
  paper: 'white' | 'black',
  random: Random,
): Promise<Pixels> {
  const { width, height } = size
  const lines = Array.from({ length: random() < 0.5 ? 1 : 2 }, () => phrase(random, 4, 9))
  const box = { x: width * 0.03, y: height * 0.08, width: width * 0.94, height: height * 0.84 }
  return drawn(size, paper, textIn(box, lines, { fill: paper === 'white' ? 'black' : 'white' }))
}
