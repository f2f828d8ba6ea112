import type { HashKind } from '../../../list/entry.ts'
import type { Bytes } from '../../../list/store.ts'
import { BadAnswerError } from '../errors.ts'
import type { Account, Exchange, ExchangePage, ListedRecord, World } from '../exchange.ts'
import { ask, basicAuth, readBytes } from '../http.ts'
import { noRecords, skip } from '../normalise.ts'
import { type FeedCheckpoint, FeedExchange } from './feed.ts'
import { type FileRow, sourceRows } from './rows.ts'
import { FIELDS, type HttpsSettings } from './settings.ts'
import { checkEd25519, checkMinisign, checkSha256, sha256 } from './signature.ts'
import { unpack } from './unpack.ts'

const WHAT = 'the file'
const PAGE_ROWS = 1000

/** A file with hashes at an address. The whole file is checked before any of it is read. */
export class HttpsExchange implements Exchange {
  readonly #settings: HttpsSettings
  readonly #secret: string
  readonly #world: World
  readonly #feed: FeedExchange | undefined

  constructor(settings: HttpsSettings, secret: string, world: World) {
    this.#settings = settings
    this.#secret = secret
    this.#world = world
    if (settings.format !== 'feed') return
    const read = async (url: URL) => readBytes(await this.#get(url, {}), WHAT, settings.maxBytes)
    this.#feed = new FeedExchange(settings, read, world)
  }

  async whoAmI(): Promise<Account> {
    if (this.#feed) return this.#feed.whoAmI()
    const response = await this.#get(new URL(this.#settings.url), {})
    const length = response.headers.get('content-length')
    await response.body?.cancel()
    const name = this.#settings.auth?.type === 'basic' ? this.#settings.auth.user : 'the file'
    return { name, can: ['read'], details: { ...(length !== null && { bytes: length }) } }
  }

  pages(from: object | undefined): AsyncGenerator<ExchangePage, void> {
    if (this.#feed) return this.#feed.pages(from as FeedCheckpoint | undefined)
    return this.#pages(from as HttpsCheckpoint | undefined)
  }

  async *#pages(
    from: HttpsCheckpoint | undefined,
  ): AsyncGenerator<ExchangePage<HttpsCheckpoint>, void> {
    const response = await this.#get(new URL(this.#settings.url), conditionsOf(from))
    if (from && response.status === 304) return yield unchangedPage(from)
    const file = await readBytes(response, WHAT, this.#settings.maxBytes)
    await this.#check(file)
    const state = { ...validatorsOf(response), sha256: await sha256(file) }
    const isSame = from?.sha256 === state.sha256
    if (from?.isRead && isSame) return yield unchangedPage({ ...from, ...state })
    const isResumed = from && !from.isRead && isSame
    yield* this.#read(file, {
      ...state,
      rows: isResumed ? from.rows : 0,
      isRead: false,
      state: isResumed ? from.state : (from?.state ?? 0) + 1,
    })
  }

  async *#read(
    file: Bytes,
    begin: HttpsCheckpoint,
  ): AsyncGenerator<ExchangePage<HttpsCheckpoint>, void> {
    const { maxUnpackedBytes, mode } = this.#settings
    let startsOver = mode === 'replace' && begin.rows === 0
    let isFirst = begin.rows === 0
    let page = new RowsPage()
    let rows = 0
    for await (const row of sourceRows(
      unpack(file, maxUnpackedBytes, WHAT),
      this.#settings,
      WHAT,
    )) {
      if (rows++ < begin.rows) continue
      page.add(row, this.#settings, begin.state)
      if (page.rows < PAGE_ROWS) continue
      if (isFirst) page.check()
      yield page.finish({ ...begin, rows }, startsOver)
      isFirst = startsOver = false
      page = new RowsPage()
    }
    if (isFirst) page.check()
    // If a list is really empty, a CSV header or a JSON array says so.
    const isBare = this.#settings.format === 'lines' || this.#settings.format === 'ndjson'
    if (rows === 0 && isBare) throw new BadAnswerError(WHAT, 'is empty')
    yield page.finish({ ...begin, rows, isRead: true }, startsOver)
  }

  async #check(file: Bytes): Promise<void> {
    const { signature } = this.#settings
    if (!signature || signature.type === 'feed') return
    const response = await this.#get(new URL(signature.url), {})
    const detached = await readBytes(response, 'the signature', 1 << 20)
    const text = new TextDecoder().decode(detached)
    if (signature.type === 'sha256') return checkSha256(file, text, WHAT)
    if (signature.type === 'minisign') return checkMinisign(file, text, signature.publicKey, WHAT)
    return checkEd25519(file, detached, signature.publicKey, WHAT)
  }

  #get(url: URL, headers: Record<string, string>): Promise<Response> {
    return ask(this.#world, {
      what: WHAT,
      url,
      headers: { ...headers, ...this.#credentialsFor(url) },
      accept: [304],
    })
  }

  /** Credentials only go to the file's server, even if its signature is elsewhere. */
  #credentialsFor({ origin }: URL): Record<string, string> {
    const { auth, url } = this.#settings
    if (!auth || origin !== new URL(url).origin) return {}
    switch (auth.type) {
      case 'bearer':
        return { authorization: `Bearer ${this.#secret}` }
      case 'basic':
        return { authorization: basicAuth(auth.user, this.#secret) }
      case 'header':
        return { [auth.header]: this.#secret }
      case 'mtls': // the connection identifies the caller
        return {}
    }
  }
}

/** How far a file has been read. */
export interface HttpsCheckpoint {
  /** The server's name for this state of the file. */
  etag?: string
  lastModified?: string
  /** Of the file as sent. */
  sha256: string
  /** Number of rows applied; all of them once the file is read to its end. */
  rows: number
  isRead: boolean
  /** Counts the states of the file, which orders the states of a record, whatever a clock says. */
  state: number
}

/**
 * A file that was not read to its end must be sent again, even if the server says that it is
 * unchanged.
 */
function conditionsOf(from: HttpsCheckpoint | undefined): Record<string, string> {
  if (!from?.isRead) return {}
  return {
    ...(from.etag !== undefined && { 'if-none-match': from.etag }),
    ...(from.lastModified !== undefined && { 'if-modified-since': from.lastModified }),
  }
}

function validatorsOf({ headers }: Response): Pick<HttpsCheckpoint, 'etag' | 'lastModified'> {
  const etag = headers.get('etag')
  const lastModified = headers.get('last-modified')
  return { ...(etag !== null && { etag }), ...(lastModified !== null && { lastModified }) }
}

function unchangedPage(checkpoint: HttpsCheckpoint): ExchangePage<HttpsCheckpoint> {
  return { upserts: [], deletes: [], checkpoint, isComplete: true }
}

/** Collects rows for a page. */
class RowsPage {
  rows = 0
  readonly #records = noRecords()

  add(row: FileRow, settings: HttpsSettings, state: number): void {
    const { upserts, deletes, skipped } = this.#records
    this.rows++
    if ('problem' in row) return skip(skipped, row.problem)
    const record = recordOfRow(row, settings, state)
    if ('problem' in record) return skip(skipped, record.problem)
    if (record.isDeleted) deletes.push({ key: record.key, updated: state })
    else upserts.push(record.record)
  }

  /**
   * If nothing on the first page is readable, the file is not a list: it may be the server's
   * maintenance page, say.
   * @throws {BadAnswerError}
   */
  check(): void {
    const { upserts, deletes, skipped } = this.#records
    const isUseless = this.rows > 0 && upserts.length + deletes.length === 0
    if (!isUseless) return
    const reasons = Object.keys(skipped).join(', ')
    throw new BadAnswerError(WHAT, `has no usable row (${reasons})`)
  }

  finish(checkpoint: HttpsCheckpoint, startsOver: boolean): ExchangePage<HttpsCheckpoint> {
    return { ...this.#records, checkpoint, isComplete: checkpoint.isRead, startsOver }
  }
}

type RowResult =
  | { isDeleted: true; key: string }
  | { isDeleted: false; key: string; record: ListedRecord }
  | { problem: string }

const KIND_OF_LENGTH = new Map<number, HashKind>([
  [32, 'md5'],
  [40, 'sha1'],
  [64, 'pdq'],
])

/** The record of a row. Its key is the row's id, or its hash if it has none. */
function recordOfRow(
  { fields, values }: Extract<FileRow, { values: unknown }>,
  { fields: places, hashKind }: HttpsSettings,
  state: number,
): RowResult {
  const get = (name: (typeof FIELDS)[number]) => fields(places[name] ?? name)?.trim() ?? ''
  const hashes = (['pdq', 'md5', 'sha1', 'sha256'] as const)
    .map((kind) => ({ kind: kind as string, value: get(kind) }))
    .filter(({ value }) => value !== '')
  const hash = get('hash')
  const kind = get('kind').toLowerCase() || hashKind || KIND_OF_LENGTH.get(hash.length)
  if (hash !== '' && kind === undefined) return { problem: 'hash: its length fits no kind' }
  if (hash !== '' && kind !== undefined) hashes.push({ kind, value: hash })
  const id = get('id')
  const isHex = hashes.some(({ value }) => /^[0-9a-f]{32,}$/i.test(value))
  if (id === '' && !isHex) return { problem: 'row: has neither an id nor a hash' }
  const key = id || hashes.map((one) => `${one.kind} ${one.value.toLowerCase()}`).join(' ')
  if (/^(1|true|yes|deleted|withdrawn)$/i.test(get('deleted'))) return { isDeleted: true, key }
  if (hashes.length === 0) return { problem: 'row: no hash' }
  const labels = labelsOf(fields, values, places)
  const record: ListedRecord = {
    key,
    ...(id !== '' && { id }),
    hashes,
    labels,
    tier: get('tier'),
    updated: state,
  }
  return { isDeleted: false, key, record }
}

/** The named labels, or else all columns without another use. */
function labelsOf(
  fields: (place: string) => string | undefined,
  values: ReadonlyMap<string, string>,
  places: HttpsSettings['fields'],
): Record<string, string> {
  const { labels, ...others } = places
  if (labels) {
    return Object.fromEntries(
      Object.entries(labels).map(([name, place]) => [name, fields(place) ?? '']),
    )
  }
  const used = new Set(FIELDS.map((name) => others[name] ?? name))
  return Object.fromEntries([...values].filter(([name]) => !used.has(name)))
}
