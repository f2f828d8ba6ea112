import type { HashKind } from '../entry.ts'

/** Hashes that hashgate cannot compute. They are counted and left out. */
export type OtherKind = `other:${string}`

/** Names of kinds that are left out, as `plainName` has them. */
const OTHER = new Set(
  (
    'photodna pdna vpdq videopdq tmk tmkpdqf videotmk netclean videntifier phash ssdeep tlsh texttlsh ' +
    'sha224 sha384 sha512 sha3 crc32 ed2k tiger whirlpool ' +
    'text rawtext trendquery url urlmd5 ocr pdqocr unknownhash'
  ).split(' '),
)

/** A name without what lists write differently: `PDQ Hash`, `pdq_hash` and `HASH_PDQ` have the same letters. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Names of kinds that can be matched, of a video's digest, too. OpenSSL has SHA2-256. */
const KINDS = new Map<string, HashKind>([
  ['pdq', 'pdq'],
  ['md5', 'md5'],
  ['videomd5', 'md5'],
  ['sha1', 'sha1'],
  ['videosha1', 'sha1'],
  ['sha256', 'sha256'],
  ['videosha256', 'sha256'],
  ['sha2256', 'sha256'],
])

/** Words before and after the name of a kind. */
const BEFORE = /^(hash|image|photo|file|media)(?=.)/
const BEHIND = /(?<=.)(hash|hashes|digest|sum|hex|value|checksum|base64)+$/

/** Kind that a column's name or a cell states; `undefined` if it states none. */
export function kindNamed(name: string): HashKind | OtherKind | undefined {
  const plain = plainName(name)
  const bare = plain.replace(BEHIND, '')
  const names = [plain, bare, plain.replace(BEFORE, ''), bare.replace(BEFORE, '')]
  const kind = names.map((one) => KINDS.get(one)).find((one) => one !== undefined)
  if (kind) return kind
  const other = names.find((one) => OTHER.has(one))
  return other === undefined ? kindInWords(name) : `other:${other}`
}

/** Kind of a column such as `Perceptual hash (PDQ)`, but not of `PDQ hash quality`. */
function kindInWords(name: string): HashKind | undefined {
  const words = name.toLowerCase().split(/[^a-z0-9]+/)
  if (!words.some((word) => /^(hash|digest|checksum)$/.test(word)) || words.some(isAbout)) {
    return undefined
  }
  return words.map((word) => KINDS.get(word)).find((kind) => kind !== undefined)
}

function isAbout(word: string): boolean {
  return /^(quality|distance|count|size|date|time|status|source|match(es)?|id|type)$/.test(word)
}

export function isOther(kind: HashKind | OtherKind): kind is OtherKind {
  return kind.startsWith('other:')
}

/** Kinds by the number of digits. PDQ and SHA-256 both have 64: see `balance.ts`. */
export const KIND_OF_LENGTH = new Map<number, HashKind>([
  [32, 'md5'],
  [40, 'sha1'],
  [64, 'pdq'],
])

/** What lists write in place of a missing hash. */
const NOTHING = /^(null|none|nan|n\/a|-+)$/i

/** The digits of a cell. Text for Excel is `="0f75…"` or `'0f75…`; databases write `0x0f75…`. */
export function digitsOf(cell: string): string {
  return NOTHING.test(cell) ? '' : cell.replace(/^="(.*)"$/, '$1').replace(/^'?(0x)?/i, '')
}

/** Whether a cell looks like a hash that matches: 32, 40 or 64 hex digits. */
export function looksLikeHash(cell: string): boolean {
  const digits = digitsOf(cell)
  return KIND_OF_LENGTH.has(digits.length) && /^[0-9a-f]+$/i.test(digits)
}
