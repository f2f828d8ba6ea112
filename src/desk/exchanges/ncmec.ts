import * as v from 'valibot'
import type { TNode } from 'txml/txml'
import { optional, wholeNumber } from '../../util/settings.ts'
import { BadAnswerError } from './errors.ts'
import type {
  Account,
  Ask,
  EntryOpinion,
  Exchange,
  ExchangePage,
  ListedRecord,
  PageRecords,
  Skipped,
  World,
} from './exchange.ts'
import { ask, basicAuth, nextUrl, readTextAnswer } from './http.ts'
import { isSafeUrl, secretName, type SettingsOf } from './https/settings.ts'
import { noRecords, skip } from './normalise.ts'
import { attributesOf, childNamed, childrenOf, parseXml, textOf } from './xml.ts'

/** Names of NCMEC's services. Any other address can be set. */
const NCMEC_BASES = {
  industry: 'https://report.cybertip.org/hashsharing',
  'industry-exploitative': 'https://report.cybertip.org/exploitative-hashsharing',
  'industry-test': 'https://exttest.cybertip.org/hashsharing',
  'industry-exploitative-test': 'https://exttest.cybertip.org/exploitative-hashsharing',
  npo: 'https://hashsharing.ncmec.org/npo',
  'npo-exploitative': 'https://hashsharing.ncmec.org/exploitative',
  'npo-test': 'https://hashsharing-test.ncmec.org/npo',
  'npo-exploitative-test': 'https://hashsharing-test.ncmec.org/exploitative',
  'npo-generative-ai': 'https://hashsharing.ncmec.org/generative-ai-csam',
  'npo-generative-ai-exploitative': 'https://hashsharing.ncmec.org/generative-ai-exploitative',
  'npo-generative-ai-test': 'https://hashsharing-test.ncmec.org/generative-ai-csam',
  'npo-generative-ai-exploitative-test':
    'https://hashsharing-test.ncmec.org/generative-ai-exploitative',
  'law-enforcement': 'https://lesp.ncmec.org/csam-hashsharing',
  'law-enforcement-test': 'https://betalesp.ncmec.org/csam-hashsharing',
} as const

/** Settings of NCMEC Hash Sharing v2. */
export const NcmecSettingsSchema = {
  kind: v.literal('ncmec'),
  base: v.pipe(
    v.string(),
    v.check(
      (text) => Object.hasOwn(NCMEC_BASES, text) || isSafeUrl(text),
      `must be one of ${Object.keys(NCMEC_BASES).join(', ')}, or an https address`,
    ),
    v.description('Which of its services: a name, or an address.'),
  ),
  user: v.pipe(v.string(), v.minLength(1), v.description('User name that NCMEC gave you.')),
  secret: secretName('Name of the secret.', 'NCMEC_PASSWORD'),
  memberIds: optional(v.array(v.string()), 'Members whose entries are imported; all by default.'),
  tiers: optional(v.array(v.string()), 'Classifications to import, such as A1; all by default.'),
  maxWindowEntries: v.optional(
    wholeNumber(
      1000,
      10_000_000,
      'Entries of a window of time above which a narrower one is asked for.',
    ),
    80_000,
  ),
  minFeedback: v.exactOptional(
    v.pipe(
      v.number(),
      v.integer(),
      v.description(
        'Least number of members that confirm an entry, minus those that contradict it.',
      ),
    ),
  ),
}

export type NcmecSettings = SettingsOf<typeof NcmecSettingsSchema>

const WHAT = 'NCMEC'
/** Namespace of its documents, also for feedback. */
const NAMESPACE = 'https://hashsharing.ncmec.org/hashsharing/v2'
/**
 * Seconds that a window's end stays behind the clock: entries of the last seconds may still arrive.
 */
const LAG_SECONDS = 5
/** Milliseconds for which a cursor is used. NCMEC's last about 12 hours. */
const CURSOR_MS = 10 * 3_600_000
/** If a window has fewer entries than this, the next is wider. */
const FEW_ENTRIES = 1000
const LEAST_WIDTH = 600
/** Statuses of a call that the account may not make, or that the service does not have. */
const REFUSED = [401, 403, 404]
/**
 * Seconds of the last run that a run reads again, since the two clocks may differ. Known entries
 * cost no write.
 */
const OVERLAP_SECONDS = 600

/** NCMEC Hash Sharing v2. */
export class NcmecExchange implements Exchange<NcmecCheckpoint> {
  readonly #settings: NcmecSettings
  readonly #base: URL
  readonly #authorization: string
  readonly #world: World

  constructor(settings: NcmecSettings, secret: string, world: World) {
    this.#settings = settings
    const named = NCMEC_BASES[settings.base as keyof typeof NCMEC_BASES]
    this.#base = new URL(named ?? settings.base)
    this.#authorization = basicAuth(settings.user, secret)
    this.#world = world
  }

  async whoAmI(): Promise<Account> {
    const status = await this.#get(this.#url('/v2/status'), 'status')
    const member = childNamed(status, 'member')
    const address = textOf(childNamed(status, 'ipAddress'))
    const reasons = await this.#reasons()
    return {
      name: textOf(childNamed(status, 'username')),
      can: [...((await this.#mayRead()) ? ['read'] : []), ...(reasons ? ['feedback'] : [])],
      details: {
        ...(member && { member: `${textOf(member)} (${attributesOf(member)['id'] ?? ''})` }),
        ...(address && { address }),
        ...(reasons?.length && { 'reasons of a dispute': reasons.join(', ') }),
      },
    }
  }

  /** Whether the account may read entries. An account that may not still has a status. */
  async #mayRead(): Promise<boolean> {
    const now = Math.floor(this.#world.now() / 1000)
    const window = `from=${utcSeconds(now - LEAST_WIDTH)}&to=${utcSeconds(now - LAG_SECONDS)}`
    const response = await this.#ask(this.#url(`/v2/entries?${window}`), REFUSED)
    await response.body?.cancel()
    return response.ok
  }

  /** NCMEC's reasons for a dispute, by name; `undefined` if the account may not give feedback. */
  async #reasons(): Promise<string[] | undefined> {
    const response = await this.#ask(this.#url('/v2/feedback/MD5/reasons'), REFUSED)
    if (!response.ok) {
      await response.body?.cancel()
      return undefined
    }
    const root = parseXml(await readTextAnswer(response, WHAT), 'availableFeedbackReasons', WHAT)
    return childrenOf(root).map((reason) => {
      const { guid = '', name = '' } = attributesOf(reason)
      return `${guid} (${name})`
    })
  }

  feedback({ entry, decision, kind, reason }: EntryOpinion): Ask | undefined {
    const [, memberId, id] = /^([^-]+)-(.+)$/.exec(entry) ?? []
    if (decision === 'seen' || memberId === undefined || id === undefined) return undefined
    if (decision === 'disputed' && reason === undefined) return undefined
    const reasons = `<reasonIds><guid>${escapeXml(reason ?? '')}</guid></reasonIds>`
    const said = decision === 'confirmed' ? '<affirmative/>' : `<negative>${reasons}</negative>`
    const parts = [memberId, id, kind.toUpperCase()].map(encodeURIComponent)
    return {
      what: WHAT,
      url: this.#url(`/v2/entries/${parts.join('/')}/feedback`),
      method: 'PUT',
      headers: {
        authorization: this.#authorization,
        'content-type': 'application/xml; charset=utf-8',
      },
      body: `<feedbackSubmission xmlns="${NAMESPACE}">${said}</feedbackSubmission>`,
    }
  }

  async *pages(
    from: NcmecCheckpoint | undefined,
  ): AsyncGenerator<ExchangePage<NcmecCheckpoint>, void> {
    const now = Math.floor(this.#world.now() / 1000)
    let at: NcmecCheckpoint = from ?? { from: 0, width: Math.max(now, 1) }
    if (at.window && this.#world.now() - at.window.at > CURSOR_MS) at = withoutWindow(at)
    const end = now - LAG_SECONDS
    // If the clock went back, there is nothing new to read.
    if (!at.window && at.from >= end) return yield nothing(at)
    while (at.window || at.from < end) {
      const page = await this.#page(at, end)
      yield page
      if (page.isComplete) return
      at = page.checkpoint
    }
  }

  /** The next page of the current window, or the first of the next window. */
  async #page(at: NcmecCheckpoint, end: number): Promise<ExchangePage<NcmecCheckpoint>> {
    const to = at.window?.to ?? Math.min(end, at.from + at.width)
    const url = at.window
      ? nextUrl(this.#pathOf(at.window.next), this.#base, WHAT)
      : this.#url(`/v2/entries?from=${utcSeconds(at.from)}&to=${utcSeconds(to)}`)
    const read = await this.#entries(url, at)
    if (!read) return { ...nothing(withoutWindow(at)), isComplete: false }
    const { result, total } = read
    const isAll = at.window !== undefined || to >= end
    const expected = isAll && { expected: at.window?.total ?? total }
    const records = { ...this.#recordsOf(result), ...expected }
    const next = textOf(childNamed(childNamed(result, 'paging'), 'next'))
    // A window this large is abandoned at once: its cursors would have to last for hours.
    const { maxWindowEntries } = this.#settings
    const isTooWide = !at.window && total > maxWindowEntries && at.width > LEAST_WIDTH
    if (next !== '' && isTooWide) {
      const width = Math.max(LEAST_WIDTH, Math.floor((to - at.from) / 4))
      return { ...records, checkpoint: { from: at.from, width }, isComplete: false }
    }
    if (next !== '') {
      const window = { to, next, at: this.#world.now(), total }
      return { ...records, checkpoint: { ...at, window }, isComplete: false }
    }
    const all = at.window?.total ?? total
    const width =
      all > maxWindowEntries / 4 ? at.width / 4 : all < FEW_ENTRIES ? at.width * 2 : at.width
    const isComplete = to >= end
    const checkpoint = {
      from: isComplete ? Math.max(0, to - OVERLAP_SECONDS) : to,
      width: Math.max(LEAST_WIDTH, Math.floor(width)),
    }
    return { ...records, checkpoint, isComplete }
  }

  /** A page of entries; `undefined` if its cursor has expired. */
  async #entries(
    url: URL,
    at: NcmecCheckpoint,
  ): Promise<{ result: TNode; total: number } | undefined> {
    const response = await this.#ask(url, at.window ? [400, 404, 410] : [])
    if (!response.ok) {
      await response.body?.cancel()
      return undefined
    }
    const result = parseXml(await readTextAnswer(response, WHAT), 'queryResult', WHAT)
    const next = textOf(childNamed(childNamed(result, 'paging'), 'next'))
    const said = Number(URL.parse(next, 'https://any.invalid')?.searchParams.get('max') ?? 0)
    return { result, total: said || entryBlocks(result).length }
  }

  #recordsOf(result: TNode): PageRecords {
    const records = noRecords()
    const { upserts, deletes, skipped } = records
    for (const entry of entryBlocks(result)) {
      const member = childNamed(entry, 'member')
      const memberId = attributesOf(member)['id'] ?? ''
      const id = textOf(childNamed(entry, 'id'))
      const updated = Date.parse(textOf(childNamed(entry, 'timestamp')))
      if (memberId === '' || id === '') {
        skip(skipped, 'entry: no member or id')
        continue
      }
      const key = `${memberId}-${id}`
      const isDeleted = entry.tagName.startsWith('deleted')
      if (isDeleted) deletes.push({ key, updated })
      else if (this.#isTaken(entry, memberId))
        upserts.push(recordOfEntry(entry, key, updated, skipped))
      else {
        // An earlier state may have been imported.
        deletes.push({ key, updated })
        skip(skipped, 'entry: filtered out')
      }
    }
    return records
  }

  #isTaken(entry: TNode, memberId: string): boolean {
    const { memberIds, tiers, minFeedback } = this.#settings
    if (memberIds && !memberIds.includes(memberId)) return false
    if (tiers && !tiers.includes(textOf(childNamed(entry, 'classification')))) return false
    return minFeedback === undefined || feedbackCount(entry) >= minFeedback
  }

  async #get(url: URL, root: string): Promise<TNode> {
    return parseXml(await readTextAnswer(await this.#ask(url, []), WHAT), root, WHAT)
  }

  #ask(url: URL, accept: readonly number[]): Promise<Response> {
    const headers = { authorization: this.#authorization, accept: 'application/xml' }
    return ask(this.#world, { what: WHAT, url, headers, accept })
  }

  #url(path: string): URL {
    return new URL(this.#pathOf(path), this.#base)
  }

  /** The service's paths are relative to its base: `/v2/entries?…` lies under `/hashsharing`. */
  #pathOf(path: string): string {
    if (!path.startsWith('/')) return path
    const base = this.#base.pathname.replace(/\/$/, '')
    return path.startsWith(`${base}/`) && base !== '' ? path : base + path
  }
}

/**
 * How far the entries have been read. A window's entries come in any order, so `from` moves only at
 * its end.
 */
export interface NcmecCheckpoint {
  /** Beginning of the window, in seconds since 1970. */
  from: number
  /** Width of the next window, in seconds. */
  width: number
  /** The window being read, and its next page. */
  window?: { to: number; next: string; at: number; total: number }
}

const BLOCKS = ['images', 'videos']
const ENTRIES = new Set(['image', 'video', 'deletedImage', 'deletedVideo'])

/**
 * The entries of a page.
 * @throws {BadAnswerError} there are fewer than the page claims
 */
function entryBlocks(result: TNode): TNode[] {
  return BLOCKS.flatMap((name) => {
    const block = childNamed(result, name)
    if (!block) return []
    const entries = childrenOf(block).filter(({ tagName }) => ENTRIES.has(tagName))
    const count = Number(attributesOf(block)['count'] ?? entries.length)
    if (count !== entries.length) {
      throw new BadAnswerError(WHAT, `claims ${count} ${name}, but has ${entries.length}`)
    }
    return entries
  })
}

function recordOfEntry(entry: TNode, key: string, updated: number, skipped: Skipped): ListedRecord {
  const fingerprints = childrenOf(childNamed(entry, 'fingerprints'))
  for (const { tagName, attributes } of fingerprints) {
    // A link to a fingerprint of about 250 kB, which is not matched.
    if (Object(attributes).href !== undefined) skip(skipped, `${tagName}: large fingerprint`)
  }
  return {
    key,
    id: key,
    hashes: fingerprints.map((node) => ({ kind: node.tagName, value: textOf(node) })),
    labels: { member: textOf(childNamed(entry, 'member')), media: entry.tagName },
    tier: textOf(childNamed(entry, 'classification')),
    updated,
  }
}

/** Members that confirm an entry, minus those that contradict it. A member counts once. */
function feedbackCount(entry: TNode): number {
  const membersIn = (name: string) => {
    const ids = new Set<string>()
    const walk = (node: TNode) => {
      if (node.tagName === 'member') ids.add(attributesOf(node)['id'] ?? '')
      childrenOf(node).forEach(walk)
    }
    for (const node of childrenOf(childNamed(entry, 'feedback'))) {
      if (node.tagName === name) walk(node)
    }
    return ids.size
  }
  return membersIn('affirmativeFeedback') - membersIn('negativeFeedback')
}

/** Seconds as ISO 8601 in UTC, without fractions. */
function utcSeconds(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}

function withoutWindow({ from, width }: NcmecCheckpoint): NcmecCheckpoint {
  return { from, width }
}

function nothing(checkpoint: NcmecCheckpoint): ExchangePage<NcmecCheckpoint> {
  return { upserts: [], deletes: [], checkpoint, isComplete: true }
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
