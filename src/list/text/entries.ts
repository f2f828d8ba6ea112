import { createHash } from 'node:crypto'
import { parseHex, toHex } from '../../util/bytes.ts'
import { type Entry, HASH_LENGTHS, type HashKind } from '../entry.ts'
import type { Column } from './columns.ts'
import {
  digitsOf,
  isOther,
  KIND_OF_LENGTH,
  kindNamed,
  looksLikeHash,
  type OtherKind,
} from './kinds.ts'

/**
 * The entries of a record, one for each hash; or the problem with it. Ids and labels appear in
 * events, so they never contain a hash.
 * @param wide kind of hashes with 64 digits, if nothing else says
 */
export function readRecord(
  columns: readonly Column[],
  allCells: readonly string[],
  wide: WideKind,
): ReadRecord | string {
  const cells = withRest(columns, allCells)
  const excess = columns.length - cells.findLastIndex((cell) => cell !== '') - 1
  if (excess < 0) return describeExcess(cells.length, columns)
  const cellsOf = (has: Column['has']) =>
    columns.flatMap((column, i) => (column.has === has ? [cells[i] ?? ''] : []))
  const [kindText = ''] = cellsOf('kind')
  const hashes = new Map<string, { kind: HashKind; hash: Uint8Array; isNamed: boolean }>()
  const leftOut: OtherKind[] = []
  for (const [i, column] of columns.entries()) {
    const digits = digitsOf(cells[i] ?? '')
    if (digits === '') continue
    if (column.has === 'nothing' && looksLikeHash(digits)) {
      return `has a hash in column ${i + 1}, which has no name; a header line such as md5,sha1 names it`
    }
    if (column.has === 'other-hash') leftOut.push(column.kind)
    if (column.has !== 'hash') continue
    const isNamed = column.kind !== undefined || kindText !== ''
    const kind = column.kind ?? entryKind(digits, kindText, wide)
    if (kind === undefined) return describeKind(digits, kindText)
    if (isOther(kind)) {
      leftOut.push(kind)
      continue
    }
    const hash = parseHex(digits, HASH_LENGTHS[kind])
    if (!hash) return describeBadHash(digits, kind)
    if (EMPTY_FILE.has(toHex(hash))) return `has the ${kind} digest of an empty file`
    hashes.set(`${kind}:${toHex(hash)}`, { kind, hash, isNamed })
  }
  if (hashes.size === 0 && leftOut.length === 0) return 'has no hash'
  const secrets = [...hashes.values()].map(({ hash }) => toHex(hash))
  const tellsHash = (text: string) => secrets.some((hash) => text.toLowerCase().includes(hash))
  const labels = Object.fromEntries(
    columns.flatMap((column, i) => {
      const cell = onOneLine(cells[i] ?? '')
      return column.has === 'label' && cell !== '' && !tellsHash(cell) ? [[column.name, cell]] : []
    }),
  )
  const id = cellsOf('id')
    .map(onOneLine)
    .find((text) => !tellsHash(text))
  const read: ReadRecord = { entries: [], leftOut, unnamed: [] }
  for (const { kind, hash, isNamed } of hashes.values()) {
    const entry = { kind, hash, id: id || contentId(kind, hash), labels }
    read.entries.push(entry)
    if (!isNamed && hash.length === HASH_LENGTHS.pdq) read.unnamed.push(entry)
  }
  return read
}

export interface ReadRecord {
  entries: Entry[]
  /** Hashes of kinds that hashgate cannot match. */
  leftOut: OtherKind[]
  /** Entries whose kind only their length gives. */
  unnamed: Entry[]
}

/** Kinds of hashes with 64 digits. */
export type WideKind = 'pdq' | 'sha256'

function onOneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]\s*/g, ' ').trim()
}

/** The cells of a record, of which the last column may take all the rest. */
function withRest(columns: readonly Column[], cells: readonly string[]): readonly string[] {
  const last = columns.at(-1)
  if (last?.has !== 'label' || !last.takesRest) return cells
  const first = columns.length - 1
  return [...cells.slice(0, first), cells.slice(first).join(',')]
}

function entryKind(
  digits: string,
  kindText: string,
  wide: WideKind,
): HashKind | OtherKind | undefined {
  if (kindText !== '') return kindNamed(kindText)
  const kind = KIND_OF_LENGTH.get(digits.length)
  return kind === 'pdq' ? wide : kind
}

function describeExcess(count: number, columns: readonly Column[]): string {
  return columns.length === 1
    ? `has ${count} columns where only a hash is expected; a header line such as hash,id names them`
    : `has ${count} columns where ${columns.length} are expected`
}

/** What is wrong with a hash of unknown kind. */
function describeKind(digits: string, kindText: string): string {
  return kindText === ''
    ? `has ${digits.length} characters where a hash has 32, 40 or 64 hex digits`
    : 'has an unknown kind; expected one of pdq, md5, sha1, sha256'
}

/** What is wrong with a hash, without repeating it: lists are secret, and messages are not. */
function describeBadHash(digits: string, kind: HashKind): string {
  const length = HASH_LENGTHS[kind] * 2
  if (digits.length !== length) {
    return `has ${digits.length} characters where a ${kind} hash has ${length} hex digits`
  }
  const at = digits.search(/[^0-9a-f]/i)
  return `has a character at position ${at + 1} that is not a hex digit`
}

/** Digests of zero bytes: lists contain them by mistake, and an empty file identifies no one. */
const EMPTY_FILE = new Set(['md5', 'sha1', 'sha256'].map((kind) => createHash(kind).digest('hex')))

/** An id for an entry without one in the list. It is stable and does not reveal the hash. */
function contentId(kind: HashKind, hash: Uint8Array): string {
  const digest = createHash('sha256').update(`hashgate entry ${kind}`).update(hash).digest('hex')
  return `h-${digest.slice(0, 16)}`
}
