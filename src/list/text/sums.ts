import { kindNamed, looksLikeHash } from './kinds.ts'

/** `0f75…  a.jpg` of md5sum, sha1sum and sha256sum; a star marks a file read as bytes, a backslash a name with escapes. */
const SUM = /^\\?([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}) ([ *]?)(.+)$/i
/** `MD5 (a.jpg) = 0f75…` of BSD, `md5sum --tag` and OpenSSL. */
const TAGGED = /^\\?([\w-]+) ?\((.*)\) ?= ?([0-9a-f]+)$/i
/** `pdq f8f8…` of `threatexchange hash`; `sha256:9f86…` of others. */
const SIGNAL = /^([\w-]+?)(?:[ \t]*[:=][ \t]*|[ \t]+)(\S.*)$/

/** Reads a line that a hashing program prints; `undefined` if it is not one. */
export function parseSumLine(line: string): SumLine | undefined {
  const nameOf = (file = '') => (line.startsWith('\\') ? unescapeName(file) : file)
  const sum = SUM.exec(line)
  if (sum) {
    const [, hash = '', mark = '', file = ''] = sum
    // The supposed file name may be another hash.
    if (mark === '' && looksLikeHash(file)) return undefined
    return { kind: '', hash, file: nameOf(file), isSum: true }
  }
  const tagged = TAGGED.exec(line)
  if (tagged && kindNamed(tagged[1] ?? '') !== undefined) {
    return { kind: tagged[1] ?? '', hash: tagged[3] ?? '', file: nameOf(tagged[2]), isSum: false }
  }
  const signal = SIGNAL.exec(line)
  if (signal && kindNamed(signal[1] ?? '') !== undefined) {
    const [hash = '', ...file] = (signal[2] ?? '').split(/\s+/)
    return { kind: signal[1] ?? '', hash, file: file.join(' '), isSum: false }
  }
  return undefined
}

/** A line of a program that prints hashes, in cells. */
export interface SumLine {
  kind: string
  hash: string
  /** The file, or an empty string. */
  file: string
  /** Whether it has md5sum's form, in which 64 digits are SHA-256. */
  isSum: boolean
}

/** Undoes the escapes that coreutils use in a name with a backslash or a line end. */
function unescapeName(name: string): string {
  const signs: Record<string, string> = { n: '\n', r: '\r' }
  return name.replaceAll(/\\(.)/g, (_, sign: string) => signs[sign] ?? sign)
}
