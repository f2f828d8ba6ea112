import * as v from 'valibot'
import {
  choice,
  described,
  group,
  MIB,
  oneOf,
  textLike,
  wholeNumber,
} from '../../../util/settings.ts'

/** Parts of a record, and where a file has them. */
export const FIELDS = [
  'hash',
  'kind',
  'pdq',
  'md5',
  'sha1',
  'sha256',
  'id',
  'tier',
  'deleted',
] as const

const Place = v.pipe(v.string('must be a column, or a JSON pointer such as /hash'), v.minLength(1))

const fields = Object.fromEntries(FIELDS.map((name) => [name, v.exactOptional(Place)])) as Record<
  (typeof FIELDS)[number],
  ReturnType<typeof v.exactOptional<typeof Place>>
>

/** Of files in R2: `r2://BINDING/KEY`. */
export const BUCKET_PROTOCOL = 'r2:'

const URL_WORDS = 'must be an https address of a public host, or r2://BINDING/KEY'
const Url = v.pipe(
  v.string(URL_WORDS),
  v.check((text) => isSafeUrl(text) || isBucketUrl(text), URL_WORDS),
)

function isBucketUrl(text: string): boolean {
  return /^r2:\/\/[A-Z][A-Z0-9_]*\/[^?#]+$/.test(text)
}

const Secret = textLike(
  /^[A-Z][A-Z0-9_]{0,63}$/,
  'must be the name of a secret, such as IWF_PASSWORD',
  'Name of the secret.',
)

/** Several while the publisher of a feed changes its key. */
const FEED_KEY_WORDS = 'must be 64 hex digits, or a list of such'
const FeedKey = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/i))

/** A file with hashes at an address. */
export const HttpsSettingsSchema = {
  kind: v.literal('https'),
  url: described(Url, 'Where the file is.'),
  format: choice(
    ['lines', 'csv', 'json', 'ndjson', 'feed'],
    'Format of the file. `feed` is that of another hashgate.',
  ),
  fields: v.optional(
    described(
      group({ ...fields, labels: v.exactOptional(v.record(v.string(), Place)) }),
      'Columns of a CSV file, or JSON pointers, for the parts of a record. By default a part has its own name.',
    ),
    () => ({}),
  ),
  records: v.optional(
    described(v.string(), 'JSON pointer of the array of records, in a JSON file.'),
    '',
  ),
  hashKind: v.exactOptional(
    choice(['pdq', 'md5', 'sha1', 'sha256'], 'Kind of hashes, if the file does not say.'),
  ),
  mode: v.optional(
    choice(
      ['replace', 'append'],
      'Whether the file is the whole list, so that entries missing from it are removed.',
    ),
    'replace',
  ),
  auth: v.exactOptional(
    v.variant('type', [
      group({ type: v.literal('bearer'), secret: Secret }),
      group({ type: v.literal('basic'), user: v.string(), secret: Secret }),
      group({ type: v.literal('header'), header: v.string(), secret: Secret }),
      group({
        type: v.literal('mtls'),
        binding: textLike(
          /^[A-Z][A-Z0-9_]{0,63}$/,
          'must be the name of a binding, such as PARTNER_CERTIFICATE',
          'Binding of the client certificate, in mtls_certificates.',
        ),
      }),
    ]),
  ),
  signature: v.exactOptional(
    v.variant('type', [
      group({ type: v.literal('sha256'), url: Url }),
      group({
        type: oneOf(['minisign', 'ed25519']),
        url: Url,
        publicKey: v.pipe(v.string(), v.minLength(40)),
      }),
      group({
        type: v.literal('feed'),
        publicKey: v.union([FeedKey, v.pipe(v.array(FeedKey), v.minLength(1))], FEED_KEY_WORDS),
      }),
    ]),
  ),
  maxBytes: v.optional(wholeNumber(1024, 64 * MIB, 'Maximum bytes of the file as sent.'), 32 * MIB),
  maxUnpackedBytes: v.optional(
    wholeNumber(1024, 1024 * MIB, 'Maximum bytes of the unpacked file.'),
    256 * MIB,
  ),
}

/** The settings of a source, by the schemas of its entries. */
export type SettingsOf<T extends v.ObjectEntries> = v.InferOutput<
  v.StrictObjectSchema<T, undefined>
>

export type HttpsSettings = SettingsOf<typeof HttpsSettingsSchema>

/** Address of a provider's API, if it is not the usual one. */
export function baseUrl(description: string, usual: string) {
  const address = v.pipe(v.string(), v.check(isSafeUrl, 'must be an https address'))
  return v.optional(described(address, description), usual)
}

/** Name of a secret of a source. */
export function secretName(description: string, usual: string) {
  return v.optional(described(v.string(), description), usual)
}

/**
 * Whether an address may be called: https, and not in a private network. Loopback may be plain
 * http, for trials.
 */
export function isSafeUrl(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.username !== '' || url.password !== '') return false
  const { hostname, protocol } = url
  const isLoopback = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
  if (isLoopback) return protocol === 'http:' || protocol === 'https:'
  return protocol === 'https:' && !isPrivate(hostname)
}

/** URL already normalises IPv4 numbers to dotted form, however they were written. */
function isPrivate(hostname: string): boolean {
  if (/^\[(fc|fd|fe[89ab]|ff|::)/i.test(hostname)) return true
  if (/\.(local|internal|localhost|home\.arpa)\.?$/i.test(hostname)) return true
  const parts = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(hostname)
  if (!parts) return false
  const [a, b] = [Number(parts[1]), Number(parts[2])]
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true
  if (a === 100) return b >= 64 && b < 128
  if (a === 169) return b === 254
  if (a === 172) return b >= 16 && b < 32
  return a === 192 && b === 168
}
