import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parse, type PathCommand } from 'opentype.js/dist/opentype.mjs'
import { between, choose, type Random } from './seeded.ts'

/** Read from a package and drawn as paths, so that the machine's fonts make no difference. */
const FONT = parse(
  bufferOf(
    createRequire(import.meta.url).resolve(
      '@fontsource/open-sans/files/open-sans-latin-700-normal.woff',
    ),
  ),
)

function bufferOf(path: string): ArrayBuffer {
  return Uint8Array.from(readFileSync(path)).buffer
}

/** Pixels. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export interface TextStyle {
  fill: string
  stroke?: string
  align?: 'left' | 'centre'
}

/** Lines of text as SVG, as large as the box allows. */
export function textIn(box: Box, lines: readonly string[], style: TextStyle): string {
  const lineHeight = box.height / lines.length
  const widest = Math.max(...lines.map((line) => FONT.getAdvanceWidth(line, 1)))
  const size = Math.min(lineHeight * 0.75, box.width / widest)
  const path = lines.map((line, i) => {
    const space = box.width - FONT.getAdvanceWidth(line, size)
    const x = box.x + (style.align === 'left' ? 0 : space / 2)
    const y = box.y + lineHeight * (i + 0.5) + size * 0.36
    return pathData(FONT.getPath(line, x, y, size).commands)
  })
  const outline = style.stroke ? ` stroke="${style.stroke}" stroke-width="${size * 0.07}"` : ''
  return `<path d="${path.join('')}" fill="${style.fill}"${outline}/>`
}

/**
 * A path's commands as SVG. opentype.js's own version caches every number it ever rounded, until it
 * does nothing else.
 */
function pathData(commands: readonly PathCommand[]): string {
  return commands
    .map(({ type, ...at }) => {
      const numbers = [at.x1, at.y1, at.x2, at.y2, at.x, at.y].filter((n) => n !== undefined)
      return type + numbers.map((n) => n.toFixed(1)).join(' ')
    })
    .join('')
}

const WORDS =
  'when you see it nobody expects that time my cat found out about the best day of summer and then what happened next will never be the same again but first coffee please send help to all friends who said this was impossible look at me now'.split(
    ' ',
  ) as [string, ...string[]]

/** A number of consecutive words within the given bounds. */
export function phrase(random: Random, atLeast: number, atMost: number): string {
  const count = Math.floor(between(random, atLeast, atMost + 1))
  const text = Array.from({ length: count }, () => choose(random, WORDS)).join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
