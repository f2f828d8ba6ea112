import { DIHEDRAL_NAMES } from '../../util/hash.ts'
import { isOther, type OtherKind, kindNamed, looksLikeHash, plainName } from './kinds.ts'
import type { HashKind } from '../entry.ts'

export type Column =
  /** Hashes of one kind; or of several, which another column or their length gives. */
  | { has: 'hash'; kind: HashKind | undefined }
  | { has: 'other-hash'; kind: OtherKind }
  | { has: 'kind' | 'id' }
  | { has: 'label'; name: string; takesRest?: true }
  /** A column without a name. */
  | { has: 'nothing' }

/** Names of a column of hashes of any kind, the clearest first. */
const HASH = [
  ...['hash', 'hashvalue', 'hashdigest', 'hashhex', 'hashstring', 'signalstr', 'signalvalue'],
  ...['signal', 'fingerprint', 'digest', 'checksum', 'indicator', 'value'],
]
/** Names of a column with the kind of each hash. */
const KIND = [
  ...['hashtype', 'hashkind', 'hashname', 'hashalgorithm', 'signaltype', 'signalkind'],
  ...['kind', 'algorithm', 'algo', 'type'],
]
const ID = ['id', 'entryid', 'mediaid', 'imageid', 'hashid']

/** Kinds of signals that are not hashes: as column names they describe hashes. */
const SIGNALS = new Set<string>(['other:text', 'other:rawtext', 'other:url', 'other:ocr'])

/** Columns by their names. Names of labels are kept in lower case. */
export function columnsNamed(names: readonly string[]): Column[] {
  const plain = names.map((name) =>
    plainName(name).replace(/^(image|photo|file|media|perceptual)(?=hash)/, ''),
  )
  const hash = first(plain, HASH)
  const kind = hash < 0 ? -1 : first(plain, KIND)
  const id = first(plain, ID)
  return names.map((name, i): Column => {
    if (i === hash) return { has: 'hash', kind: undefined }
    if (i === kind) return { has: 'kind' }
    if (i === id) return { has: 'id' }
    if (name.trim() === '') return { has: 'nothing' }
    const named = kindNamed(name)
    if (named === undefined) return { has: 'label', name: name.toLowerCase() }
    if (SIGNALS.has(named)) return { has: 'label', name: name.toLowerCase() }
    return isOther(named) ? { has: 'other-hash', kind: named } : { has: 'hash', kind: named }
  })
}

/** Column of the first wanted name that exists; -1 without one. */
function first(names: readonly string[], wanted: readonly string[]): number {
  const found = wanted.find((name) => names.includes(name))
  return found === undefined ? -1 : names.indexOf(found)
}

/** Whether a record names columns: one of its cells names hashes, and no cell is a hash. */
export function isHeader(cells: readonly string[]): boolean {
  const isNamed = columnsNamed(cells).some(
    ({ has }, i) =>
      (has === 'hash' && plainName(cells[i] ?? '') !== 'value') || has === 'other-hash',
  )
  return isNamed && !cells.some((cell) => /[0-9a-f]{32}/i.test(cell))
}

/**
 * Output of `hashgate hash` and of the reference's tools, which do not quote file names:
 * hash,quality,file.
 */
function outputColumns(cells: readonly string[]): Column[] | undefined {
  const [hash = '', quality = '', variant = '', ...others] = cells
  const isOutput = cells.length > 2 && looksLikeHash(hash) && /^(100|\d{1,2})$/.test(quality)
  if (!isOutput) return undefined
  const isVariant = others.length > 0 && (DIHEDRAL_NAMES as readonly string[]).includes(variant)
  return [
    ...columnsNamed(isVariant ? ['hash', 'quality', 'variant'] : ['hash', 'quality']),
    { has: 'label', name: 'file', takesRest: true },
  ]
}

/**
 * Columns of a list without a header, by its first record. `undefined` if that has neither a hash
 * nor a mistyped one.
 */
export function columnsOf(cells: readonly string[]): Column[] | undefined {
  const output = outputColumns(cells)
  if (output) return output
  const [only = ''] = cells
  const isMeant = cells.length === 1 && (/[0-9a-f]{16}/i.test(only) || !/[^0-9a-f]/i.test(only))
  if (!isMeant && !cells.some(looksLikeHash)) return undefined
  const kind = cells.findIndex((cell) => isHashKind(kindNamed(cell)))
  return cells.map((cell, i): Column => {
    if (looksLikeHash(cell) || cells.length === 1) return { has: 'hash', kind: undefined }
    return { has: i === kind ? 'kind' : 'nothing' }
  })
}

function isHashKind(kind: HashKind | OtherKind | undefined): boolean {
  return kind !== undefined && !SIGNALS.has(kind)
}
