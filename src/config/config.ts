import * as v from 'valibot'
import { apiProblems } from '../doors/api/settings.ts'
import { OriginUrl } from '../doors/proxy/settings.ts'
import { eventProblems } from '../events/settings.ts'
import { listProblems } from '../match/settings.ts'
import { uploadProblems } from '../upload/settings.ts'
import { BadConfigError } from '../util/errors.ts'
import { sentenceOf, tableFrom } from '../util/settings.ts'
import { misspeltNames, type SecretName } from './names.ts'
import { type Has, missingOf } from './needs.ts'
import { over, type PresetName, PRESETS } from './presets.ts'
import { type Config, LibrarySchema, type LibrarySettings, SettingsSchema } from './schema.ts'

/**
 * Reads the settings from a Worker's environment.
 * @throws {BadConfigError} with every problem and its path
 */
export function readConfig(env: object): Config {
  const { HASHGATE: written = {}, ORIGIN_URL: url } = env as Environment
  const problems = misspeltNames(env)
  const originUrl = v.safeParse(v.optional(OriginUrl), url)
  if (!originUrl.success)
    problems.push(...originUrl.issues.map(({ message }) => `ORIGIN_URL ${message}`))
  const config = parseSettings(SettingsSchema, tableFrom('HASHGATE', written), 'HASHGATE', problems)
  return url === undefined ? config : { ...config, origin: { ...config.origin, url: new URL(url) } }
}

/** What the Worker reads its settings from. */
export type Environment = Partial<Record<SecretName | 'ORIGIN_URL', string>> & {
  HASHGATE?: unknown
}

/** Checks that the Worker has what its settings need. @throws {BadConfigError} */
export function checkNeeds(config: Config, has: Has): void {
  const problems = missingOf(config, has)
  if (problems.length > 0) throw new BadConfigError(problems)
}

/**
 * The settings that an app passes to the library.
 * @throws {BadConfigError}
 */
export function readLibrarySettings(settings: LibrarySettings): Config {
  const problems: string[] = []
  const config = parseSettings(LibrarySchema, settings, 'settings', problems)
  const routed = config.policy.routes.findIndex(({ origin }) => origin !== undefined)
  if (routed >= 0)
    throw new BadConfigError([
      `settings.policy.routes.${routed}.origin only works in a separate Worker; in an app, your routes decide where requests go`,
    ])
  return { ...defaults(), ...config }
}

/** The settings in effect if nothing is set, or only a preset. */
export function defaults(preset?: PresetName): Config {
  return parseSettings(SettingsSchema, preset ? { preset } : {}, 'HASHGATE', [])
}

/** Reads settings on top of their preset. Throws if there are problems, new or known. */
function parseSettings<const T extends typeof SettingsSchema | typeof LibrarySchema>(
  schema: T,
  written: unknown,
  root: string,
  problems: string[],
): v.InferOutput<T> {
  const result = v.safeParse(schema, withPreset(written))
  if (!result.success) problems.push(...result.issues.map((issue) => sentenceOf(issue, root)))
  else problems.push(...crossProblems(result.output).map((problem) => `${root}.${problem}`))
  if (!result.success || problems.length > 0) throw new BadConfigError(problems)
  return result.output
}

function withPreset(written: unknown): unknown {
  const name = (written as { preset?: unknown } | null)?.preset
  const isKnown = typeof name === 'string' && Object.hasOwn(PRESETS, name)
  return isKnown ? over(PRESETS[name as PresetName].settings, written) : written
}

/** Conflicts between settings, within groups and across them. */
function crossProblems(
  config: Partial<Config> & Pick<Config, 'upload' | 'list' | 'policy'>,
): string[] {
  const isWithoutBanks = Object.keys(config.remote?.banks ?? {}).length === 0
  const longestBodies = config.policy.routes.map(({ maxBodyBytes = 0 }) => maxBodyBytes)
  return [
    ...uploadProblems(config.upload, longestBodies),
    ...listProblems(config.list),
    ...(config.list.onMissing === 'remote' && isWithoutBanks
      ? ['list.onMissing must be fail, unless remote.banks has a bank']
      : []),
    ...(config.events ? eventProblems(config.events) : []),
    ...(config.api ? apiProblems(config.api) : []),
  ]
}
