import { draw, type Edit, fitInto, type Pixels, place } from '../pixels.ts'
import type { Random } from '../seeded.ts'
import { type Box, phrase, textIn } from '../text.ts'

interface Theme {
  paper: string
  ink: string
  bar: string
}

const LIGHT: Theme = { paper: '#ffffff', ink: '#202020', bar: '#e8eaed' }
const DARK: Theme = { paper: '#15202b', ink: '#e0e0e0', bar: '#1e2c3a' }

/**
 * A post in a phone app: status and title bar, the author, the picture at full width, lines below.
 */
export function phoneScreenshot(look: 'light' | 'dark'): Edit {
  const theme = look === 'light' ? LIGHT : DARK
  return async (pixels, random) => {
    const [width, height] = [720, 1480]
    const picture = await fitInto(pixels, width, 960)
    const top = 340
    const sheet = await placeOn(theme, width, height, picture, (width - picture.width) / 2, top)
    const below = top + picture.height + 20
    return draw(
      sheet,
      `<rect width="720" height="150" fill="${theme.bar}"/>
      ${line({ x: 24, y: 8, width: 100, height: 34 }, '12:41', theme)}
      ${line({ x: 110, y: 70, width: 500, height: 56 }, phrase(random, 2, 3), theme)}
      <circle cx="60" cy="215" r="36" fill="#5b8def"/>
      ${lines({ x: 116, y: 175, width: 560, height: 80 }, 2, theme, random)}
      ${line({ x: 24, y: 270, width: 670, height: 50 }, phrase(random, 4, 8), theme)}
      ${lines({ x: 24, y: below, width: 670, height: height - below }, 4, theme, random)}`,
    )
  }
}

/** A picture opened in a phone's gallery: black around it, a few icons. */
export const galleryScreenshot: Edit = async (pixels, random) => {
  const [width, height] = [720, 1480]
  const theme = { ...DARK, paper: '#000000' }
  const picture = await fitInto(pixels, width, 1240)
  const left = (width - picture.width) / 2
  const sheet = await placeOn(theme, width, height, picture, left, (height - picture.height) / 2)
  const dots = [120, 280, 440, 600].map(
    (x) => `<circle cx="${x}" cy="1420" r="16" fill="none" stroke="#e0e0e0" stroke-width="4"/>`,
  )
  return draw(
    sheet,
    `${line({ x: 24, y: 8, width: 100, height: 34 }, '12:41', theme)}
    ${line({ x: 60, y: 56, width: 300, height: 40 }, phrase(random, 2, 2), theme)}${dots.join('')}`,
  )
}

/**
 * A page in a browser window: tabs, a side column, a headline, the picture at about half the width,
 * text.
 */
export const desktopScreenshot: Edit = async (pixels, random) => {
  const [width, height] = [1280, 800]
  const picture = await fitInto(pixels, 760, 470)
  const sheet = await placeOn(LIGHT, width, height, picture, 300, 190)
  const below = 190 + picture.height + 16
  return draw(
    sheet,
    `<rect width="1280" height="84" fill="#dee1e6"/>
    <rect x="120" y="46" width="900" height="30" rx="15" fill="white"/>
    ${line({ x: 140, y: 48, width: 600, height: 26 }, phrase(random, 3, 4), LIGHT)}
    ${line({ x: 300, y: 110, width: 760, height: 60 }, phrase(random, 4, 7), LIGHT)}
    ${lines({ x: 40, y: 190, width: 220, height: 420 }, 12, LIGHT, random)}
    ${lines({ x: 300, y: below, width: 760, height: height - below }, 5, LIGHT, random)}`,
  )
}

function placeOn(
  theme: Theme,
  width: number,
  height: number,
  pixels: Pixels,
  left: number,
  top: number,
): Promise<Pixels> {
  return place({ width, height, background: theme.paper }, [{ pixels, left, top }])
}

function line(box: Box, text: string, { ink }: Theme): string {
  return textIn(box, [text], { fill: ink, align: 'left' })
}

/** Lines of text of one size; none if there is no room. */
function lines(box: Box, atMost: number, theme: Theme, random: Random): string {
  const count = Math.min(atMost, Math.floor(box.height / 32))
  const texts = Array.from({ length: Math.max(0, count) }, () => phrase(random, 3, 7))
  if (texts.length === 0) return ''
  return textIn({ ...box, height: Math.min(box.height, 40 * count) }, texts, {
    fill: theme.ink,
    align: 'left',
  })
}
