import type { ExchangeKind } from './exchanges/catalog.ts'

/** What a person must do before a source can be read. */
export interface Guide {
  title: string
  ask: string[]
  /** What each secret is, by the setting that names it. */
  secrets: Record<string, string>
  questions: readonly SettingQuestion[]
  /** What the gate should do with its matches at first. */
  action: 'block' | 'flag'
}

/** A setting as a question. Typing nothing leaves it out. */
export interface SettingQuestion {
  /** Its path within the source, with dots. */
  name: string
  text: string
  fallback?: string
  /** Whether the known answers make the question unnecessary. */
  isNeedless?: (given: Readonly<Record<string, unknown>>) => boolean
}

/**
 * Guides by kind of source. docs/exchanges.md marks what a provider's documentation does not say.
 */
export const GUIDES: Record<ExchangeKind, Guide> = {
  https: {
    title: 'A file with hashes at an https address, or in an R2 bucket',
    ask: [
      'the address of the file, its format and columns, and how often it changes',
      'how it is signed: a minisign or Ed25519 key, or a file with its SHA-256',
      'how you authenticate: a password, a token, or a client certificate',
    ],
    secrets: { 'auth.secret': 'password or token of the server' },
    questions: [
      { name: 'url', text: 'Address of the file (https://, or r2://BINDING/KEY)' },
      { name: 'format', text: 'Format (lines, csv, json, ndjson, feed)', fallback: 'csv' },
      {
        name: 'fields.hash',
        text: 'Column or JSON pointer of the hash (empty: hash, pdq, md5, sha1, sha256)',
        isNeedless: ({ format }) => format !== 'csv' && format !== 'json' && format !== 'ndjson',
      },
      { name: 'auth.type', text: 'Authentication (basic, bearer, header, mtls; empty: none)' },
      { name: 'auth.user', text: 'User name', isNeedless: (given) => !isAuth(given, 'basic') },
      {
        name: 'auth.header',
        text: 'Name of the header',
        isNeedless: (given) => !isAuth(given, 'header'),
      },
      {
        name: 'auth.secret',
        text: 'Name of the secret',
        fallback: 'LIST_PASSWORD',
        isNeedless: (given) => !isAuth(given, 'basic', 'bearer', 'header'),
      },
      {
        name: 'auth.binding',
        text: 'Binding of the client certificate (mtls_certificates)',
        isNeedless: (given) => !isAuth(given, 'mtls'),
      },
      {
        name: 'signature.type',
        text: 'Signature (minisign, ed25519, sha256, feed; empty: none)',
      },
      {
        name: 'signature.url',
        text: 'Address of the signature',
        isNeedless: (given) => ['', 'feed'].includes(shownValue(given['signature.type'])),
      },
      {
        name: 'signature.publicKey',
        text: 'Public key of the signature',
        isNeedless: (given) => ['', 'sha256'].includes(shownValue(given['signature.type'])),
      },
      {
        name: 'mode',
        text: 'Whether the file is the whole list (replace) or adds to it (append)',
        fallback: 'replace',
      },
    ],
    action: 'flag',
  },
  ncmec: {
    title: 'NCMEC Hash Sharing v2',
    ask: [
      'access to Hash Sharing: industry or NPO, and its test environment first',
      'whether access is bound to addresses: a Worker has none of its own, the command line has',
    ],
    secrets: { secret: 'password of the account' },
    questions: [
      {
        name: 'base',
        text: 'Service (industry, npo, law-enforcement, …; each with -test; or an address)',
        fallback: 'industry-test',
      },
      { name: 'user', text: 'User name that NCMEC gave you' },
      { name: 'secret', text: 'Name of the secret for its password', fallback: 'NCMEC_PASSWORD' },
      { name: 'tiers', text: 'Classifications to import, such as A1, A2 (empty: all)' },
      { name: 'memberIds', text: 'Ids of members whose entries are imported (empty: all)' },
      {
        name: 'minFeedback',
        text: 'Least number of members that confirm an entry, minus those that contradict it (empty: any)',
      },
    ],
    action: 'block',
  },
  stopncii: {
    title: 'StopNCII',
    ask: [
      'both keys of the partner API: the functions key of FetchHashes, and the subscription key',
      'the functions key of SubmitFeedback, if you want to send opinions',
    ],
    secrets: {
      functionsSecret: 'x-functions-key of FetchHashes',
      secret: 'Ocp-Apim-Subscription-Key',
      feedbackSecret: 'x-functions-key of SubmitFeedback',
    },
    questions: [
      {
        name: 'functionsSecret',
        text: 'Name of the secret for the functions key of FetchHashes',
        fallback: 'STOPNCII_FUNCTIONS_KEY',
      },
      {
        name: 'secret',
        text: 'Name of the secret for the subscription key',
        fallback: 'STOPNCII_SUBSCRIPTION_KEY',
      },
      {
        name: 'feedbackSecret',
        text: 'Name of the secret for the functions key of SubmitFeedback (empty: none)',
      },
      { name: 'regions', text: 'Regions whose hashes are imported, such as UK (empty: all)' },
    ],
    action: 'flag',
  },
  tcap: {
    title: 'Terrorist Content Analytics Platform',
    ask: ['an account with access to the hash list, and which path and host to use'],
    secrets: { secret: 'password of the account' },
    questions: [
      { name: 'user', text: 'User name that TCAP gave you' },
      { name: 'secret', text: 'Name of the secret for its password', fallback: 'TCAP_PASSWORD' },
      { name: 'ideology', text: 'Hashes (all, islamist, far-right)', fallback: 'all' },
    ],
    action: 'block',
  },
  threatexchange: {
    title: 'Meta ThreatExchange',
    ask: ['an app that is a member of the privacy group, with threat updates switched on'],
    secrets: { secret: 'the token: app id|app secret' },
    questions: [
      { name: 'group', text: 'Id of the privacy group' },
      {
        name: 'secret',
        text: 'Name of the secret for the token',
        fallback: 'THREATEXCHANGE_TOKEN',
      },
      { name: 'types', text: 'Kinds of indicators', fallback: 'HASH_PDQ, HASH_MD5' },
    ],
    action: 'flag',
  },
  vics: {
    title: 'Files of Project VIC or CAID',
    ask: [
      'what each category means in your country, and whether your licence allows this use',
      'the file itself: hashgate exchange import NAME FILE reads it, the desk does not',
    ],
    secrets: {},
    questions: [
      {
        name: 'categories',
        text: 'Names of the categories by number, such as 1=A, 2=B (others are left out)',
      },
      {
        name: 'mode',
        text: 'Whether a file is the whole list (replace) or adds to it (append)',
        fallback: 'replace',
      },
    ],
    action: 'block',
  },
}

function isAuth(given: Readonly<Record<string, unknown>>, ...types: string[]): boolean {
  return types.includes(shownValue(given['auth.type']))
}

function shownValue(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
