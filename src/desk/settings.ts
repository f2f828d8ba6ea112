import * as v from 'valibot'
import { BadConfigError } from '../util/errors.ts'
import { nearestName } from '../util/nearest.ts'
import { described, group, sentenceOf, tableFrom, tableOf } from '../util/settings.ts'
import { type ExchangeSettings, ExchangeSettingsSchema, secretsOf } from './exchanges/catalog.ts'

const ExchangeName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and hyphens'),
)

/** Settings of the desk: the variable DESK, a table, or JSON text. */
const DeskSettingsSchema = group({
  exchanges: v.optional(
    described(
      tableOf(ExchangeName, ExchangeSettingsSchema, 'sources'),
      'Where hash lists come from, by name.',
    ),
    () => ({}),
  ),
  allowLarge: v.optional(
    described(
      v.boolean(),
      'Whether the list may be larger than an isolate holds: the gate has LIST_SHARDS.',
    ),
    false,
  ),
})

export type DeskSettings = v.InferOutput<typeof DeskSettingsSchema>

/**
 * The desk's settings. Errors list everything that is wrong but never repeat values: an address may
 * contain a secret.
 * @throws {BadConfigError}
 */
export function readDeskSettings(env: object): DeskSettings {
  const { DESK: written = {} } = env as { DESK?: unknown }
  const parsed = v.safeParse(DeskSettingsSchema, tableFrom('DESK', written))
  if (parsed.success) return parsed.output
  throw new BadConfigError(parsed.issues.map((issue) => sentenceOf(issue, 'DESK')))
}

/** What the desk reads from its environment, except the secrets of sources. */
const NAMES = [
  ...['DESK', 'DESK_KEY', 'DESK_TOKEN', 'LIST_KEY'],
  ...['LEDGER', 'HASH_LISTS', 'SYNC_QUEUE', 'EVENT_QUEUE'],
]

/**
 * Names that the desk does not read but that nearly match one of its own, with the one probably
 * meant. All other names belong to the operator.
 */
export function misspeltDeskNames(env: object, { exchanges }: DeskSettings): string[] {
  const known = new Set([...NAMES, ...Object.values(exchanges).flatMap(secretsOf)])
  const strange = Object.keys(env).filter((name) => !known.has(name))
  return strange.flatMap((name) => {
    const nearest = nearestName(name, NAMES)
    return nearest === undefined ? [] : `${name} is not read; did you mean ${nearest}?`
  })
}

/** Secrets of a source that are not set. They only stop that source. */
export function missingSecrets(settings: ExchangeSettings, env: object): string[] {
  return secretsOf(settings).filter((name) => secretOf(env, name) === '')
}

export function secretOf(env: object, name: string): string {
  const value = (env as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : ''
}
