import { writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import * as v from 'valibot'
import {
  EXCHANGE_KINDS,
  type ExchangeKind,
  ExchangeSettingsSchema,
  secretsOf,
} from '../desk/exchanges/catalog.ts'
import { type Guide, GUIDES } from '../desk/guide.ts'
import { readDeskSettings } from '../desk/settings.ts'
import { HashgateError } from '../util/errors.ts'
import { MATCH_THRESHOLD } from '../util/hash.ts'
import { isTable, parseJson, type Table } from '../util/json.ts'
import { readIfThere } from './init/files.ts'
import { renderBlock } from './init/render.ts'
import type { Section } from './init/sections.ts'
import { addSections, readRaw } from './init/wrangler-file.ts'
import { DESK_CONFIG, DESK_ENTRY, DESK_TEMPLATE } from './desk-files.ts'
import { askAll, type Given, type Question } from './questions.ts'

/**
 * `hashgate exchange add`: asks for a source's settings and writes them into the desk's
 * configuration.
 */
export async function exchangeAdd(
  givenKind: ExchangeKind | undefined,
  options: ExchangeAddOptions,
): Promise<boolean> {
  const { yes, dryRun, json, config = DESK_CONFIG, env, set = {}, ...named } = options
  const isAsked = yes === undefined && dryRun === undefined && process.stdin.isTTY
  if (!isAsked && !yes && !dryRun) {
    throw new ExchangeAddError(
      'exchange add asks its questions in a terminal; without one, pass --yes and the answers as options',
    )
  }
  const kind = givenKind ?? (isAsked ? await askForKind() : undefined)
  if (kind === undefined)
    throw new ExchangeAddError(`expected a kind: ${EXCHANGE_KINDS.join(', ')}`)
  const guide = GUIDES[kind]
  if (!json) printGuide(guide)
  const answers = isAsked
    ? await askAll(questionsOf(kind, guide), { ...named, ...set })
    : { name: kind, ...named, ...set }
  const source = sourceOf(kind, guide, answers)
  const change = await planChange(config, env, source)
  if (!dryRun) for (const { path, text } of change.files) await writeFile(path, text)
  if (json) console.log(JSON.stringify(reportOf(source, change, dryRun === true)))
  else printChange(source, change, dryRun === true)
  return true
}

export interface ExchangeAddOptions {
  config?: string
  env?: string
  /** Settings of the source by path, as typed. */
  set?: Readonly<Record<string, string>>
  name?: string
  bank?: string
  everyMinutes?: string
  maxAgeHours?: string
  feedback?: string
  action?: string
  threshold?: string
  yes?: true
  dryRun?: true
  json?: true
}

/** Answers for a source that are missing or contradict each other. */
export class ExchangeAddError extends HashgateError {
  readonly code = 'exchange-add'
}

async function askForKind(): Promise<ExchangeKind> {
  const kinds = EXCHANGE_KINDS.join(', ')
  const { kind } = await askAll(
    [
      {
        name: 'kind',
        text: `Kind of source: ${kinds}`,
        isNeeded: true,
        problemOf: (answer) => (isKind(answer) ? undefined : `must be one of ${kinds}`),
      },
    ],
    {},
  )
  return kind as ExchangeKind
}

function isKind(value: unknown): value is ExchangeKind {
  return EXCHANGE_KINDS.some((kind) => kind === value)
}

function questionsOf(kind: ExchangeKind, { questions, action }: Guide): Question[] {
  return [
    { name: 'name', text: 'Name of the source', fallback: kind },
    {
      name: 'bank',
      text: 'Bank that its hashes go to, one that `list push` does not fill',
      isNeeded: true,
    },
    ...questions,
    { name: 'everyMinutes', text: 'Minutes between two runs', fallback: '60' },
    {
      name: 'maxAgeHours',
      text: 'Hours without a complete run after which it turns red',
      fallback: '26',
    },
    { name: 'feedback', text: 'Send opinions back to the provider (off, send)', fallback: 'off' },
    { name: 'action', text: 'What the gate does with a match (block, flag)', fallback: action },
    {
      name: 'threshold',
      text: 'Largest distance that matches, in bits',
      fallback: String(MATCH_THRESHOLD),
    },
  ]
}

interface DescribedSource {
  name: string
  kind: ExchangeKind
  bank: string
  settings: Table
  /** What each secret is, by name. */
  secrets: Record<string, string>
  /** What the gate's settings say about the bank. */
  policy: { action: string; threshold?: number }
}

const PolicySchema = v.object({
  action: v.picklist(['block', 'quarantine', 'flag'], 'must be block, quarantine or flag'),
  threshold: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,3}$/, 'must be a whole number of bits'),
      v.transform(Number),
      v.maxValue(128, 'must be a whole number from 0 to 128'),
    ),
  ),
})

/** @throws {ExchangeAddError} an answer is wrong or missing */
function sourceOf(kind: ExchangeKind, guide: Guide, answers: Given): DescribedSource {
  const { name, action = guide.action, threshold, ...given } = answers
  const settings = settingsFrom({ kind, ...given })
  const policy = v.safeParse(PolicySchema, { action, threshold })
  const table = { [String(name)]: settings }
  try {
    readDeskSettings({ DESK: { exchanges: table } })
  } catch (error) {
    if (!(error instanceof HashgateError)) throw error
    throw new ExchangeAddError(error.message, { cause: error })
  }
  if (!policy.success)
    throw new ExchangeAddError(
      policy.issues.map((issue) => `${v.getDotPath(issue) ?? ''} ${issue.message}`).join('; '),
    )
  const { threshold: bits, action: does } = policy.output
  return {
    name: String(name),
    kind,
    bank: String(settings['bank']),
    settings,
    secrets: namedSecrets(settings, guide),
    policy: {
      action: does,
      ...(bits !== undefined && bits !== MATCH_THRESHOLD && { threshold: bits }),
    },
  }
}

/**
 * Turns answers into settings. A text is used as typed, and converted if the setting wants
 * something else.
 */
export function settingsFrom(answers: Readonly<Record<string, unknown>>): Table {
  const table: Table = {}
  for (const [path, value] of Object.entries(answers)) {
    if (value !== undefined) setAt(table, path.split('.'), value)
  }
  const { issues = [] } = v.safeParse(ExchangeSettingsSchema, table)
  for (const { path = [] } of issues) {
    const keys = path.map(({ key }) => String(key))
    const value = getAt(table, keys)
    if (keys.length > 0 && typeof value === 'string') setAt(table, keys, valueFrom(value))
  }
  return table
}

/** A number, a comma-separated list, or pairs such as 1=A. */
function valueFrom(text: string): unknown {
  const value = parseJson(text)
  if (value !== undefined) return value
  const parts = text.split(',').map((part) => part.trim())
  if (!parts.every((part) => part.includes('='))) return parts
  return Object.fromEntries(parts.map((part) => part.split('=', 2).map((one) => one.trim())))
}

function setAt(table: Table, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    table[key] = value
    return
  }
  const inner = Object.hasOwn(table, key) ? table[key] : undefined
  const next: Table = isTable(inner) ? inner : {}
  table[key] = next
  setAt(next, rest, value)
}

function getAt(table: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return table
  return isTable(table) && Object.hasOwn(table, key) ? getAt(table[key], rest) : undefined
}

/** What each secret of a source is, by its name in the settings or by the default name. */
function namedSecrets(settings: Table, { secrets }: Guide): Record<string, string> {
  const full = v.parse(ExchangeSettingsSchema, settings)
  const wanted = new Set(secretsOf(full))
  return Object.fromEntries(
    Object.entries(secrets).flatMap(([path, what]): [string, string][] => {
      const name = getAt(full, path.split('.'))
      return typeof name === 'string' && wanted.has(name) ? [[name, what]] : []
    }),
  )
}

/** Files with their new texts, and what the operator must add. */
interface Change {
  files: { path: string; text: string; state: 'new' | 'changed' }[]
  byHand: readonly string[]
}

/** @throws {ExchangeAddError} the configuration already has a source of that name */
async function planChange(
  config: string,
  env: string | undefined,
  { name, settings }: DescribedSource,
): Promise<Change> {
  const path = resolve(config)
  const found = await readIfThere(path)
  const raw: Table = found === undefined ? {} : await readRaw(path)
  const scope = env === undefined ? raw : (getAt(raw, ['env', env]) ?? {})
  const desk = getAt(scope, ['vars', 'DESK'])
  if (getAt(desk, ['exchanges', name]) !== undefined) {
    throw new ExchangeAddError(`${config} has a source ${name} already; choose another --name`)
  }
  const vars = { DESK: { exchanges: { [name]: settings } } }
  const section: Section =
    env === undefined ? varsSection(vars) : { comment: '', key: 'env', value: { [env]: { vars } } }
  // Settings written as JSON text cannot take a table.
  if (desk !== undefined && !isTable(desk)) return { files: [], byHand: [renderBlock(section)] }
  const { text, byHand } = await addSections(basename(path), found ?? DESK_TEMPLATE, [section])
  const state = found === undefined ? 'new' : 'changed'
  const entry = join(dirname(path), DESK_ENTRY.name)
  const hasEntry = found !== undefined || existsSync(entry)
  return {
    files:
      byHand.length > 0
        ? []
        : [
            { path, text, state },
            ...(hasEntry ? [] : [{ path: entry, text: DESK_ENTRY.text, state: 'new' as const }]),
          ],
    byHand,
  }
}

function printGuide({ title, ask }: Guide): void {
  console.log(
    [title, '', 'Ask the provider for:', ...ask.map((item) => `  - ${item}`), ''].join('\n'),
  )
}

function printChange(source: DescribedSource, { files, byHand }: Change, isDry: boolean): void {
  const { name, kind, bank, settings, secrets, policy } = source
  for (const { path, state } of files) console.log(`${isDry ? 'would be ' : ''}${state} ${path}`)
  const vars = { DESK: { exchanges: { [name]: settings } } }
  const shown = byHand.length > 0 ? byHand.join('\n') : renderBlock(varsSection(vars))
  if (byHand.length > 0) console.log('add to the configuration by hand:')
  if (isDry || byHand.length > 0) console.log(`\n${indent(shown)}`)
  if (Object.keys(secrets).length > 0) console.log('\nSet the secrets:\n')
  for (const [secret, what] of Object.entries(secrets)) {
    console.log(`  npx wrangler secret put ${secret} --config ${DESK_CONFIG} # ${what}`)
  }
  const policyBlock = renderBlock(
    varsSection({ HASHGATE: { policy: { banks: { [bank]: policy } } } }),
  )
  console.log(`\nIn the gate's configuration, set what its matches do:\n\n${indent(policyBlock)}`)
  console.log('Then check that it works, with the secrets as environment variables:\n')
  if (kind === 'vics') console.log(`  npx hashgate exchange import ${name} FILE`)
  else
    console.log(
      `  npx hashgate exchange check ${name}\n  npx hashgate exchange sync ${name} --dry-run`,
    )
}

function varsSection(value: Table): Section {
  return { comment: '', key: 'vars', value }
}

function indent(text: string): string {
  return text
    .trimEnd()
    .replaceAll(/^(?=.)/gm, '  ')
    .concat('\n')
}

function reportOf(source: DescribedSource, { files, byHand }: Change, isDry: boolean): object {
  const { name: exchange, policy, bank, secrets, settings, kind } = source
  return {
    exchange,
    kind,
    bank,
    dryRun: isDry,
    ask: GUIDES[kind].ask,
    settings,
    secrets,
    policy: { banks: { [bank]: policy } },
    files: files.map(({ path, state }) => ({ path, state })),
    byHand,
  }
}
