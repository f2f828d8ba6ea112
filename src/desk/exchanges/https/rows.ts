import { pipeline, Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { BadAnswerError } from '../errors.ts'
import type { HttpsSettings } from './settings.ts'
import { parseJson } from '../../../util/json.ts'

/**
 * The rows of a file.
 * @throws {BadAnswerError} the file is truncated, or has another format
 */
export function sourceRows(
  chunks: Chunks,
  { format, records, fields }: Pick<HttpsSettings, 'format' | 'records' | 'fields'>,
  what: string,
): AsyncGenerator<FileRow, void> {
  switch (format) {
    case 'lines':
      return lineRows(chunks)
    case 'csv':
      return csvRows(chunks, fields, what)
    case 'ndjson':
      return ndjsonRows(chunks, what)
    case 'feed': // read by FeedExchange
      throw new BadAnswerError(what, 'is a feed')
    case 'json':
      return jsonRows(chunks, records, what)
  }
}

/** A record of a file: values by column name, or by JSON pointer. */
export type Fields = (place: string) => string | undefined

/** A row of a file, or the reason why it is not one. */
export type FileRow = { fields: Fields; values: ReadonlyMap<string, string> } | { problem: string }

type Chunks = AsyncIterable<Uint8Array>

async function* lineRows(chunks: Chunks): AsyncGenerator<FileRow, void> {
  for await (const { text } of linesOf(chunks)) {
    if (text === '' || text.startsWith('#')) continue
    yield ofMap(new Map([['hash', text]]))
  }
}

async function* csvRows(
  chunks: Chunks,
  fields: HttpsSettings['fields'],
  what: string,
): AsyncGenerator<FileRow, void> {
  const parser = parse({
    bom: true,
    trim: true,
    comment: '#',
    comment_no_infix: true,
    skip_empty_lines: true,
  })
  // Unlike pipe, this ends the parser if the chunks fail; the loop below then throws their error.
  pipeline(Readable.from(chunks), parser, () => {})
  let columns: string[] | undefined
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      if (columns) yield ofMap(new Map(columns.map((name, i) => [name, cells[i] ?? ''])))
      else columns = header(cells, fields, what)
    }
  } catch (error) {
    // csv-parse's message repeats what it read.
    if (error instanceof CsvError) throw new BadAnswerError(what, `is not CSV (${error.code})`)
    throw error
  }
  if (!columns) throw new BadAnswerError(what, 'is empty and has no header')
}

/**
 * The columns of a CSV file. @throws {BadAnswerError} none of them has hashes, so it is something
 * else
 */
function header(cells: string[], fields: HttpsSettings['fields'], what: string): string[] {
  const places = HASH_FIELDS.map((name) => fields[name] ?? name)
  if (places.some((place) => cells.includes(place))) return cells
  throw new BadAnswerError(what, `has none of the columns ${places.join(', ')}`)
}

const HASH_FIELDS = ['hash', 'pdq', 'md5', 'sha1', 'sha256'] as const

async function* ndjsonRows(chunks: Chunks, what: string): AsyncGenerator<FileRow, void> {
  for await (const { text, isLast } of linesOf(chunks)) {
    if (text === '') continue
    const value = parseJson(text)
    if (value !== undefined) yield ofJson(value)
    else if (isLast) throw new BadAnswerError(what, 'ends within a line')
    else yield { problem: 'line: no JSON' }
  }
}

async function* jsonRows(
  chunks: Chunks,
  records: string,
  what: string,
): AsyncGenerator<FileRow, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
  const root = parseJson(text + decoder.decode())
  if (root === undefined) throw new BadAnswerError(what, 'is not JSON, or truncated')
  const rows = at(root, records)
  if (!Array.isArray(rows)) throw new BadAnswerError(what, `has no array at "${records}"`)
  for (const row of rows as unknown[]) yield ofJson(row)
}

function ofMap(values: ReadonlyMap<string, string>): FileRow {
  return { fields: (place) => values.get(place), values }
}

/** A place is a JSON pointer, or the name of a member. */
function ofJson(value: unknown): FileRow {
  const fields = (place: string) => toText(at(value, place.startsWith('/') ? place : `/${place}`))
  const members = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const values = members.flatMap((name): [string, string][] => {
    const text = toText(at(value, `/${escape(name)}`))
    return text === undefined ? [] : [[name, text]]
  })
  return { fields, values: new Map(values) }
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** The value at a JSON pointer (RFC 6901). */
export function at(value: unknown, pointer: string): unknown {
  let found = value
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found
}

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Lines of a text, without their line ends. `isLast`: no line end follows. */
async function* linesOf(chunks: Chunks): AsyncGenerator<{ text: string; isLast: boolean }, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield { text: line.trim(), isLast: false }
  }
  rest = (rest + decoder.decode()).trim()
  if (rest !== '') yield { text: rest, isLast: true }
}
