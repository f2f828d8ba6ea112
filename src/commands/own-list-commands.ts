import { createReadStream, existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { readBankEntries } from '../list/bank-entries.ts'
import { digestEntry } from '../list/digests.ts'
import type { Entry } from '../list/entry.ts'
import { readExistingManifest } from '../list/manifest.ts'
import { publishBank } from '../list/publish.ts'
import { entryGuard, printLowered } from './entry-guard.ts'
import type { ListStore } from '../list/store.ts'
import { parseList, type WideKind } from '../list/text.ts'
import { columnsNamed } from '../list/text/columns.ts'
import { readRecord } from '../list/text/entries.ts'
import type { ScanContext } from '../scan/context.ts'
import { needlesOf } from '../scan/scanned.ts'
import { HashgateError } from '../util/errors.ts'
import { toHex } from '../util/bytes.ts'
import { withStore, type TargetOptions } from './list-commands.ts'
import { readListFile, type ReadOptions } from './read-list.ts'
import { scanContext, scanPath } from './scan-path.ts'

/** Source of entries added by hand: only these may leave the store again. */
const OWN = 'own'
/** What the cells of a hash are, as in a list. */
const COLUMNS = columnsNamed(['hash', 'kind', 'source'])
const HEX = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/i
/**
 * Pictures of lower quality get a note when they are added: they match only very similar pictures.
 */
const LEAST_QUALITY = 50
/** Entries that `diff` names; beyond that, only a count. */
const MOST_NAMED = 20

/** `hashgate list add`: adds files and hashes to a bank and keeps its other entries. */
export async function listAdd(things: readonly string[], options: OwnOptions): Promise<boolean> {
  const wanted = await entriesFrom(things, { ...options, report: warn })
  return change(options, (entries) => {
    const has = new Set(entries.map(hashKey))
    return [...entries, ...wanted.filter((entry) => !has.has(hashKey(entry)))]
  })
}

/** Something that cannot be added, removed or exported. */
export class BadEntryError extends HashgateError {
  readonly code = 'bad-entry'
}

interface OwnOptions extends TargetOptions {
  bank: string
  kind?: WideKind
}

/** `hashgate list remove`: removes entries by id, by hash, or by a file that has the hash. */
export async function listRemove(things: readonly string[], options: OwnOptions): Promise<boolean> {
  const isHash = (thing: string) => HEX.test(thing) || existsSync(thing)
  const hashes = await entriesFrom(things.filter(isHash), { kind: 'pdq', ...options })
  const keys = new Set(hashes.map(hashKey))
  const ids = new Set(things.filter((thing) => !isHash(thing)))
  return change(options, (entries) => {
    const unknown = [...ids].filter((id) => !entries.some((entry) => entry.id === id))
    if (unknown.length > 0)
      throw new BadEntryError(
        `bank ${options.bank} has no entry with the id ${unknown.join(', ')}, and there is no such file`,
      )
    return entries.filter((entry) => !keys.has(hashKey(entry)) && !ids.has(entry.id))
  })
}

/**
 * `hashgate list diff`: shows what a push would change, by entry and never by hash. Returns whether
 * nothing differs.
 */
export async function listDiff(
  file: string,
  options: TargetOptions & ReadOptions & { bank: string },
): Promise<boolean> {
  const { entries: wanted } = await readListFile(file, options)
  return inBank(options, (entries) => {
    const old = new Map(entries.map((entry) => [digestEntry(entry), entry]))
    const next = new Map(wanted.map((entry) => [digestEntry(entry), entry]))
    const added = [...next].flatMap(([digest, entry]) => (old.has(digest) ? [] : [entry]))
    const removed = [...old].flatMap(([digest, entry]) => (next.has(digest) ? [] : [entry]))
    name('+', added)
    name('-', removed)
    const kept = old.size - removed.length
    console.log(`a push would add ${added.length}, remove ${removed.length} and keep ${kept}`)
    return added.length + removed.length === 0
  })
}

function name(sign: string, entries: readonly Entry[]): void {
  for (const { id, kind } of entries.slice(0, MOST_NAMED)) console.log(`${sign} ${id} (${kind})`)
  if (entries.length > MOST_NAMED) console.log(`${sign} … and ${entries.length - MOST_NAMED} more`)
}

/** `hashgate list export`: writes a bank made by `list add` as a hash list. */
export async function listExport(
  file: string,
  options: TargetOptions & { bank: string },
): Promise<boolean> {
  const { bank } = options
  return inBank(options, async (entries) => {
    if (entries.length === 0) throw new BadEntryError(`bank ${bank} is empty or does not exist`)
    if (entries.some(({ labels }) => labels['source'] !== OWN))
      throw new BadEntryError(
        `bank ${bank} has entries of a list that was pushed. Only banks made by \`list add\` can be exported; lists of others stay sealed`,
      )
    const rows = entries.map(({ kind, hash, id }) => [toHex(hash), kind, id, OWN].join(','))
    const text = ['hash,kind,id,source', ...rows, ''].join('\n')
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
    console.log(`wrote ${entries.length} of bank ${bank} to ${file}`)
    return true
  })
}

async function inBank<T>(
  options: TargetOptions & { bank: string },
  use: (entries: Entry[], store: ListStore) => T | Promise<T>,
): Promise<T> {
  return withStore(options, async (store) => {
    const manifest = await readExistingManifest(store)
    return await use(await readBankEntries(store, manifest, options.bank), store)
  })
}

function change(options: OwnOptions, next: (entries: Entry[]) => Entry[]): Promise<boolean> {
  const { bank } = options
  return inBank(options, async (entries, store) => {
    const { manifest, added, removed, kept, lowered } = await publishBank(store, next(entries), {
      bank,
      guard: entryGuard(),
      allowLarge: true,
    })
    console.log(
      `published version ${manifest.version}: bank ${bank} (added ${added}, removed ${removed}, kept ${kept})`,
    )
    printLowered(lowered)
    return true
  })
}

interface EntryOptions extends Pick<OwnOptions, 'kind'> {
  /** Receives notes about what an added file will match. */
  report?: (note: string) => void
}

function warn(note: string): void {
  console.error(`hashgate: ${note}`)
}

/**
 * Entries of files and hashes. A picture gives its PDQ hash and SHA-256; another file its SHA-256.
 */
async function entriesFrom(
  things: readonly string[],
  { kind, report }: EntryOptions,
): Promise<Entry[]> {
  const entries = new Map<string, Entry>()
  const context = things.every((thing) => HEX.test(thing)) ? undefined : await scanContext()
  for (const thing of things) {
    const hashes =
      !context || HEX.test(thing)
        ? [[thing, digitsKind(thing, kind)]]
        : await hashesOfFile(context, thing, report)
    for (const hash of hashes) {
      const read = readRecord(COLUMNS, [...hash, OWN], 'pdq')
      if (typeof read === 'string') throw new BadEntryError(`${thing} ${read}`)
      for (const entry of read.entries) entries.set(hashKey(entry), entry)
    }
  }
  return [...entries.values()]
}

function digitsKind(hex: string, kind: WideKind | undefined): string {
  if (hex.length !== 64) return hex.length === 32 ? 'md5' : 'sha1'
  if (kind) return kind
  throw new BadEntryError(
    'a hash of 64 digits may be PDQ or SHA-256; say which with --kind pdq or --kind sha256',
  )
}

/** The hashes of a file, each with its kind. */
async function hashesOfFile(
  context: ScanContext,
  path: string,
  report: (note: string) => void = () => {},
): Promise<string[][]> {
  const scanned = await scanPath(context, path)
  if (!scanned) throw new BadEntryError(`${path} cannot be read, so nothing was changed`)
  const sha256 = scanned.digests?.sha256
  const identity = needlesOf(scanned).find(({ probe }) => probe === 'identity')
  if (!identity && (await isHashList(path)))
    throw new BadEntryError(
      `${path} is a hash list; publish it with \`hashgate list push ${path} --bank NAME\`, which replaces that bank`,
    )
  if (!identity)
    report(`${path} is not a picture that hashgate reads, so only identical files match`)
  else if (identity.quality < LEAST_QUALITY)
    report(`${path} has a quality of ${identity.quality}, so only very similar pictures match`)
  const hashes = [
    ...(identity ? [[toHex(identity.hash), 'pdq']] : []),
    ...(sha256 ? [[toHex(sha256), 'sha256']] : []),
  ]
  if (hashes.length === 0) throw new BadEntryError(`${path} is empty, so nothing could match it`)
  return hashes
}

/** Whether every line of a file is a line of a hash list. */
async function isHashList(path: string): Promise<boolean> {
  const text = createReadStream(path) as AsyncIterable<Uint8Array>
  return parseList(text, { skipBad: false, kind: 'pdq' }).then(
    ({ entries }) => entries.length > 0,
    () => false,
  )
}

function hashKey({ kind, hash }: Entry): string {
  return `${kind} ${toHex(hash)}`
}
