import { toHex } from '../util/bytes.ts'
import type { Entry, HashKind } from './entry.ts'
import { BadListLineError, MisleadingLineError } from './errors.ts'
import { BitBalance, checkBalance } from './text/balance.ts'
import { type Column, columnsNamed, columnsOf, isHeader } from './text/columns.ts'
import { decodeText, type ListText } from './text/decode.ts'
import { type ReadRecord, readRecord, type WideKind } from './text/entries.ts'
import { looksLikeJson, readJson } from './text/json.ts'
import { formOf, readRows, type Row } from './text/rows.ts'
import { parseSumLine } from './text/sums.ts'

export type { ListText } from './text/decode.ts'
export type { WideKind } from './text/entries.ts'

/**
 * Reads a hash list in any common form (README, "Hash lists"): one hash per line; CSV with commas,
 * semicolons or tabs, with or without a header; output of `hashgate hash`, of the reference's tools
 * and of md5sum; Project VIC's JSON. The text is UTF-8 or UTF-16.
 *
 * If a hash has no stated kind, its number of digits decides. 64 digits mean PDQ, and the list must
 * then look like PDQ.
 * @throws {BadListLineError} the first bad line, unless `skipBad`
 * @throws {MisleadingLineError} a line that cannot be skipped
 * @throws {UnclearKindError} hashes with 64 digits are not PDQ, and nothing says what they are
 * @throws {BadListError} the file is not a list
 */
export async function parseList(text: ListText, options: ListOptions): Promise<ParsedList> {
  const { head, rest } = await decodeText(text)
  const reading = new ListReading(options)
  if (looksLikeJson(head)) {
    for await (const { names, cells, number } of readJson(head, rest)) {
      reading.take({ columns: columnsNamed(names), cells }, number, 'record')
    }
    return reading.end()
  }
  let columns: readonly Column[] | undefined
  let header: Row | undefined
  for await (const row of readRows(head, rest, formOf(head))) {
    if (header && isSameHeader(row, header)) continue // concatenated files repeat the header
    if (!columns && isHeader(row.cells)) {
      header = row
      columns = namedBy(row)
      continue
    }
    const program = columns ? undefined : (programRecord(row) ?? namedRecord(row))
    const guessed = program ? undefined : (columns ?? columnsOf(row.cells))
    if (program) reading.take(program, row.line)
    else if (!guessed) reading.refuse(new BadListLineError(row.line, NO_COLUMNS))
    else {
      reading.take({ columns: guessed, cells: row.cells }, row.line)
      columns ??= guessed.length > 1 ? guessed : undefined
    }
  }
  return reading.end()
}

/** The contents of a list's text. */
export interface ParsedList {
  entries: Entry[]
  /** Skipped lines, with what is wrong with each. */
  skipped: BadListLineError[]
  /** Repeated hashes. */
  duplicates: number
  counts: Map<HashKind, number>
  /** Numbers of omitted hashes, by kind that cannot be matched. */
  leftOut: Map<string, number>
  /** Hashes that the list calls PDQ but that do not look like PDQ, if there are too many. */
  unlikePdq: number
}

export interface ListOptions {
  /** Whether bad lines are skipped and reported. */
  skipBad: boolean
  /** Kind of hashes with 64 digits, if the list does not say. */
  kind?: WideKind
}

interface ListRecord {
  columns: readonly Column[]
  cells: readonly string[]
  /** Whether it is a line of sha256sum, whose 64 digits are never PDQ. */
  isSum?: boolean
}

const NO_COLUMNS =
  'has no hash of 32, 40 or 64 hex digits, and does not name a column of hashes either' +
  ' (hash, pdq, md5, sha1 or sha256)'

function isSameHeader({ cells }: Row, other: Row): boolean {
  return cells.length === other.cells.length && cells.every((cell, i) => cell === other.cells[i])
}

/** @throws {MisleadingLineError} */
function namedBy({ cells, line }: Row): Column[] {
  const columns = columnsNamed(cells)
  const names = cells.flatMap((cell, i) =>
    ['label', 'nothing'].includes(columns[i]?.has ?? '') ? [] : [cell.toLowerCase()],
  )
  if (new Set(names).size < names.length)
    throw new MisleadingLineError(line, 'names a column twice; rename one of the two')
  return columns
}

/** A line of a program that prints hashes. */
function programRecord({ cells }: Row): ListRecord | undefined {
  const [only = '', ...others] = cells
  const line = others.length === 0 ? parseSumLine(only) : undefined
  if (!line) return undefined
  const columns = columnsNamed(['kind', 'hash', 'file'])
  return { columns, cells: [line.kind, line.hash, line.file], isSum: line.isSum }
}

/** A line of the reference's detailed output: `hash=f8f8…,norm=128,delta=0,quality=100,filename=a.jpg`. */
function namedRecord({ cells }: Row): ListRecord | undefined {
  if (!/^\w+=[0-9a-f]{32,}$/i.test(cells[0] ?? '')) return undefined
  const pairs: [name: string, value: string][] = []
  for (const cell of cells) {
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(cell) ?? []
    const last = pairs.at(-1)
    if (name !== undefined) pairs.push([name, value])
    else if (last) last[1] += `,${cell}` // a file name with a comma
  }
  return {
    columns: columnsNamed(pairs.map(([name]) => name)),
    cells: pairs.map(([, value]) => value),
  }
}

class ListReading {
  readonly #options: ListOptions
  readonly #list: ParsedList
  readonly #seen = new Set<string>()
  readonly #unnamed = new BitBalance()
  readonly #sums = new BitBalance()
  readonly #named = new BitBalance()

  constructor(options: ListOptions) {
    this.#options = options
    this.#list = {
      entries: [],
      skipped: [],
      duplicates: 0,
      counts: new Map(),
      leftOut: new Map(),
      unlikePdq: 0,
    }
  }

  take({ columns, cells, isSum = false }: ListRecord, number: number, unit?: 'record'): void {
    const wide = this.#options.kind ?? (isSum ? 'sha256' : 'pdq')
    const read = readRecord(columns, cells, wide)
    if (typeof read === 'string') return this.refuse(new BadListLineError(number, read, unit))
    this.#weigh(read, isSum, `${unit ?? 'line'} ${number}`)
    for (const kind of read.leftOut) add(this.#list.leftOut, kind.slice('other:'.length))
    for (const entry of read.entries) {
      const key = `${entry.kind}:${toHex(entry.hash)}`
      if (this.#seen.has(key)) this.#list.duplicates++
      else {
        this.#list.entries.push(entry)
        add(this.#list.counts, entry.kind)
      }
      this.#seen.add(key)
    }
  }

  /** Skips a bad line if `skipBad` is set. @throws {BadListLineError} it is not set */
  refuse(error: BadListLineError): void {
    if (!this.#options.skipBad) throw error
    this.#list.skipped.push(error)
  }

  /** @throws {UnclearKindError} */
  end(): ParsedList {
    if (this.#options.kind === undefined) checkBalance(this.#unnamed, this.#sums)
    if (!this.#named.isPdq) this.#list.unlikePdq = this.#named.unlike
    return this.#list
  }

  #weigh({ entries, unnamed }: ReadRecord, isSum: boolean, where: string): void {
    for (const { hash } of unnamed) (isSum ? this.#sums : this.#unnamed).add(hash, where)
    for (const entry of entries) {
      if (entry.kind === 'pdq' && !unnamed.includes(entry)) this.#named.add(entry.hash, where)
    }
  }
}

function add<K>(counts: Map<K, number>, kind: K): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1)
}
