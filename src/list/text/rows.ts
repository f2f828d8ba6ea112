import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { BadListLineError } from '../errors.ts'
import { isHeader } from './columns.ts'
import { looksLikeHash } from './kinds.ts'
import { parseSumLine } from './sums.ts'

/** A line of a list in cells, without spaces around them. */
export interface Row {
  cells: string[]
  line: number
}

/** The CSV parser's output for each record. */
interface CsvRow {
  record: string[]
  info: { lines: number }
}

/** How a line is split into cells. */
export type Form =
  | { by: 'delimiter'; delimiter: string }
  /** Lines of a program that prints hashes: see `sums.ts`. */
  | { by: 'program' }

const DELIMITERS = [',', ';', '\t', '|']

/** How a list's lines are split: by the character that `sep=` names, or by the one that yields a hash or a column's name in the first line. */
export function formOf(head: string): Form {
  const lines = withoutPreamble(head)
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
  const first = lines.find((line) => line !== '' && !line.startsWith('#')) ?? ''
  const named = SEPARATOR.exec(head)
  if (named) return { by: 'delimiter', delimiter: named[1] ?? '' }
  if (/^[0-9a-f]{16,}$/i.test(parseSumLine(first)?.hash ?? '')) return { by: 'program' }
  const cellsBy = (delimiter: string) => first.split(delimiter).map(unquote)
  const score = (delimiter: string) => {
    const cells = cellsBy(delimiter)
    const isFound = isHeader(cells) || cells.some(looksLikeHash)
    return isFound ? cells.length : 0
  }
  const best = DELIMITERS.toSorted((a, b) => score(b) - score(a))[0] ?? ','
  return { by: 'delimiter', delimiter: best }
}

/** First line that gives Excel the delimiter. */
const SEPARATOR = /^"?sep=(.)"?[,;\t ]*(?=\r|\n)/i
/** Lines that hashdeep writes before its header. */
const HASHDEEP = /^%%%% (?:HASHDEEP.*$)?/gm

function unquote(cell: string): string {
  return cell.trim().replace(/^"(.*)"$/, '$1')
}

/** The lines of a list in cells. Blank lines and comments are left out. */
export async function* readRows(
  head: string,
  rest: AsyncIterable<string>,
  form: Form,
): AsyncGenerator<Row> {
  const text = joined(withoutPreamble(head), rest)
  if (form.by === 'program') yield* readLines(text)
  else yield* readCsv(text, form.delimiter)
}

/** The text without lines that only state its form; the other lines keep their numbers. */
function withoutPreamble(head: string): string {
  return head.replace(SEPARATOR, '').replace(HASHDEEP, '')
}

async function* joined(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head
  yield* rest
}

async function* readLines(text: AsyncIterable<string>): AsyncGenerator<Row> {
  let line = 0
  let begun = ''
  for await (const chunk of text) {
    const lines = (begun + chunk).split('\n')
    begun = lines.pop() ?? ''
    for (const whole of lines) yield* parsedRow(whole, ++line)
  }
  yield* parsedRow(begun, ++line)
}

function* parsedRow(text: string, line: number): Generator<Row> {
  const cell = text.trim()
  if (cell !== '' && !cell.startsWith('#')) yield { cells: [cell], line }
}

async function* readCsv(text: AsyncIterable<string>, delimiter: string): AsyncGenerator<Row> {
  const parser = parse({
    comment: '#',
    comment_no_infix: true,
    delimiter,
    info: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  })
  const source = Readable.from(text, { objectMode: false })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    for await (const row of parser) {
      const { record, info } = row as CsvRow
      const cells = record.map((cell) => cell.trim())
      if (cells.every((cell) => cell === '')) continue
      checkOneLine(record, info.lines)
      yield { cells, line: info.lines }
    }
  } catch (error) {
    if (error instanceof CsvError) throw new BadListLineError(parser.info.lines, error.message)
    throw error
  }
}

/**
 * Checks that a record is on one line. With stray quotes it runs from one to the next, and the text between would be lost.
 * @throws {BadListLineError} even where bad lines are skipped
 */
function checkOneLine(record: readonly string[], lastLine: number): void {
  const breaks = record.join('').split(/\r\n|\n|\r/).length - 1
  if (breaks > 0) {
    throw new BadListLineError(
      lastLine - breaks,
      'has a quoted cell that does not end on that line',
    )
  }
}
