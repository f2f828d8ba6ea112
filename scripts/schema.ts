// Writes the schemas in docs/: those of events and settings as JSON, and the same as tables.
//
//   node scripts/schema.ts [--check]      with --check, fails if one is out of date, and writes nothing

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { toJsonSchema } from '@valibot/to-json-schema'
import { EVENT_SCHEMAS, EventSchema, PART_SCHEMAS } from '../src/events/schema.ts'
import { settingsSchemaText, settingsText } from './settings-docs.ts'

const FOLDER = new URL('../docs/', import.meta.url)

/** Texts by the files that contain them. */
const TEXTS: Record<string, () => string> = {
  'schema/events-v1.json': eventSchemaText,
  'schema/events-v1.md': eventFieldsText,
  'schema/settings.json': settingsSchemaText,
  'settings.md': settingsText,
}

/** The part of JSON Schema that the events' schema uses. */
interface Schema {
  $ref?: string
  type?: string
  format?: string
  const?: unknown
  enum?: unknown[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  oneOf?: Schema[]
  examples?: unknown[]
}

function eventSchema() {
  const { $schema, ...rest } = toJsonSchema(EventSchema, {
    target: 'draft-2020-12',
    definitions: { ...EVENT_SCHEMAS, ...PART_SCHEMAS },
  })
  return {
    $schema,
    $id: 'urn:hashgate:events:v1',
    title: 'Events of hashgate, version 1',
    ...rest,
  }
}

/** The text of events-v1.json. */
export function eventSchemaText(): string {
  return `${JSON.stringify(eventSchema(), null, 2)}\n`
}

/** The text of events-v1.md. */
export function eventFieldsText(): string {
  const { title, $defs = {} } = eventSchema()
  const definitions = Object.entries($defs as Record<string, Schema>)
  const sections = definitions.map(([name, schema]) =>
    [`## ${name}`, schema.description, fieldTable(schema), ...exampleOf(schema)].join('\n\n'),
  )
  const [, { properties: { event: _, ...fields } = {}, required = [] } = {}] = definitions[0] ?? []
  const shared = Object.entries(fields).filter(([field]) => STAMP_FIELDS.has(field))
  const stamp = fieldTable({ properties: Object.fromEntries(shared), required }, new Set())
  return `# ${title}

Generated from [events-v1.json](events-v1.json) by \`npm run schema\`. Every event has \`event\`, one of the names below, and:

${stamp}

${sections.join('\n\n')}
`
}

/** Fields that every event has, documented once for all. */
const STAMP_FIELDS = new Set(['schema', 'id', 'time'])
const SHARED_FIELDS = new Set([...STAMP_FIELDS, 'event'])

function fieldTable(schema: Schema, without = SHARED_FIELDS): string {
  const rows = rowsOf(schema, without)
  return ['| field | type | always | what |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

/** A row for each field, including those of nested objects. */
function rowsOf(
  { properties = {}, required = [] }: Schema,
  without: ReadonlySet<string>,
  prefix = '',
): string[] {
  const fields = Object.entries(properties).filter(([field]) => !without.has(field))
  return fields.flatMap(([field, schema]) => {
    const { items, oneOf, description = '' } = schema
    const always = required.includes(field) ? 'yes' : ''
    const row = `| \`${prefix}${field}\` | ${typeOf(schema)} | ${always} | ${description} |`
    const inner = items ?? either(oneOf ?? [])
    return [row].concat(rowsOf(inner, new Set(), `${prefix}${field}${items ? '[]' : ''}.`))
  })
}

/** Merges the variants of a field into one object: what all of them have is always there. */
function either(variants: readonly Schema[]): Schema {
  const properties: Record<string, Schema> = {}
  for (const variant of variants) {
    for (const [field, schema] of Object.entries(variant.properties ?? {})) {
      const values = [properties[field], schema].flatMap((one) => valuesOf(one) ?? [])
      properties[field] = values.length > 0 ? { ...schema, enum: values } : schema
    }
  }
  const [first, ...others] = variants.map(({ required = [] }) => required)
  const required = (first ?? []).filter((field) => others.every((some) => some.includes(field)))
  return { properties, required }
}

function valuesOf(schema: Schema | undefined): unknown[] | undefined {
  return schema?.enum ?? (schema && 'const' in schema ? [schema.const] : undefined)
}

function typeOf(schema: Schema): string {
  const { $ref, type, format, items, oneOf } = schema
  if ($ref !== undefined) {
    const name = $ref.replace('#/$defs/', '')
    return `[${name}](#${name})`
  }
  if (items) return `list of ${typeOf(items)}`
  if (oneOf) return 'object'
  const values = valuesOf(schema)?.map((value) => `\`${JSON.stringify(value)}\``)
  return values?.join(', ') ?? format ?? type ?? 'any'
}

function exampleOf({ examples = [] }: Schema): string[] {
  return examples.map((example) => `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``)
}

/** Files of docs/ that differ from what would be written. */
export async function staleTexts(): Promise<string[]> {
  const stale: string[] = []
  for (const [name, textOf] of Object.entries(TEXTS)) {
    const text = await readFile(new URL(name, FOLDER), 'utf8').catch(() => '')
    if (text !== textOf()) stale.push(name)
  }
  return stale
}

async function writeTexts(): Promise<void> {
  await mkdir(new URL('schema/', FOLDER), { recursive: true })
  for (const [name, textOf] of Object.entries(TEXTS))
    await writeFile(new URL(name, FOLDER), textOf())
}

async function check(): Promise<void> {
  const stale = await staleTexts()
  for (const name of stale) console.error(`docs/${name} is out of date: run npm run schema`)
  if (stale.length > 0) process.exitCode = 1
}

if (import.meta.main) await (process.argv.includes('--check') ? check() : writeTexts())
