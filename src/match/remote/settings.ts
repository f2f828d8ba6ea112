import * as v from 'valibot'
import { BANK_NAME } from '../../list/manifest.ts'
import {
  choice,
  described,
  group,
  optional,
  optionalGroup,
  tableOf,
  textLike,
  wholeNumber,
} from '../../util/settings.ts'

const NAME_WORDS = 'must be the name of a bank, in lower case'
const BankName = v.pipe(v.string(NAME_WORDS), v.regex(BANK_NAME, NAME_WORDS))

const URL_WORDS = 'must be an https address'
/** An address of a service. Plain http is for a service on this machine. */
const ServiceUrl = v.pipe(v.string(URL_WORDS), v.check(isServiceUrl, URL_WORDS))

const RemoteBankSchema = group({
  service: choice(
    ['arachnid', 'tcap'],
    'The service: Project Arachnid Shield, or the hash verification of TCAP.',
  ),
  user: textLike(/^[^:\s][^:]*$/, 'must be a user name', 'User name that the service gave you.'),
  url: optional(ServiceUrl, "Its address. Default: the service's."),
  loginUrl: optional(ServiceUrl, 'Where TCAP gives a token. Default: its own address.'),
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

/** Services that are asked about hashes, instead of a list or in addition. */
export const RemoteSettings = optionalGroup(
  {
    banks: v.optional(
      described(
        tableOf(BankName, RemoteBankSchema, 'remote banks'),
        'Banks that a service answers for, by name. docs/remote.md',
      ),
      {},
    ),
  },
  'Services that are asked about hashes: docs/remote.md.',
)
export type RemoteSettings = v.InferOutput<typeof RemoteSettings>
export type RemoteBankSettings = RemoteSettings['banks'][string]

export const REMOTE_SECRETS = { arachnid: 'ARACHNID_PASSWORD', tcap: 'TCAP_PASSWORD' } as const

function isServiceUrl(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1')
}
