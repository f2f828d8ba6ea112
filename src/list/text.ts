import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { formatHash, parseHash } from '../core/hash.ts'
import type { Entry } from './entry.ts'
import { BadListLineError } from './errors.ts'

/** What a list's text holds. */
export interface ParsedList {
  entries: Entry[]
  /** Lines that were passed over, with what is wrong with each. */
  skipped: BadListLineError[]
  /** Lines with a hash that an earlier line has. */
  duplicates: number
}

/** The bytes of a list, in pieces of any size. */
export type ListText = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** What the CSV parser gives for each record. */
interface Row {
  record: string[]
  info: { lines: number }
}

/**
 * Reads a hash list: one hash of 64 hex digits a line, or CSV with a header line that names a column `hash`, and perhaps
 * `id` and others. Blank lines and lines that begin with `#` are passed over.
 *
 * With `skipBad`, bad lines are passed over too and reported.
 * @throws {BadListLineError} the first bad line, unless `skipBad`
 */
export async function parseList(
  text: ListText,
  options: { skipBad: boolean },
): Promise<ParsedList> {
  const result: ParsedList = { entries: [], skipped: [], duplicates: 0 }
  const seen = new Set<string>()
  let columns: string[] | undefined
  for await (const { record, info } of readRows(text)) {
    const cells = record.map((cell) => cell.trim())
    if (cells.join('') === '') continue
    const isFirst = columns === undefined
    columns ??= headerOf(cells) ?? ['hash']
    if (isFirst && headerOf(cells)) continue
    const entry = readEntry(cells, columns)
    if (typeof entry === 'string') {
      const error = new BadListLineError(info.lines, entry)
      if (!options.skipBad) throw error
      result.skipped.push(error)
      continue
    }
    const key = formatHash(entry.hash)
    if (seen.has(key)) result.duplicates++
    else result.entries.push(entry)
    seen.add(key)
  }
  return result
}

/** Records with the number of the line they end on. */
async function* readRows(text: ListText): AsyncGenerator<Row> {
  const parser = parse({
    bom: true,
    comment: '#',
    comment_no_infix: true,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  })
  const source = Readable.from(text, { objectMode: false })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    for await (const row of parser) yield row as Row
  } catch (error) {
    if (error instanceof CsvError) throw new BadListLineError(parser.info.lines, error.message)
    throw error
  }
}

/** Column names, if a record is a header: one of its cells is `hash`. */
function headerOf(cells: readonly string[]): string[] | undefined {
  const names = cells.map((cell) => cell.toLowerCase())
  return names.includes('hash') ? names : undefined
}

/** An entry; or what is wrong with the record. */
function readEntry(cells: readonly string[], columns: readonly string[]): Entry | string {
  if (cells.length > columns.length) {
    return columns.length === 1
      ? `has ${cells.length} columns where only a hash is expected; a header line such as hash,id names them`
      : `has ${cells.length} columns where the header names ${columns.length}`
  }
  const fields = new Map(columns.map((name, i) => [name, cells[i] ?? '']))
  const text = fields.get('hash') ?? ''
  const hash = parseHash(text)
  if (!hash) return describeBadHash(text)
  const id = fields.get('id') || contentId(hash)
  fields.delete('hash')
  fields.delete('id')
  return { hash, id, labels: Object.fromEntries([...fields].filter(([, value]) => value !== '')) }
}

/** What is wrong with a hash, without repeating it: lists are secret, and messages are not. */
function describeBadHash(text: string): string {
  if (text === '') return 'has no hash'
  if (text.length !== 64) return `has ${text.length} characters where a hash has 64 hex digits`
  const at = text.search(/[^0-9a-f]/i)
  return `has a character that is no hex digit at position ${at + 1}`
}

/** An id for an entry whose list gives none: it stays the same, and does not tell the hash. */
function contentId(hash: Uint8Array): string {
  return `h-${createHash('sha256').update('hashgate entry').update(hash).digest('hex').slice(0, 16)}`
}
