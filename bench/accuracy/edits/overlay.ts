import { draw, type Edit } from '../pixels.ts'
import { between, choose, type Random } from '../seeded.ts'
import { phrase, textIn } from '../text.ts'

export type Corner = 'top left' | 'top right' | 'bottom left' | 'bottom right'

/** A square logo that covers a share of the area, near a corner. */
export function logo(share: number, corner: Corner): Edit {
  return (pixels, random) => {
    const { width, height } = pixels
    const size = Math.sqrt(width * height * share)
    const gap = 0.02 * Math.min(width, height)
    const x = corner.endsWith('left') ? gap : width - gap - size
    const y = corner.startsWith('top') ? gap : height - gap - size
    const [paper, ink] = choose(random, LOGO_COLOURS)
    const box = { x: x + size * 0.1, y: y + size * 0.6, width: size * 0.8, height: size * 0.3 }
    return draw(
      pixels,
      `<rect x="${x}" y="${y}" width="${size}" height="${size}" rx="${size * 0.15}" fill="${paper}"/>
      <circle cx="${x + size / 2}" cy="${y + size * 0.36}" r="${size * 0.22}" fill="${ink}"/>
      ${textIn(box, [phrase(random, 1, 1)], { fill: ink })}`,
    )
  }
}

const LOGO_COLOURS: [[string, string], ...[string, string][]] = [
  ['white', '#d02020'],
  ['black', 'white'],
  ['#1d6fe0', 'white'],
  ['#f5c518', 'black'],
  ['#e0245e', 'white'],
]

/** One rising line of text across the picture, half transparent. */
export const watermark: Edit = (pixels, random) => {
  const { width, height } = pixels
  const box = { x: 0.1 * width, y: 0.42 * height, width: 0.8 * width, height: 0.16 * height }
  return draw(
    pixels,
    `<g opacity="0.4" transform="rotate(-20 ${width / 2} ${height / 2})">${text(box, random)}</g>`,
  )
}

/** Lines of text all over the picture, as on stock photographs. */
export const tiledWatermark: Edit = (pixels, random) => {
  const { width, height } = pixels
  const line = phrase(random, 2, 2)
  const rows = Array.from({ length: 6 }, (_, row) => {
    const y = (row / 6) * height
    const x = row % 2 === 0 ? 0 : -0.12 * width
    return [0, 1, 2]
      .map((col) =>
        textIn(
          { x: x + (col * 0.36 + 0.03) * width, y, width: 0.27 * width, height: 0.06 * height },
          [line],
          { fill: 'white' },
        ),
      )
      .join('')
  })
  return draw(pixels, `<g opacity="0.35">${rows.join('')}</g>`)
}

function text(box: { x: number; y: number; width: number; height: number }, random: Random) {
  return textIn(box, [phrase(random, 2, 3)], { fill: 'white', stroke: 'black' })
}

/** A face that covers a share of the area, near the middle. */
export function emoji(share: number): Edit {
  return (pixels, random) => {
    const { width, height } = pixels
    const r = Math.sqrt((width * height * share) / Math.PI)
    const x = width * between(random, 0.4, 0.6)
    const y = height * between(random, 0.4, 0.6)
    return draw(
      pixels,
      `<circle cx="${x}" cy="${y}" r="${r}" fill="#ffcc22" stroke="#c98a00" stroke-width="${r * 0.05}"/>
      <circle cx="${x - r * 0.35}" cy="${y - r * 0.2}" r="${r * 0.12}" fill="#553300"/>
      <circle cx="${x + r * 0.35}" cy="${y - r * 0.2}" r="${r * 0.12}" fill="#553300"/>
      <path d="M${x - r * 0.5} ${y + r * 0.25}q${r * 0.5} ${r * 0.5} ${r} 0z" fill="#553300"/>`,
    )
  }
}

/** A white label with text, turned a little, as in story apps. */
export const sticker: Edit = (pixels, random) => {
  const { width, height } = pixels
  const box = { x: width * 0.3, y: height * 0.44, width: width * 0.4, height: height * 0.1 }
  const angle = between(random, -8, 8).toFixed(1)
  return draw(
    pixels,
    `<g transform="rotate(${angle} ${width / 2} ${height / 2})">
    <rect x="${box.x - 12}" y="${box.y}" width="${box.width + 24}" height="${box.height}" rx="12" fill="white"/>
    ${textIn(box, [phrase(random, 2, 4)], { fill: 'black' })}</g>`,
  )
}

/** Two lines over the bottom of the picture. */
export const subtitle: Edit = (pixels, random) => {
  const { width, height } = pixels
  const box = { x: width * 0.1, y: height * 0.83, width: width * 0.8, height: height * 0.13 }
  const lines = [phrase(random, 4, 7), phrase(random, 3, 6)]
  return draw(pixels, textIn(box, lines, { fill: 'white', stroke: 'black' }))
}

/** Large capitals over the top and the bottom of the picture. */
export const memeText: Edit = (pixels, random) => {
  const { width, height } = pixels
  const line = (y: number) =>
    textIn(
      { x: width * 0.05, y: height * y, width: width * 0.9, height: height * 0.14 },
      [phrase(random, 2, 4).toUpperCase()],
      { fill: 'white', stroke: 'black' },
    )
  return draw(pixels, line(0.02) + line(0.84))
}

/** A black bar across the middle, a tenth of the width and height together. */
export const censorBar: Edit = (pixels, random) => {
  const { width, height } = pixels
  const [x, y] = [between(random, 0.2, 0.5) * width, between(random, 0.3, 0.6) * height]
  return draw(pixels, `<rect x="${x}" y="${y}" width="${width * 0.3}" height="${height * 0.08}"/>`)
}

/** Bars of 45 % of the width and 6 % of the height, placed as if over eyes: black or white. */
export function eyeBars(count: 1 | 2): Edit {
  return (pixels, random) => {
    const { width, height } = pixels
    const colour = choose(random, ['black', 'black', 'white'])
    const rects = Array.from({ length: count }, (_, i) => {
      const x = between(random, 0.08, 0.47) * width
      const y = (between(random, 0.15, 0.35) + 0.35 * i) * height
      return `<rect x="${x}" y="${y}" width="${width * 0.45}" height="${height * 0.06}" fill="${colour}"/>`
    })
    return draw(pixels, rects.join(''))
  }
}
