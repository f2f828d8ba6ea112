import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { importWrangler } from '../stores.ts'
import { type PlannedFile, readIfThere } from './files.ts'
import { type Answers, InitError } from './options.ts'
import { isBlock, renderBlock, renderJsonc, renderToml } from './render.ts'
import { type Section, sectionsOf, settingsOf } from './sections.ts'
import { isTable, type Table } from '../../util/json.ts'

const NAMES = ['wrangler.jsonc', 'wrangler.json', 'wrangler.toml']

/** Plans wrangler's configuration. An existing one keeps everything and gets what it lacks. */
export async function planConfig(
  folder: string,
  answers: Answers,
  namespaceId?: string,
): Promise<PlannedConfig> {
  const sections = sectionsOf(answers, namespaceId)
  const found = NAMES.find((name) => existsSync(join(folder, name)))
  if (found === undefined) {
    const name = `wrangler.${answers.format}`
    const text = answers.format === 'toml' ? renderToml(sections) : renderJsonc(sections)
    return { name, text, state: 'new', byHand: [] }
  }
  const text = (await readIfThere(join(folder, found))) ?? ''
  const raw = await readRaw(join(folder, found))
  const missing = sections.flatMap((section) => missingSections(section, raw[section.key]))
  const settings = missingSettings(answers, raw['vars'])
  if (missing.length === 0) return { name: found, text, state: 'kept', byHand: settings }
  const added = await addSections(found, text, missing)
  return { ...added, byHand: [...added.byHand, ...settings] }
}

/** A deployment's wrangler configuration, and what the operator must do to it by hand. */
export interface PlannedConfig extends PlannedFile {
  /** Lines that init cannot add to an existing file. */
  byHand: readonly string[]
}

/** Adds sections to a configuration without changing what it has. */
export function addSections(
  name: string,
  text: string,
  missing: readonly Section[],
): Promise<PlannedConfig> {
  return (name.endsWith('.toml') ? addToToml : addToJson)(name, text, missing)
}

/** Id of the lists' KV namespace, if an existing configuration has one. */
export async function namespaceIdIn(folder: string): Promise<string | undefined> {
  const found = NAMES.find((name) => existsSync(join(folder, name)))
  if (found === undefined) return undefined
  const { kv_namespaces: namespaces } = await readRaw(join(folder, found))
  const result = v.safeParse(
    v.array(v.looseObject({ binding: v.string(), id: v.optional(v.string()) })),
    namespaces,
  )
  return result.success
    ? result.output.find(({ binding }) => binding === 'HASH_LISTS')?.id
    : undefined
}

/** A configuration as written. @throws {InitError} wrangler cannot read it */
export async function readRaw(path: string): Promise<Record<string, unknown>> {
  const { experimental_readRawConfig: read } = await importWrangler()
  try {
    return read({ config: path }).rawConfig as Record<string, unknown>
  } catch (cause) {
    throw new InitError(`${path} cannot be read by wrangler; fix it first`, {
      cause,
    })
  }
}

/** Parts of a section that the configuration lacks. Existing ones stay, whatever their value. */
function missingSections(section: Section, found: unknown): Section[] {
  const value = missingValue(section.value, found)
  return value === undefined ? [] : [{ ...section, value }]
}

function missingValue(wanted: unknown, found: unknown): unknown {
  if (found === undefined) return wanted
  if (isList(wanted) && isList(found)) {
    const names = new Set(found.map(tableName))
    const missing = wanted.filter((one) => !names.has(tableName(one)))
    return missing.length > 0 ? missing : undefined
  }
  return isTable(wanted) && isTable(found) ? missingKeys(wanted, found) : undefined
}

function missingKeys(wanted: Table, found: Table): Table | undefined {
  const missing = Object.entries(wanted).flatMap(([key, value]) => {
    if (key === 'HASHGATE' && key in found) return [] // settings are the operator's
    const part = missingValue(value, found[key])
    return part === undefined ? [] : [[key, part] as const]
  })
  return missing.length > 0 ? Object.fromEntries(missing) : undefined
}

/**
 * Settings that follow from the answers and are missing from HASHGATE, for the operator to add.
 * Mode and preset of an existing deployment never change.
 */
function missingSettings(answers: Answers, vars: unknown): string[] {
  const found = isTable(vars) ? vars['HASHGATE'] : undefined
  if (!isTable(found)) return []
  const { preset: _, policy, ...groups } = settingsOf(answers)
  const missing = missingKeys({ ...groups, policy: { banks: policy.banks } }, found)
  return missing === undefined ? [] : [`"HASHGATE": ${JSON.stringify(missing)}`]
}

function isList(value: unknown): value is Table[] {
  return Array.isArray(value) && value.every(isTable)
}

/** What identifies an element of a list. */
function tableName({ binding, name, tag, pattern, queue }: Table): string {
  return JSON.stringify(binding ?? name ?? tag ?? pattern ?? queue)
}

/** Adds to JSON. Existing comments stay in place; additions get their own. */
async function addToJson(
  name: string,
  text: string,
  missing: readonly Section[],
): Promise<PlannedConfig> {
  const { experimental_patchConfig: patch } = await importWrangler()
  type Patch = Parameters<typeof patch>[1]
  const patched = await inFile('wrangler.jsonc', text, async (file) => {
    let all = patch(file, {}, true) // formatted by wrangler, so that the next text differs only by the addition
    for (const { comment, key, value } of missing) {
      const longer = patch(file, { [key]: value } as Patch, true)
      all = comment ? commented(all, longer, comment) : longer
      await writeFile(file, all)
    }
    return all
  })
  return { name, text: indentedAs(text, patched), state: 'changed', byHand: [] }
}

/** A longer text with a comment above the line that the shorter one lacks. */
function commented(shorter: string, longer: string, comment: string): string {
  let same = 0
  while (shorter[same] === longer[same]) same++
  const end = longer.slice(0, same).replace(/[,\s]+$/, '').length // end of the last line before
  const line = longer.indexOf('\n', end) + 1
  const [indent] = /^\s*/.exec(longer.slice(line)) ?? ['']
  return `${longer.slice(0, line)}${indent}// ${comment}\n${longer.slice(line)}`
}

/** wrangler indents with tabs. In a text that had none, each becomes two spaces. */
function indentedAs(before: string, after: string): string {
  if (/^\t/m.test(before)) return after
  return after.replaceAll(/^\t+/gm, (tabs) => '  '.repeat(tabs.length))
}

/** Appends tables. What must precede the first table, or does not fit, is left to the operator. */
async function addToToml(
  name: string,
  text: string,
  missing: readonly Section[],
): Promise<PlannedConfig> {
  let all = text.endsWith('\n') || text === '' ? text : `${text}\n`
  const byHand: string[] = []
  for (const section of missing) {
    const longer = `${all}\n${renderBlock(section)}`
    if (isBlock(section) && (await isReadable(longer))) all = longer
    else byHand.push(renderToml([section]).trim())
  }
  return { name, text: all, state: all === text ? 'kept' : 'changed', byHand }
}

/** Whether wrangler reads a text as TOML: a list written on one line takes no tables after it. */
async function isReadable(toml: string): Promise<boolean> {
  return inFile('wrangler.toml', toml, async (file) => {
    const { experimental_readRawConfig: read } = await importWrangler()
    try {
      read({ config: file })
      return true
    } catch {
      return false
    }
  })
}

/**
 * Runs an edit on a temporary copy: wrangler reads and edits files, and a dry run must not write
 * the operator's.
 */
async function inFile<T>(
  name: string,
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-init-'))
  try {
    await writeFile(join(folder, name), text)
    return await use(join(folder, name))
  } finally {
    await rm(folder, { recursive: true })
  }
}
