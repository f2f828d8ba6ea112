import { JSONParser } from '@streamparser/json'
import { isTable } from '../../util/json.ts'
import { BadListError } from '../errors.ts'
import { isHeader } from './columns.ts'
import { kindNamed } from './kinds.ts'

/** Names of arrays of records: media, and cases with media. A root array also counts. */
const LISTS = new Set(['value', 'Media'])

/**
 * Reads a JSON list one record at a time: Project VIC's (data models 1.1 to 2.0), a plain array, or
 * one object per line. Each record is released once it has been read, since such files can be
 * gigabytes long.
 * @throws {BadListError} it is not JSON, or has no records
 */
export async function* readJson(
  head: string,
  rest: AsyncIterable<string>,
): AsyncGenerator<JsonRecord> {
  const ready: JsonRecord[] = []
  let number = 0
  const parser = new JSONParser({ separator: '' })
  parser.onValue = ({ value, parent, stack }) => {
    if (!isTable(value)) return
    const list = stack.at(-1)?.key
    const isListed = Array.isArray(parent) && (list === undefined || LISTS.has(String(list)))
    if (isListed) parent.length = 0
    if (!isListed && stack.length > 0) return
    const record = { ...fieldsOf(value), number: number + 1 }
    const isCase = CASE.some((name) => name in value)
    const isSure = isListed && !isCase && !(list === 'value' && isWithinList(stack))
    if (!isSure && !isHeader(record.names)) return // around the list, or other items in a record
    number++
    ready.push(record)
  }
  const write = (text: string) => {
    try {
      parser.write(text)
    } catch {
      // The parser's message quotes the list.
      throw new BadListError(`the list is not valid JSON after record ${number}; export it again`)
    }
    return ready.splice(0)
  }
  yield* write(head)
  for await (const chunk of rest) yield* write(chunk)
  try {
    parser.end()
  } catch {
    throw new BadListError(`the list is truncated in record ${number + 1}; download the whole file`)
  }
  if (number === 0) {
    throw new BadListError(
      'the list is JSON, but has no array of records named value or Media; export it in this form, or as CSV',
    )
  }
}

/** One record of a list in JSON: the names and values of its fields. */
export interface JsonRecord {
  names: string[]
  cells: string[]
  number: number
}

/** Whether a list is JSON, by how it begins. */
export function looksLikeJson(head: string): boolean {
  return /^\s*[[{]/.test(head)
}

/** Fields of cases, which need no hash. */
const CASE = ['Media', 'CaseID']

/** Whether an array lies within an item of another array. */
function isWithinList(stack: readonly { key?: unknown }[]): boolean {
  return stack.some(({ key }) => typeof key === 'number')
}

/** Arrays within a record of hashes of any kind: `{ "HashName": "SHA1", "HashValue": "…" }`. */
const HASH_LISTS = new Set(['AlternativeHashes', 'Hashes'])
/** Name of a hash of unknown kind: it must not become a label. */
const UNKNOWN = 'unknown hash'

/** Fields of a record that are not lists, and its hashes. */
function fieldsOf(record: Record<string, unknown>): { names: string[]; cells: string[] } {
  const fields = Object.entries(record)
  const plain = fields.flatMap(([name, value]) => (isScalar(value) ? [[name, String(value)]] : []))
  const hashes = fields.flatMap(([name, value]) =>
    HASH_LISTS.has(name) && Array.isArray(value) ? value.filter(isTable).map(namedHash) : [],
  )
  const all = plain.concat(hashes)
  return { names: all.map(([name = '']) => name), cells: all.map(([, cell = '']) => cell.trim()) }
}

function namedHash({ HashName: name, HashValue: value }: Record<string, unknown>): string[] {
  const known = typeof name === 'string' && kindNamed(name) !== undefined ? name : UNKNOWN
  return [known, isScalar(value) ? String(value) : '']
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
