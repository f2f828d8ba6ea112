import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SNAPSHOT } from '../desk/exchanges/https/feed.ts'
import { readBankEntries } from '../list/bank-entries.ts'
import {
  BadFeedError,
  changesOf,
  type Feed,
  type FeedChange,
  type FeedState,
  generateFeedKey,
  headerOf,
  importFeedKey,
  readFeed,
  writeFeed,
} from '../list/feed.ts'
import { readExistingManifest } from '../list/manifest.ts'
import { withStore, type TargetOptions } from './list-commands.ts'

/** The file whose address sources are given. */
const DELTA = 'feed.ndjson'
/** How many states the delta covers. A reader that was away longer takes the snapshot. */
const DELTA_STATES = 100
/** Source of entries added by hand: only these leave the store. */
const OWN = 'own'

/** `hashgate feed key`: makes a feed's signing key. */
export async function feedKey({ out }: { out: string }): Promise<boolean> {
  const { privateKey, publicKey } = await generateFeedKey()
  await writeFile(out, `${privateKey}\n`, { mode: 0o600, flag: 'wx' })
  console.log(publicKey)
  return true
}

export interface FeedOptions extends TargetOptions {
  key: string
  /** The key that signed the previous publication, if it differs. */
  oldKey?: string
  out: string
  days: number
}

/**
 * `hashgate feed publish`: writes your own bank as a feed, with the changes since the last time.
 */
export async function feedPublish(bank: string, options: FeedOptions): Promise<boolean> {
  const { key, out, days } = options
  const privateKey = await importFeedKey(await readFile(key, 'utf8'))
  const oldKey = options.oldKey && (await importFeedKey(await readFile(options.oldKey, 'utf8')))
  return withStore(options, async (store) => {
    const manifest = await readExistingManifest(store)
    const all = await readBankEntries(store, manifest, bank)
    const own = all.filter(({ labels }) => labels['source'] === OWN)
    await mkdir(out, { recursive: true })
    const before = await readState(out, [privateKey, ...(oldKey ? [oldKey] : [])])
    if (before && before.name !== bank)
      throw new BadFeedError(`in ${out} is of bank ${before.name}`)
    const seq = (before?.seq ?? 0) + 1
    const state = before?.state ?? new Map<string, FeedChange>()
    const changes = changesOf(state, own, seq)
    for (const change of changes) state.set(change.key, change)
    const publication = { name: bank, seq, now: Date.now(), days }
    const since = Math.max(0, seq - DELTA_STATES)
    const live = [...state.values()].filter(({ op }) => op === 'put')
    const recent = [...state.values()].filter((change) => change.seq > since)
    // Write the snapshot first: a delta must never continue from a missing one.
    await writeFeedFile(
      out,
      SNAPSHOT,
      { header: headerOf(publication, 0), changes: live },
      privateKey,
    )
    await writeFeedFile(
      out,
      DELTA,
      { header: headerOf(publication, since), changes: recent },
      privateKey,
    )
    const removed = changes.filter(({ op }) => op === 'delete').length
    console.log(
      `${bank}: state ${seq}, ${live.length} entries; ${changes.length - removed} new, ${removed} withdrawn`,
    )
    if (own.length < all.length)
      console.log(`left out ${all.length - own.length} entries that are not your own`)
    return true
  })
}

interface PublishedState {
  name: string
  seq: number
  state: FeedState
}

/** The last published state. @throws {BadFeedError} it is signed with another key, or damaged */
async function readState(
  out: string,
  privateKeys: readonly CryptoKey[],
): Promise<PublishedState | undefined> {
  if (!existsSync(join(out, DELTA))) return undefined
  const publicKeys = await Promise.all(privateKeys.map(publicPart))
  const files = [SNAPSHOT, DELTA].map(async (name) =>
    readFeed(new Uint8Array(await readFile(join(out, name))), ...publicKeys),
  )
  const feeds = await Promise.all(files)
  const state: FeedState = new Map()
  for (const { changes } of feeds) for (const change of changes) state.set(change.key, change)
  const { name } = feeds[1]?.header ?? { name: '' }
  return { name, seq: Math.max(...feeds.map(({ header }) => header.seq)), state }
}

async function publicPart(privateKey: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  const { x = '' } = await crypto.subtle.exportKey('jwk', privateKey)
  return new Uint8Array(Buffer.from(x, 'base64url'))
}

/** Writes a file atomically: readers see all of it, or the previous one. */
async function writeFeedFile(out: string, name: string, feed: Feed, key: CryptoKey): Promise<void> {
  const path = join(out, name)
  await writeFile(`${path}.new`, await writeFeed(feed, key))
  await rename(`${path}.new`, path)
}
