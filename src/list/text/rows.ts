import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { MisleadingLineError } from '../errors.ts'
import { isHeader } from './columns.ts'
import { looksLikeHash } from './kinds.ts'
import { parseSumLine } from './sums.ts'

const DELIMITERS = [',', ';', '\t', '|']

/** Lines searched for the first hash or column name: titles may precede it. */
const MAX_TITLES = 20

const BY_COMMA: Form = { by: 'delimiter', delimiter: ',' }
const BY_SPACE: Form = { by: 'delimiter', delimiter: ' ' }

/** Longest row, in bytes: some lists have all hashes on one line. */
const MAX_ROW_BYTES = 64 * 1024 * 1024
const LONG_ROW = `is longer than ${MAX_ROW_BYTES} bytes; write each hash on a line of its own, and close all quotes`
/** An open quote turns lines with hashes into the text of one cell. */
const OPEN_QUOTE =
  'has a quoted cell that does not end before the next hash; close its quote, or remove it'

/** First line that gives Excel the delimiter. */
const SEPARATOR = /^"?sep=(.)"?[,;\t ]*(?=\r|\n)/i
/** Lines that hashdeep writes before its header. */
const HASHDEEP = /^%%%% (?:HASHDEEP.*$)?/gm

/** The lines of a list, split into cells. Blank lines and comments are left out. */
export async function* readRows(
  head: string,
  rest: AsyncIterable<string>,
  form: Form,
): AsyncGenerator<Row> {
  const text = withLineFeeds(joined(withoutPreamble(head), rest))
  if (form.by === 'program') yield* readLines(text)
  else yield* readCsv(text, form.delimiter)
}

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

/**
 * How a list's lines are split: by the character that `sep=` names, or else by the one that yields
 * a hash or a column name in the first line with any.
 */
export function formOf(head: string): Form {
  const named = SEPARATOR.exec(head)
  if (named) return { by: 'delimiter', delimiter: named[1] ?? '' }
  const lines = withoutPreamble(head)
    .split(/[\r\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  return lines.slice(0, MAX_TITLES).map(formOfLine).find(Boolean) ?? BY_COMMA
}

/** How a line is split; `undefined` if it has no hash and names no column. */
function formOfLine(line: string): Form | undefined {
  if (/^[0-9a-f]{16,}$/i.test(parseSumLine(line)?.hash ?? '')) return { by: 'program' }
  if (/ /.test(line) && line.split(' ').every(looksLikeHash)) return BY_SPACE
  const score = (delimiter: string) => {
    const cells = line.split(delimiter).map(unquote)
    return isHeader(cells) || cells.some(looksLikeHash) ? cells.length : 0
  }
  const [best = ','] = DELIMITERS.toSorted((a, b) => score(b) - score(a))
  return score(best) > 0 ? { by: 'delimiter', delimiter: best } : undefined
}

function unquote(cell: string): string {
  return cell.trim().replace(/^"(.*)"$/, '$1')
}

/** The text without lines that only state its form; the other lines keep their numbers. */
function withoutPreamble(head: string): string {
  return head.replace(SEPARATOR, '').replace(HASHDEEP, '')
}

async function* joined(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head
  yield* rest
}

/** The text with every line end as LF, including those of Windows and old Macs. */
async function* withLineFeeds(text: AsyncIterable<string>): AsyncGenerator<string> {
  let endsWithCr = false
  for await (const chunk of text) {
    const isSplit = endsWithCr && chunk.startsWith('\n')
    if (chunk !== '') endsWithCr = chunk.endsWith('\r')
    yield chunk.slice(isSplit ? 1 : 0).replaceAll(/\r\n?/g, '\n')
  }
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
  let last = 0
  const parser = parse({
    comment: '#',
    comment_no_infix: true,
    delimiter,
    info: true,
    max_record_size: MAX_ROW_BYTES,
    on_record: (record: string[], { lines }) => {
      last = lines // after an error, the parser may never deliver rows that it has read
      return record
    },
    record_delimiter: '\n',
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
      yield { cells, line: firstLineOf(record, info.lines) }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // The parser has read on from a quote in the row that it did not deliver.
    const isLong = error.code === 'CSV_MAX_RECORD_SIZE'
    throw new MisleadingLineError(last + 1, isLong ? LONG_ROW : OPEN_QUOTE)
  }
}

/**
 * The line on which a record begins. Quoted cells may contain line ends. If they also contain
 * hashes, a quote is stray, and the hashes up to the next quote would be lost.
 * @throws {MisleadingLineError} even where bad lines are skipped
 */
function firstLineOf(record: readonly string[], lastLine: number): number {
  const long = record.filter((cell) => cell.includes('\n'))
  const line = lastLine - (long.join('').split('\n').length - 1)
  if (long.some((cell) => /[0-9a-f]{32}/i.test(cell)))
    throw new MisleadingLineError(line, OPEN_QUOTE)
  return line
}
