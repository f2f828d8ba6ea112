import { type Feed, type FeedChange, isUsable, readFeed } from '../../../list/feed.ts'
import { parseHex } from '../../../util/bytes.ts'
import { BadAnswerError } from '../errors.ts'
import type { Account, Exchange, ExchangePage, PageRecords, World } from '../exchange.ts'
import { noRecords, skip } from '../normalise.ts'
import type { HttpsSettings } from './settings.ts'

/** Number of changes on a page. */
const PAGE_CHANGES = 1000

/** Names of a feed's files, which lie side by side. */
export const SNAPSHOT = 'snapshot.ndjson'

const WHAT = 'the feed'

/**
 * The feed of another gate: what changed, or everything if the changes do not reach back far
 * enough.
 */
export class FeedExchange implements Exchange<FeedCheckpoint> {
  readonly #settings: HttpsSettings
  readonly #read: (url: URL) => Promise<Uint8Array<ArrayBuffer>>
  readonly #world: World

  /** @param read fetches the file at an address, with the source's credentials */
  constructor(
    settings: HttpsSettings,
    read: (url: URL) => Promise<Uint8Array<ArrayBuffer>>,
    world: World,
  ) {
    this.#settings = settings
    this.#read = read
    this.#world = world
  }

  async whoAmI(): Promise<Account> {
    const { name, seq, published } = (await this.#open(new URL(this.#settings.url))).header
    return { name, can: ['read'], details: { seq: String(seq), published } }
  }

  async *pages(
    from: FeedCheckpoint | undefined,
  ): AsyncGenerator<ExchangePage<FeedCheckpoint>, void> {
    const url = new URL(this.#settings.url)
    const delta = await this.#open(url)
    const { name, seq, since } = delta.header
    if (from && from.name !== name) throw new BadAnswerError(WHAT, 'has changed its name')
    if (from && seq < from.seq)
      throw new BadAnswerError(WHAT, 'is older than one that was already read')
    const isEnough = from !== undefined && from.seq >= since
    const known = isEnough ? from.seq : 0
    const base = isEnough ? [] : await this.#snapshot(new URL(SNAPSHOT, url), delta)
    const changes = [...base, ...delta.changes.filter((change) => change.seq > known)]
    const done = from?.part?.to === seq ? from.part.done : 0
    yield* inPages(changes, { name, seq: known, part: { to: seq, done } }, !isEnough)
  }

  /** All live entries, as of the state where the delta continues. */
  async #snapshot(url: URL, { header }: Feed): Promise<FeedChange[]> {
    const snapshot = await this.#open(url)
    const { name, seq, since } = snapshot.header
    const fits = name === header.name && since === 0 && seq >= header.since && seq <= header.seq
    if (!fits) throw new BadAnswerError(WHAT, 'has a snapshot that does not match it')
    return snapshot.changes
  }

  /** @throws {BadAnswerError | BadFeedError} */
  async #open(url: URL): Promise<Feed> {
    const { signature } = this.#settings
    const texts = signature?.type === 'feed' ? [signature.publicKey].flat() : []
    const keys = texts.flatMap((text) => parseHex(text, 32) ?? [])
    if (keys.length === 0)
      throw new BadAnswerError(WHAT, 'has no public key: signature.publicKey, 64 hex digits')
    const feed = await readFeed(await this.#read(url), ...keys)
    if (Date.parse(feed.header.expires) < this.#world.now())
      throw new BadAnswerError(WHAT, 'has expired: its publisher must publish it again')
    return feed
  }
}

/** How far a feed has been read. */
export interface FeedCheckpoint {
  name: string
  /** The last state that is completely applied; 0 before the first. */
  seq: number
  /** A state being applied: its number, and how many of its changes are done. */
  part?: { to: number; done: number }
}

/** Only the last page moves to the new state. */
function* inPages(
  changes: readonly FeedChange[],
  { name, seq, part: { to, done } }: Required<FeedCheckpoint>,
  startsOver: boolean,
): Generator<ExchangePage<FeedCheckpoint>, void> {
  for (let at = done; ;) {
    const some = changes.slice(at, at + PAGE_CHANGES)
    const isFirst = at === 0
    at += some.length
    const isComplete = at >= changes.length
    const checkpoint = isComplete ? { name, seq: to } : { name, seq, part: { to, done: at } }
    const expected = changes.length - done
    const starts = startsOver && isFirst && { startsOver }
    yield { ...pageOf(some), checkpoint, isComplete, expected, ...starts }
    if (isComplete) return
  }
}

function pageOf(changes: readonly FeedChange[]): PageRecords {
  const records = noRecords()
  const { upserts, deletes, skipped } = records
  for (const change of changes) {
    const { op, key, seq, id, kind = '', hash: value = '', labels } = change
    if (op === 'delete') deletes.push({ key, updated: seq })
    else if (!isUsable(change)) skip(skipped, 'hash: unknown kind')
    else upserts.push({ key, ...(id && { id }), hashes: [{ kind, value }], labels, updated: seq })
  }
  return records
}
