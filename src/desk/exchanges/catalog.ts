import * as v from 'valibot'
import { BANK_NAME } from '../../list/manifest.ts'
import { choice, group, wholeNumber } from '../../util/settings.ts'
import type { Exchange, World } from './exchange.ts'
import { HttpsExchange } from './https/https.ts'
import { HttpsSettingsSchema } from './https/settings.ts'
import { NcmecExchange, NcmecSettingsSchema } from './ncmec.ts'
import { StopNciiExchange, StopNciiSettingsSchema } from './stopncii.ts'
import { TcapExchange, TcapSettingsSchema } from './tcap.ts'
import { IMPORTED, VicsSettingsSchema } from './vics.ts'
import { ThreatExchange, ThreatExchangeSettingsSchema } from './threatexchange.ts'

/** Settings that every source has, whatever its kind. */
const common = {
  bank: v.pipe(
    v.string(),
    v.regex(BANK_NAME, 'must be the name of a bank, in lower case'),
    v.description('The bank of the list that its hashes go to.'),
  ),
  everyMinutes: v.optional(wholeNumber(5, 10_080, 'Minutes between two runs.'), 60),
  maxAgeHours: v.optional(
    wholeNumber(1, 8760, 'Hours without a complete run after which its health is red.'),
    26,
  ),
  feedback: v.optional(
    choice(['off', 'send'], 'Whether opinions on its entries are sent to the provider.'),
    'off',
  ),
}

export const ExchangeSettingsSchema = v.variant('kind', [
  group({ ...common, ...HttpsSettingsSchema }),
  group({ ...common, ...NcmecSettingsSchema }),
  group({ ...common, ...StopNciiSettingsSchema }),
  group({ ...common, ...TcapSettingsSchema }),
  group({ ...common, ...ThreatExchangeSettingsSchema }),
  group({ ...common, ...VicsSettingsSchema }),
])
export type ExchangeSettings = v.InferOutput<typeof ExchangeSettingsSchema>

export type ExchangeKind = ExchangeSettings['kind']

export const EXCHANGE_KINDS: readonly ExchangeKind[] = ExchangeSettingsSchema.options.map(
  ({ entries }) => entries.kind.literal,
)

/** Names of the secrets that a source needs. */
export function secretsOf(settings: ExchangeSettings): string[] {
  if (settings.kind === 'https') {
    const { auth } = settings
    return auth && auth.type !== 'mtls' ? [auth.secret] : []
  }
  if (settings.kind === 'stopncii') {
    const { functionsSecret, secret, feedbackSecret } = settings
    return [functionsSecret, secret, ...(feedbackSecret === undefined ? [] : [feedbackSecret])]
  }
  if (settings.kind === 'vics') return []
  return [settings.secret]
}

/** @param secretOf returns the value of a secret by name */
export function openExchange(
  settings: ExchangeSettings,
  secretOf: (name: string) => string,
  world: World,
): Exchange {
  switch (settings.kind) {
    case 'https':
      return new HttpsExchange(settings, secretsOf(settings).map(secretOf).join(''), world)
    case 'ncmec':
      return new NcmecExchange(settings, secretOf(settings.secret), world)
    case 'stopncii': {
      const { functionsSecret, secret, feedbackSecret } = settings
      const keys = { functions: secretOf(functionsSecret), subscription: secretOf(secret) }
      const feedback = feedbackSecret !== undefined && { feedback: secretOf(feedbackSecret) }
      return new StopNciiExchange(settings, { ...keys, ...feedback }, world)
    }
    case 'tcap':
      return new TcapExchange(settings, secretOf(settings.secret), world)
    case 'threatexchange':
      return new ThreatExchange(settings, secretOf(settings.secret), world)
    case 'vics':
      return IMPORTED
  }
}
