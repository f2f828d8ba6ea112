import { DIGEST_KINDS, HASH_LENGTHS, type HashKind } from '../../../list/entry.ts'
import { ApiError } from '../errors.ts'

// HMA (hasher-matcher-actioner) calls a hash a signal, and the kind of file that it is made of a
// content type. Messages have HMA's words.

/** Signal types and their hashes. HMA has pdq and video_md5; the others are hashgate's. */
const SIGNALS: ReadonlyMap<string, HashKind> = new Map([
  ['pdq', 'pdq'],
  ['video_md5', 'md5'],
  ['md5', 'md5'],
  ['sha1', 'sha1'],
  ['sha256', 'sha256'],
])

/** The signal type that HMA makes of a content type by default. */
const DEFAULT_SIGNALS: ReadonlyMap<string, string> = new Map([
  ['photo', 'pdq'],
  ['video', 'video_md5'],
])

/** A hash that a caller asks about. */
export interface Signal {
  kind: HashKind
  /** Lower case. */
  hex: string
}

/** @throws {ApiError} 400 */
export function readSignalType(name: string): HashKind {
  const kind = SIGNALS.get(name)
  if (!kind) throw new ApiError(400, `No such SignalType '${name.slice(0, 64)}'`)
  return kind
}

/** @throws {ApiError} 400 */
export function readSignal(type: string, text: string): Signal {
  const kind = readSignalType(type)
  const hex = text.trim().toLowerCase()
  if (hex.length !== 2 * HASH_LENGTHS[kind] || !/^[0-9a-f]+$/.test(hex))
    throw new ApiError(400, `invalid signal: invalid ${kind.toUpperCase()} hash`)
  return { kind, hex }
}

/**
 * The signal types to make of content.
 * @param types separated by commas, if the caller chooses them
 * @throws {ApiError} 400
 */
export function signalTypesOf(contentType: string, types: string | null): string[] {
  const usual = DEFAULT_SIGNALS.get(contentType)
  if (usual === undefined)
    throw new ApiError(400, `no such content_type: '${contentType.slice(0, 64)}'`)
  if (types === null) return [usual]
  const known = new Set([usual, ...DIGEST_KINDS])
  const names = types.split(',').flatMap((name) => name.trim() || [])
  const unknown = names.find((name) => !known.has(name))
  if (unknown !== undefined)
    throw new ApiError(400, `signal type '${unknown.slice(0, 64)}' doesn't exist or is disabled`)
  if (names.length === 0) throw new ApiError(400, 'empty signal type selection')
  return names
}
