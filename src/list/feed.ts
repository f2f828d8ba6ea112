import * as v from 'valibot'
import { parseHex, toHex, utf8 } from '../util/bytes.ts'
import { HashgateError } from '../util/errors.ts'
import { parseJson } from '../util/json.ts'
import { type Entry, HASH_LENGTHS, type HashKind } from './entry.ts'
import { BANK_NAME } from './manifest.ts'
import type { Bytes } from './store.ts'

// A feed: an own bank, for other gates. It is NDJSON: a header, a line for each entry that changed, and the signature of all
// bytes before its own line. A delta has what changed after `since`; a snapshot, of since 0, has all live entries.

/** The name of the format. It is part of the signed bytes, so that a signature is valid for nothing else. */
const FORMAT = 'hashgate-feed-1'

/** A file that is not a feed, or a feed that must not be used. */
export class BadFeedError extends HashgateError {
  readonly code = 'bad-feed'

  constructor(problem: string) {
    super(`the feed ${problem}`)
  }
}

const HeaderSchema = v.object({
  format: v.literal(FORMAT),
  /** Names the feed, so that another feed signed with the same key cannot take its place. */
  name: v.pipe(v.string(), v.regex(BANK_NAME)),
  /** Number of this state. Each publication has a higher one. */
  seq: v.pipe(v.number(), v.integer(), v.minValue(1)),
  since: v.pipe(v.number(), v.integer(), v.minValue(0)),
  published: v.pipe(v.string(), v.isoTimestamp()),
  /** The time after which nobody should use it: the publisher may be gone. */
  expires: v.pipe(v.string(), v.isoTimestamp()),
})
export type FeedHeader = v.InferOutput<typeof HeaderSchema>

const ChangeSchema = v.object({
  op: v.picklist(['put', 'delete']),
  key: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
  seq: v.pipe(v.number(), v.integer(), v.minValue(1)),
  id: v.optional(v.string()),
  kind: v.optional(v.string()),
  hash: v.optional(v.string()),
  labels: v.optional(v.record(v.string(), v.string()), {}),
})
export type FeedChange = v.InferOutput<typeof ChangeSchema>

/** A feed with a valid signature. */
export interface Feed {
  header: FeedHeader
  changes: FeedChange[]
}

/** All that a publisher knows of its feed: live entries and those that were taken back, by key. */
export type FeedState = Map<string, FeedChange>

const DAY_MS = 86_400_000

/** How a bank's entries change a feed's state. The changes get the number `seq`. */
export function changesOf(state: FeedState, entries: readonly Entry[], seq: number): FeedChange[] {
  const live = new Map(entries.map((entry) => [keyOfEntry(entry), entry]))
  const changes: FeedChange[] = []
  for (const [key, { kind, hash, id, labels }] of live) {
    const change = { op: 'put' as const, key, seq, id, kind, hash: toHex(hash), labels }
    const known = state.get(key)
    if (!known || JSON.stringify({ ...known, seq }) !== JSON.stringify(change)) changes.push(change)
  }
  for (const { op, key } of state.values()) {
    if (op === 'put' && !live.has(key)) changes.push({ op: 'delete', key, seq, labels: {} })
  }
  return changes
}

function keyOfEntry({ id, kind, hash }: Entry): string {
  return `${id} ${kind} ${toHex(hash)}`
}

export interface FeedPublication {
  name: string
  seq: number
  now: number
  days: number
}

export function headerOf({ name, seq, now, days }: FeedPublication, since: number): FeedHeader {
  const [published, expires] = [now, now + days * DAY_MS].map((ms) => new Date(ms).toISOString())
  return { format: FORMAT, name, seq, since, published: published ?? '', expires: expires ?? '' }
}

/** A feed as a file, signed with an Ed25519 key. */
export async function writeFeed(
  { header, changes }: Feed,
  privateKey: CryptoKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const lines = [header, ...changes].map((line) => `${JSON.stringify(line)}\n`).join('')
  const signed = utf8(lines)
  const signature = await crypto.subtle.sign('Ed25519', privateKey, signed)
  const last = `${JSON.stringify({ ed25519: toHex(new Uint8Array(signature)) })}\n`
  return utf8(lines + last)
}

/**
 * Reads a feed. Its content is not used before its signature is verified.
 * @param publicKeys 32 bytes each; one of them must have signed it
 * @throws {BadFeedError}
 */
export async function readFeed(file: Bytes, ...publicKeys: readonly Bytes[]): Promise<Feed> {
  const end = file.at(-1) === LINE_FEED ? file.length - 1 : file.length
  const start = file.lastIndexOf(LINE_FEED, end - 1) + 1
  const last = parseJson(file.subarray(start, end)) as { ed25519?: unknown } | undefined
  const signature = typeof last?.ed25519 === 'string' ? parseHex(last.ed25519, 64) : undefined
  if (!signature) throw new BadFeedError('has no signature at its end, or is truncated')
  const signed = file.slice(0, start)
  const isSignedBy = async (publicKey: Bytes) => {
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
    return crypto.subtle.verify('Ed25519', key, signature, signed)
  }
  if (!(await Promise.all(publicKeys.map(isSignedBy))).includes(true))
    throw new BadFeedError('has an invalid signature')
  const [first = '', ...lines] = new TextDecoder().decode(signed).trimEnd().split('\n')
  const header = v.safeParse(HeaderSchema, parseJson(first))
  const changes = v.safeParse(
    v.array(ChangeSchema),
    lines.map((line) => parseJson(line)),
  )
  if (!header.success || !changes.success) throw new BadFeedError('has an unknown form')
  return { header: header.output, changes: changes.output }
}

const LINE_FEED = 10

/** Whether a change has a hash of a known kind. */
export function isUsable({ kind = '', hash = '' }: FeedChange): boolean {
  return (
    Object.hasOwn(HASH_LENGTHS, kind) &&
    parseHex(hash, HASH_LENGTHS[kind as HashKind]) !== undefined
  )
}

/** An Ed25519 key pair, as text: the private one as PKCS #8 in base64, the public one as 64 hex digits. */
export async function generateFeedKey(): Promise<{ privateKey: string; publicKey: string }> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const bytes = new Uint8Array(
    (await crypto.subtle.exportKey('pkcs8', pair.privateKey)) as ArrayBuffer,
  )
  const raw = new Uint8Array((await crypto.subtle.exportKey('raw', pair.publicKey)) as ArrayBuffer)
  return { privateKey: btoa(String.fromCharCode(...bytes)), publicKey: toHex(raw) }
}

/** @throws {BadFeedError} it is no such key */
export async function importFeedKey(text: string): Promise<CryptoKey> {
  try {
    const bytes = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0))
    return await crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', true, ['sign'])
  } catch {
    throw new BadFeedError('cannot be signed: the key is not one that `hashgate feed key` made')
  }
}
