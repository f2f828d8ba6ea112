import * as v from 'valibot'
import { textLike } from '../../util/settings.ts'
import type {
  Account,
  Ask,
  EntryOpinion,
  Exchange,
  ExchangePage,
  ListedRecord,
  PageRecords,
  World,
} from './exchange.ts'
import { ask, checkedAnswer, nextUrl, readJsonAnswer, urlUnder } from './http.ts'
import { baseUrl, secretName, type SettingsOf } from './https/settings.ts'
import { readRecords } from './normalise.ts'

/** Settings of Meta ThreatExchange. */
export const ThreatExchangeSettingsSchema = {
  kind: v.literal('threatexchange'),
  base: baseUrl('Graph API.', 'https://graph.facebook.com/v21.0'),
  group: textLike(/^\d+$/, 'must be digits', 'Id of the privacy group.'),
  types: v.optional(
    v.pipe(v.array(v.string()), v.minLength(1), v.description('Kinds of indicators.')),
    () => ['HASH_PDQ', 'HASH_MD5'],
  ),
  secret: secretName('Name of the secret: the token, `app id|app secret`.', 'THREATEXCHANGE_TOKEN'),
}

export type ThreatExchangeSettings = SettingsOf<typeof ThreatExchangeSettingsSchema>

const WHAT = 'ThreatExchange'
const UNFIT = 'update: no indicator, type or time'
const FIELDS =
  'indicator,type,last_updated,should_delete,descriptors{id,reactions,owner{id},tags,status}'

const DescriptorSchema = v.looseObject({
  id: v.string(),
  owner: v.nullish(v.looseObject({ id: v.string() })),
  status: v.nullish(v.string(), ''),
  tags: v.nullish(v.looseObject({ data: v.array(v.looseObject({ text: v.string() })) })),
})
type Descriptor = v.InferOutput<typeof DescriptorSchema>

const UpdateSchema = v.looseObject({
  id: v.nullish(v.string()),
  indicator: v.string(),
  type: v.string(),
  last_updated: v.union([v.number(), v.string()]),
  should_delete: v.nullish(v.boolean(), false),
  descriptors: v.nullish(v.looseObject({ data: v.array(v.unknown()) })),
})

const AnswerSchema = v.looseObject({
  data: v.array(v.unknown()),
  paging: v.nullish(v.looseObject({ next: v.nullish(v.string()) })),
})

type Updates = v.InferOutput<typeof AnswerSchema>

const GroupSchema = v.looseObject({
  id: v.string(),
  name: v.nullish(v.string(), ''),
  threat_updates_enabled: v.nullish(v.boolean(), false),
})

const GroupsSchema = v.looseObject({ data: v.array(v.looseObject({ id: v.string() })) })

/** Meta ThreatExchange. Its addresses contain the token, so they are neither stored nor shown. */
export class ThreatExchange implements Exchange<ThreatExchangeCheckpoint> {
  /** It forgets deletions after 90 days. */
  readonly staleDays = 85
  readonly #settings: ThreatExchangeSettings
  readonly #token: string
  readonly #world: World

  constructor(settings: ThreatExchangeSettings, secret: string, world: World) {
    this.#settings = settings
    this.#token = secret
    this.#world = world
  }

  async whoAmI(): Promise<Account> {
    const url = this.#url(`/${this.#settings.group}`)
    url.searchParams.set('fields', 'id,name,threat_updates_enabled')
    const response = await ask(this.#world, { what: WHAT, url })
    const group = await checkedAnswer(GroupSchema, response, WHAT, 'is not about a privacy group')
    const { id, name, threat_updates_enabled: hasUpdates } = group
    return {
      name: name ?? '',
      can: hasUpdates ? ['read'] : [],
      details: { group: id, ...(await this.#groupsOfApp()) },
    }
  }

  /** The groups that the app is a member of, if the service says. */
  async #groupsOfApp(): Promise<{ 'member of'?: string }> {
    const [app = ''] = this.#token.split(/\||%7C/i)
    const url = this.#url(`/${app}/threat_privacy_groups_member`)
    const response = await ask(this.#world, { what: WHAT, url, accept: [400, 401, 403, 404] })
    if (!response.ok) {
      await response.body?.cancel()
      return {}
    }
    const groups = v.safeParse(GroupsSchema, await readJsonAnswer(response, WHAT))
    const names = groups.success ? groups.output.data.map(({ id }) => id) : []
    return names.length > 0 ? { 'member of': names.join(', ') } : {}
  }

  feedback({ entry, decision }: EntryOpinion): Ask | undefined {
    if (!/^\d+$/.test(entry)) return undefined
    const url = this.#url(`/${entry}`)
    url.searchParams.set('reactions', REACTIONS[decision])
    return { what: WHAT, url, method: 'POST' }
  }

  /** The checkpoint is the latest time seen: updates come in chronological order. */
  async *pages(
    from: ThreatExchangeCheckpoint | undefined,
  ): AsyncGenerator<ExchangePage<ThreatExchangeCheckpoint>, void> {
    let since = from?.since ?? 0
    let url: URL | undefined = this.#first(since)
    while (url) {
      const response = await ask(this.#world, { what: WHAT, url })
      const answer: Updates = await checkedAnswer(AnswerSchema, response, WHAT)
      const records = readRecords(answer.data, UpdateSchema, UNFIT, addUpdate)
      since = Math.max(
        since,
        ...[...records.upserts, ...records.deletes].map(({ updated }) => updated),
      )
      const next = answer.paging?.next ?? undefined
      url = next === undefined ? undefined : nextUrl(next, new URL(this.#settings.base), WHAT)
      yield { ...records, checkpoint: { since }, isComplete: url === undefined }
    }
  }

  /** Updates of the last second seen come again: there may be more of them. */
  #first(since: number): URL {
    const url = this.#url(`/${this.#settings.group}/threat_updates/`)
    url.searchParams.set('start_time', String(Math.max(0, since - 1)))
    url.searchParams.set('stop_time', String(Math.floor(this.#world.now() / 1000)))
    url.searchParams.set('limit', '100')
    url.searchParams.set('types', this.#settings.types.join(','))
    url.searchParams.set('fields', FIELDS)
    return url
  }

  #url(path: string): URL {
    const url = urlUnder(this.#settings.base, path)
    url.searchParams.set('access_token', this.#token)
    return url
  }
}

/** How far the updates have been read: seconds since 1970. */
export interface ThreatExchangeCheckpoint {
  since: number
}

/** ThreatExchange's names for opinions. */
const REACTIONS = {
  confirmed: 'HELPFUL',
  disputed: 'DISAGREE_WITH_TAGS',
  seen: 'SAW_THIS_TOO',
} as const

function addUpdate(update: v.InferOutput<typeof UpdateSchema>, records: PageRecords): void {
  const { indicator, type, last_updated: time, should_delete: isDeleted } = update
  const updated = Number(time)
  const key = `${type} ${indicator.toLowerCase()}`
  const descriptors = descriptorsOf(update.descriptors?.data ?? [])
  if (isDeleted || descriptors.length === 0) records.deletes.push({ key, updated })
  else records.upserts.push(listedIndicator(key, type, indicator, descriptors, updated))
}

/** This app may not see a descriptor without an owner. */
function descriptorsOf(items: readonly unknown[]): Descriptor[] {
  return items.flatMap((item) => {
    const parsed = v.safeParse(DescriptorSchema, item)
    return parsed.success && parsed.output.owner ? [parsed.output] : []
  })
}

function listedIndicator(
  key: string,
  type: string,
  indicator: string,
  descriptors: readonly Descriptor[],
  updated: number,
): ListedRecord {
  const tags = new Set(
    descriptors.flatMap(({ tags: all }) => all?.data.map(({ text }) => text) ?? []),
  )
  const statuses = new Set(descriptors.map(({ status }) => status ?? ''))
  return {
    key,
    id: descriptors.map(({ id }) => id).toSorted()[0] ?? '',
    hashes: [{ kind: type, value: indicator }],
    labels: { tags: [...tags].toSorted().join(' ') },
    tier: statuses.has('MALICIOUS') ? 'MALICIOUS' : ([...statuses].toSorted()[0] ?? ''),
    updated,
  }
}
