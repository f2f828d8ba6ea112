// Wraps the prose of Markdown files at 100 columns: paragraphs and list items. Tables, headings,
// code and HTML stay as they are, and so does a paragraph that already fits.
//
//   node scripts/wrap-docs.ts docs/lists.md CONTRIBUTING.md

import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export const MOST_COLUMNS = 100

/**
 * Where a paragraph begins: a list item, or text. Its other lines are indented like the item's
 * text.
 */
const ITEM = /^(\s*)((?:[-*]|\d+\.) )?/
const FENCE = /^\s*(```|~~~)/
/**
 * Lines that stay as they are: blank ones, tables, headings, HTML, quotes, references, and breaks
 * by two spaces.
 */
const KEPT = /^\s*$|^\s*\||^#|^\s*<|^>|^\s*\[[^\]]+\]: | {2}$/
/** What would start something else at the beginning of a line. */
const STARTS = /^([-*+>#|]|\d+[.)])/

interface Block {
  lines: string[]
  isProse: boolean
}

/** The text with its prose wrapped. */
export function wrap(text: string): string {
  return blocksOf(text)
    .flatMap(({ lines, isProse }) => (isProse && lines.some(isTooLong) ? refill(lines) : lines))
    .join('\n')
}

/** Lines of prose that are too long and could be shorter. */
export function longLines(text: string): string[] {
  return blocksOf(text).flatMap(({ lines, isProse }) => {
    const long = isProse ? lines.filter(isTooLong) : []
    return long.length > 0 && refill(lines).join() !== lines.join() ? long : []
  })
}

function isTooLong(line: string): boolean {
  return line.length > MOST_COLUMNS
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let isCode = false
  let isOpen = false
  for (const line of text.split('\n')) {
    const isFence = FENCE.test(line)
    if (isFence) isCode = !isCode
    const isProse = !isCode && !isFence && !KEPT.test(line)
    const isItem = ITEM.exec(line)?.[2] !== undefined
    if (isProse && isOpen && !isItem) blocks.at(-1)?.lines.push(line)
    else blocks.push({ lines: [line], isProse })
    isOpen = isProse
  }
  return blocks
}

function refill(lines: readonly string[]): string[] {
  const [, indent = '', marker = ''] = ITEM.exec(lines[0] ?? '') ?? []
  const words = lines.join(' ').trim().slice(marker.length).split(/\s+/)
  const filled: string[] = []
  let line = indent + marker + (words.shift() ?? '')
  for (const word of words) {
    if (line.length + 1 + word.length <= MOST_COLUMNS || STARTS.test(word)) line += ` ${word}`
    else {
      filled.push(line)
      line = indent + ' '.repeat(marker.length) + word
    }
  }
  return [...filled, line]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of process.argv.slice(2)) {
    await writeFile(path, wrap(await readFile(path, 'utf8')))
  }
}
