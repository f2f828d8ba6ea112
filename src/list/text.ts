import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { parseHex, toHex } from '../util/bytes.ts'
import { type Entry, HASH_LENGTHS, type HashKind } from './entry.ts'
import { BadListLineError } from './errors.ts'

/** What a list's text holds. */
export interface ParsedList {
  entries: Entry[]
  /** Lines that were passed over, with what is wrong with each. */
  skipped: BadListLineError[]
  /** Hashes that came before. */
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
 * Reads a hash list: one hash in hex digits a line, or CSV with a header line. Blank lines and lines that begin with `#` are
 * passed over. A header names columns: `hash`, and perhaps `kind` (pdq, md5, sha1 or sha256); or one for each kind; `id` and
 * others as the list has them. Without a kind the length tells it: 32 digits are MD5, 40 SHA-1, 64 PDQ.
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
    checkOneLine(record, info.lines)
    if (!columns) {
      const header = headerOf(cells)
      if (header && new Set(header).size < header.length) {
        throw new BadListLineError(info.lines, 'names a column twice')
      }
      columns = header ?? ['hash']
      if (header) continue
    }
    const read = readEntries(cells, columns)
    if (typeof read === 'string') {
      const error = new BadListLineError(info.lines, read)
      if (!options.skipBad) throw error
      result.skipped.push(error)
      continue
    }
    for (const entry of read) {
      const key = `${entry.kind}:${toHex(entry.hash)}`
      if (seen.has(key)) result.duplicates++
      else result.entries.push(entry)
      seen.add(key)
    }
  }
  return result
}

/**
 * Sees that a record does not run over lines, as it does from one stray quote to the next: what lies between would be lost.
 * @throws {BadListLineError} even where bad lines are passed over
 */
function checkOneLine(record: readonly string[], lastLine: number): void {
  const breaks = record.join('').split('\n').length - 1
  if (breaks > 0) {
    throw new BadListLineError(lastLine - breaks, 'has a quoted cell that does not end in it')
  }
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

/** Names of a column that has hashes of any kind, and of one that tells their kind. */
const HASH = 'hash'
const KIND = ['kind', 'type', 'algorithm']

/** Kinds by the names that lists have for them. */
const KINDS = new Map<string, HashKind>([
  ['pdq', 'pdq'],
  ['md5', 'md5'],
  ['sha1', 'sha1'],
  ['sha-1', 'sha1'],
  ['sha256', 'sha256'],
  ['sha-256', 'sha256'],
])

/** Kinds by the number of digits. That of SHA-256 is the same as of PDQ, and must be named. */
const KIND_OF_LENGTH = new Map<number, HashKind>([
  [32, 'md5'],
  [40, 'sha1'],
  [64, 'pdq'],
])

/** Column names, if a record is a header: one of its cells is `hash`, or the name of a kind. */
function headerOf(cells: readonly string[]): string[] | undefined {
  const names = cells.map((cell) => cell.toLowerCase())
  return names.some((name) => name === HASH || KINDS.has(name)) ? names : undefined
}

/** The entries of a record, one for each hash; or what is wrong with it. Ids and labels are told in events: none has the hash. */
function readEntries(cells: readonly string[], columns: readonly string[]): Entry[] | string {
  if (cells.length > columns.length) {
    return columns.length === 1
      ? `has ${cells.length} columns where only a hash is expected; a header line such as hash,id names them`
      : `has ${cells.length} columns where the header names ${columns.length}`
  }
  const fields = new Map(columns.map((name, i) => [name, cells[i] ?? '']))
  const kindText = take(fields, ...KIND)
  const idText = take(fields, 'id')
  const hashes: [HashKind, Uint8Array][] = []
  for (const column of [HASH, ...KINDS.keys()]) {
    const digits = take(fields, column)
    if (digits === '') continue
    const kind = KINDS.get(column) ?? kindOf(digits, kindText)
    if (!kind) return describeKind(digits, kindText)
    const hash = parseHex(digits, HASH_LENGTHS[kind])
    if (!hash) return describeBadHash(digits, kind)
    if (EMPTY_FILE.has(toHex(hash))) return `has the ${kind} digest of an empty file`
    hashes.push([kind, hash])
  }
  if (hashes.length === 0) return 'has no hash'
  const texts = hashes.map(([, hash]) => toHex(hash))
  const tellsHash = (text: string) => texts.some((hash) => text.toLowerCase().includes(hash))
  const labels = Object.fromEntries(
    [...fields].filter(([, value]) => value !== '' && !tellsHash(value)),
  )
  const ownId = tellsHash(idText) ? '' : idText
  return hashes.map(([kind, hash]) => ({ kind, hash, id: ownId || contentId(kind, hash), labels }))
}

/** Takes the first of some fields that is there and not empty, and all of them away. */
function take(fields: Map<string, string>, ...names: string[]): string {
  const found = names.map((name) => fields.get(name) ?? '').find((value) => value !== '')
  for (const name of names) fields.delete(name)
  return found ?? ''
}

function kindOf(digits: string, kindText: string): HashKind | undefined {
  return kindText === '' ? KIND_OF_LENGTH.get(digits.length) : KINDS.get(kindText.toLowerCase())
}

/** What is wrong with a hash whose kind is not known. */
function describeKind(digits: string, kindText: string): string {
  return kindText === ''
    ? `has ${digits.length} characters where a hash has 32, 40 or 64 hex digits`
    : `has a kind that is none of ${[...new Set(KINDS.values())].join(', ')}`
}

/** What is wrong with a hash, without repeating it: lists are secret, and messages are not. */
function describeBadHash(digits: string, kind: HashKind): string {
  const length = HASH_LENGTHS[kind] * 2
  if (digits.length !== length) {
    return `has ${digits.length} characters where a ${kind} hash has ${length} hex digits`
  }
  const at = digits.search(/[^0-9a-f]/i)
  return `has a character that is no hex digit at position ${at + 1}`
}

/** Digests of no bytes at all: lists have them by mistake, and an empty file is nobody's. */
const EMPTY_FILE = new Set(['md5', 'sha1', 'sha256'].map((kind) => createHash(kind).digest('hex')))

/** An id for an entry whose list gives none: it stays the same, and does not tell the hash. */
function contentId(kind: HashKind, hash: Uint8Array): string {
  const digest = createHash('sha256').update(`hashgate entry ${kind}`).update(hash).digest('hex')
  return `h-${digest.slice(0, 16)}`
}
