import * as v from 'valibot'
import {
  choice,
  group,
  optionalGroup,
  tableOf,
  textLike,
  wholeNumber,
} from '../../util/settings.ts'

const NAME_WORDS = 'must be the name of a bank, in lower case'
const BankName = v.pipe(v.string(NAME_WORDS), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, NAME_WORDS))

const URL_WORDS = 'must be an https address'
/** An address of a service. Plain http is for a service on this machine. */
const ServiceUrl = v.pipe(v.string(URL_WORDS), v.check(isServiceUrl, URL_WORDS))

const RemoteBankSchema = group({
  service: choice(
    ['arachnid', 'tcap'],
    'The service: Project Arachnid Shield, or the hash verification of TCAP.',
  ),
  user: textLike(/^[^:\s][^:]*$/, 'must be a user name', 'User name that the service gave you.'),
  url: v.exactOptional(v.pipe(ServiceUrl, v.description("Its address. Default: the service's."))),
  loginUrl: v.exactOptional(
    v.pipe(ServiceUrl, v.description('Where TCAP gives a token. Default: its own address.')),
  ),
  onFailed: v.optional(
    choice(
      ['allow', 'refuse'],
      'What to do if the service does not answer. `allow` lets the upload pass and asks again later.',
    ),
    'refuse',
  ),
  deadlineMs: v.optional(
    wholeNumber(100, 10_000, 'Milliseconds that an upload waits for the service.'),
    1500,
  ),
  cacheHours: v.optional(
    wholeNumber(
      0,
      24,
      'Hours for which the service is not asked again about a picture it did not know.',
    ),
    24,
  ),
})

/** Services that are asked about hashes, in place of a list or beside it. */
export const RemoteSettings = optionalGroup(
  {
    banks: v.optional(
      v.pipe(
        tableOf(BankName, RemoteBankSchema, 'remote banks'),
        v.description('Banks that a service answers for, by name. docs/remote.md'),
      ),
      {},
    ),
  },
  'Services that are asked about hashes: docs/remote.md.',
)
export type RemoteSettings = v.InferOutput<typeof RemoteSettings>
export type RemoteBankSettings = RemoteSettings['banks'][string]

/** The secret of a service. */
export const REMOTE_SECRETS = { arachnid: 'ARACHNID_PASSWORD', tcap: 'TCAP_PASSWORD' } as const

function isServiceUrl(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1')
}
