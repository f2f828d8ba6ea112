import type { EXCHANGE_KINDS } from './exchanges/catalog.ts'

/** What a person does before a source can be read. */
export interface Guide {
  title: string
  /** What to ask the provider for. */
  ask: string[]
  /** Secrets, with what each is. */
  secrets: Record<string, string>
  /** The settings, as TOML. */
  settings: string[]
}

/** Guides by kind of source. What a provider's documentation does not say, docs/exchanges.md marks. */
export const GUIDES: Record<(typeof EXCHANGE_KINDS)[number], Guide> = {
  https: {
    title: 'A file with hashes at an https address',
    ask: ['the address of the file, its columns, and how it is signed'],
    secrets: { LIST_PASSWORD: 'password or token, if the server wants one' },
    settings: [
      'kind = "https"',
      'url = "https://example.org/hashes.csv"',
      'format = "csv" # or lines, json, ndjson',
      'auth = { type = "basic", user = "...", secret = "LIST_PASSWORD" }',
    ],
  },
  ncmec: {
    title: 'NCMEC Hash Sharing v2',
    ask: [
      'access to Hash Sharing: industry or NPO, and its test environment first',
      'whether access is bound to addresses: a Worker has none of its own, the command line has',
    ],
    secrets: { NCMEC_PASSWORD: 'password of the account' },
    settings: [
      'kind = "ncmec"',
      'base = "industry-test" # then industry; or npo, or an address',
      'user = "..."',
      '# tiers = ["A1", "A2"]',
    ],
  },
  stopncii: {
    title: 'StopNCII',
    ask: [
      'both keys of the partner API: the functions key of FetchHashes, and the subscription key',
    ],
    secrets: {
      STOPNCII_FUNCTIONS_KEY: 'x-functions-key of FetchHashes',
      STOPNCII_SUBSCRIPTION_KEY: 'Ocp-Apim-Subscription-Key',
    },
    settings: ['kind = "stopncii"'],
  },
  tcap: {
    title: 'Terrorist Content Analytics Platform',
    ask: ['an account with access to the hash list, and which path and host to use'],
    secrets: { TCAP_PASSWORD: 'password of the account' },
    settings: ['kind = "tcap"', 'user = "..."'],
  },
  threatexchange: {
    title: 'Meta ThreatExchange',
    ask: ['an app that is a member of the privacy group, with threat updates switched on'],
    secrets: { THREATEXCHANGE_TOKEN: 'the token: app id|app secret' },
    settings: ['kind = "threatexchange"', 'group = "..." # id of the privacy group'],
  },
  vics: {
    title: 'Files of Project VIC or CAID',
    ask: [
      'what each category means in your country, and whether your licence allows this use',
      'the file itself: hashgate exchange import NAME FILE reads it, the desk does not',
    ],
    secrets: {},
    settings: [
      'kind = "vics"',
      'categories = { 1 = "A", 2 = "B" } # by number; others are left out',
    ],
  },
}
