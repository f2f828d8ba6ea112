import * as v from 'valibot'
import type * as wrangler from 'wrangler'
import { defaults, readConfig as readSettings } from '../config/config.ts'
import { SECRETS } from '../config/names.ts'
import { conflictsOf, type Has, type Need, needsOf, needText } from '../config/needs.ts'
import { PRESETS, type PresetName } from '../config/presets.ts'
import type { Config } from '../config/schema.ts'
import { BadConfigError } from '../util/errors.ts'
import { tableFrom } from '../util/settings.ts'
import { openAccount, readWranglerConfig, type StoreOptions } from './stores.ts'
import {
  bindingsOf,
  boundNames,
  exposedSecrets,
  missingTriggers,
  wrongKinds,
} from './worker-setup.ts'
import { isTable } from '../util/json.ts'

/** Cloudflare's size limit for a variable, in bytes. */
const MAX_VARIABLE_BYTES = 5120

/** `hashgate config`: the settings in effect, and everything that would stop the Worker. */
export async function showConfig(options: ConfigOptions): Promise<boolean> {
  const { preset } = options
  const setup = preset
    ? { config: defaults(preset), written: { preset }, secrets: [], bytes: 0, problems: [] }
    : await readSetup(options)
  for (const problem of setup.problems) console.error(`hashgate: ${problem}`)
  if (setup.config) show(setup.config, setup, options)
  return setup.problems.length === 0
}

export interface ConfigOptions extends StoreOptions {
  env?: string
  preset?: PresetName
  remote?: true
  json?: true
}

/** What is known of a Worker's setup. */
export interface Setup {
  /** Absent if the settings cannot be read. */
  config?: Config
  /** The settings as written. */
  written: unknown
  /** Names of the secrets that the Worker needs. */
  secrets: readonly string[]
  bytes: number
  problems: readonly string[]
}

export async function readSetup(options: ConfigOptions): Promise<Setup> {
  const worker = await readWranglerConfig(options)
  const written: unknown = worker.vars['HASHGATE'] ?? {}
  const bytes = Buffer.byteLength(typeof written === 'string' ? written : JSON.stringify(written))
  const bindings = bindingsOf(worker)
  const problems = [...exposedSecrets(worker.vars), ...wrongKinds(bindings)]
  if (bytes > MAX_VARIABLE_BYTES)
    problems.push(`HASHGATE has ${bytes} bytes, and Cloudflare allows ${MAX_VARIABLE_BYTES}`)
  const names = await secretNames(worker, options)
  const has: Has = (name) => bindings.has(name) || name in worker.vars || !!names?.has(name)
  const lackingOf = (needs: readonly Need[]) =>
    needs.filter(({ name }) => !has(name) && (names || !(name in SECRETS))).map(needText)
  try {
    const bound = [...bindings.keys(), ...boundNames(worker), ...(names ?? [])]
    const env = Object.fromEntries(bound.map((name) => [name, undefined]))
    const config = readSettings({ ...env, ...worker.vars })
    const needs = needsOf(config, has)
    const triggers = missingTriggers(worker, {
      webhook: config.events.webhook.url !== undefined,
      quarantine: bindings.has('QUARANTINE'),
      unansweredThatPass: Object.keys(config.remote.banks).find(
        (name) => config.remote.banks[name]?.onFailed === 'allow',
      ),
    })
    problems.push(...new Set(lackingOf(needs)), ...conflictsOf(config, has), ...triggers)
    const secrets = new Set(needs.map(({ name }) => name).filter((name) => name in SECRETS))
    return {
      config,
      written: tableFrom('HASHGATE', written),
      secrets: [...secrets],
      bytes,
      problems,
    }
  } catch (error) {
    if (!(error instanceof BadConfigError)) throw error
    // Needed whatever the settings should have been.
    const lacking = lackingOf(needsOf(defaults(), has))
    problems.push(...error.problems, ...new Set(lacking))
    return { written, secrets: [], bytes, problems }
  }
}

const SecretsSchema = v.object({
  success: v.literal(true),
  result: v.array(v.object({ name: v.string() })),
})

/**
 * Secrets that the Worker has, from Cloudflare or its configuration. `undefined` if neither says.
 */
async function secretNames(
  worker: wrangler.Unstable_Config,
  { remote }: ConfigOptions,
): Promise<ReadonlySet<string> | undefined> {
  if (!remote) return worker.secrets?.required && new Set(worker.secrets.required)
  const { api, account } = await openAccount(worker)
  const script = encodeURIComponent(worker.name ?? '')
  const path = `accounts/${encodeURIComponent(account)}/workers/scripts/${script}/secrets`
  const { result } = await api.call(SecretsSchema, 'GET', path)
  return new Set(result.map(({ name }) => name))
}

function show(
  { origin: { url, ...origin }, ...config }: Config,
  { written, secrets, bytes }: Setup,
  { json }: ConfigOptions,
): void {
  const settings = { origin, ...config }
  if (json) {
    console.log(JSON.stringify({ ORIGIN_URL: url, HASHGATE: settings, secrets, bytes }, null, 2))
    return
  }
  const preset = config.preset && PRESETS[config.preset].settings
  const rows = leavesOf(settings).map(([path, value]): [string, string] => {
    const source = isSet(written, path) ? '' : isSet(preset, path) ? ' (preset)' : ' (default)'
    return [path.join('.'), `${inWords(value)}${source}`]
  })
  if (url) rows.unshift(['ORIGIN_URL', url.href])
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) console.log(`${name.padEnd(width)}  ${value}`)
  if (secrets.length > 0) console.log(`\nsecrets that it needs: ${secrets.join(', ')}`)
  if (bytes > 0) console.log(`HASHGATE has ${bytes} of ${MAX_VARIABLE_BYTES} bytes`)
}

/** Settings by path. A value that an operator names, such as banks, stays whole. */
function leavesOf(value: unknown, path: readonly string[] = []): [readonly string[], unknown][] {
  const isGroup = path[0] !== 'policy' || path.length < 2
  if (!isGroup || !isTable(value)) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
}

/** Whether settings have a value at a path. */
function isSet(settings: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true
  if (!isTable(settings) || !Object.hasOwn(settings, key)) return false
  return isSet(settings[key], rest)
}

function inWords(value: unknown): string {
  if (value === undefined || value === '') return 'none'
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return value.join(', ') || 'none'
  const text = JSON.stringify(value)
  return text === '{}' || text === '[]' ? 'none' : text
}
