// Documents the settings: a JSON schema for editors, and docs/settings.md for people. Both come
// from the schema that the Worker parses its settings with.

import { toJsonSchema } from '@valibot/to-json-schema'
import { BINDING_KINDS, BINDINGS, SECRETS } from '../src/config/names.ts'
import { PRESETS } from '../src/config/presets.ts'
import { SettingsSchema } from '../src/config/schema.ts'

/** The part of JSON Schema that the settings' schema uses. */
interface Schema {
  type?: string
  const?: unknown
  enum?: unknown[]
  format?: string
  pattern?: string
  default?: unknown
  description?: string
  minimum?: number
  maximum?: number
  items?: Schema
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
}

function settingsSchema(): Schema {
  const options = { target: 'draft-2020-12', typeMode: 'input', errorMode: 'ignore' } as const
  const { $schema, ...rest } = toJsonSchema(SettingsSchema, options)
  return {
    $schema,
    $id: 'urn:hashgate:settings',
    title: 'The variable HASHGATE',
    ...rest,
  } as Schema
}

/** The text of docs/schema/settings.json. */
export function settingsSchemaText(): string {
  return `${JSON.stringify(settingsSchema(), null, 2)}\n`
}

/** The text of docs/settings.md. */
export function settingsText(): string {
  const { properties = {} } = settingsSchema()
  const { preset, ...groups } = properties
  const sections = Object.entries(groups).map(
    ([name, schema]) =>
      `## \`${name}\`\n\n${wrap(linked(schema.description))}\n\n${settingTable(name, schema)}`,
  )
  return `${INTRODUCTION.replace('PRESETS', presetText(preset?.description ?? ''))}
${sections.join('\n\n')}

## Secrets

Set them with \`wrangler secret put NAME\`. They never belong in \`wrangler.toml\`.

${table(
  ['secret', 'what'],
  Object.entries(SECRETS).map(([name, what]) => [code(name), what]),
)}

## Bindings

${table(
  ['binding', 'kind', 'what'],
  Object.entries(BINDINGS).map(([name, binding]) => [code(name), kindOf(binding), binding.what]),
)}
`
}

function kindOf(binding: { kind: keyof typeof BINDING_KINDS; className?: string }): string {
  const kind = BINDING_KINDS[binding.kind].replace(/^an? /, '')
  return binding.className === undefined ? kind : `Durable Objects, ${code(binding.className)}`
}

function presetText(description: string): string {
  const presets = Object.entries(PRESETS).map(([name, { what, settings }]) => {
    const rows = leavesOf(settings).map(([path, value]) =>
      code(`${path} = ${JSON.stringify(value)}`),
    )
    return [code(name), what, rows.join(', ')]
  })
  return `${wrap(`${description} \`hashgate config --preset NAME\` prints all settings of one.`)}

${table(['preset', 'what', 'differs from the defaults in'], presets)}`
}

function leavesOf(settings: object, prefix = ''): [string, unknown][] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]): [string, unknown][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leavesOf(value, `${prefix}${key}.`)
      : [[prefix + key, value]],
  )
}

function settingTable(name: string, schema: Schema): string {
  return table(['setting', 'default', 'allowed', 'what'], rowsOf(`${name}.`, schema))
}

/** A row for each setting of a group, including those of nested groups. */
function rowsOf(prefix: string, { properties = {} }: Schema): string[][] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const path = prefix + key
    if (schema.properties) return rowsOf(`${path}.`, schema)
    const fallback = schema.default === undefined ? '' : shown(schema.default)
    const row = [code(path), fallback, allowedOf(schema), linked(schema.description)]
    const [inner, mark] = innerOf(schema)
    return [row].concat(inner ? rowsOf(`${path}${mark}.`, inner) : [])
  })
}

/** What a list or a table by names contains, if that is a group. */
function innerOf({ items, additionalProperties }: Schema): [Schema | undefined, string] {
  if (items?.properties) return [items, '[]']
  return [typeof additionalProperties === 'object' ? additionalProperties : undefined, '.NAME']
}

function shown(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en')
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map((one) => code(one)).join(', ')
  if (typeof value === 'object') return 'none'
  return value === '' ? 'none' : code(value)
}

function allowedOf(schema: Schema): string {
  const { type, format, pattern, minimum, maximum, items } = schema
  if (schema.enum) return schema.enum.map((value) => code(value)).join(', ')
  if (items) return items.properties ? 'a list of tables' : `a list of ${allowedOf(items)}`
  if (type === 'integer')
    return `${minimum?.toLocaleString('en')} to ${maximum?.toLocaleString('en')}`
  if (type === 'boolean') return '`true`, `false`'
  if (type === 'object') return 'tables by name'
  if (format === 'uri')
    return pattern?.includes('https?') ? 'the address of a server' : 'an https URL'
  return 'text'
}

/** A description, with documents' paths turned into links. */
function linked(description = ''): string {
  return description.replace(/docs\/(\w+\.md)/g, '[$1]($1)')
}

function code(value: unknown): string {
  return `\`${String(value)}\``
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A paragraph in lines of at most 100 characters. */
function wrap(text: string): string {
  return text.replace(/(.{1,100})(?: |$)/g, '$1\n').trimEnd()
}

const INTRODUCTION = `# Settings

All settings, secrets and bindings of the Worker. \`npm run schema\` generates this page from the
schema in \`src/config/\`. [policy.md](policy.md) explains what matches lead to.

You set three things: secrets, the variable \`ORIGIN_URL\`, and the variable \`HASHGATE\`, which holds
everything else, grouped by feature.

\`\`\`toml
[vars]
ORIGIN_URL = "https://origin.example.com"

[vars.HASHGATE]
preset = "photos"
upload.maxBodyBytes = 50_000_000
events.sinks = ["console", "queue"]

[vars.HASHGATE.policy.banks.csam]
action = "quarantine"
\`\`\`

\`HASHGATE\` may also be JSON text, which \`.dev.vars\`, \`--var\` and the dashboard need:
\`HASHGATE={"preset":"photos"}\`. [schema/settings.json](schema/settings.json) is its JSON schema, for
editors.

- \`hashgate config\` prints the settings in effect from your \`wrangler.toml\` or \`wrangler.jsonc\`. It
  fails on everything that would stop the Worker: a wrong value, an unknown name, a missing binding.
  It also lists the secrets that you need.
- A wrong setting stops the deployment, and the error names its path. The running version stays.
- An unknown name inside \`HASHGATE\` stops the deployment, and the error suggests the nearest known
  name. You can have other variables of your own. One whose name is almost a known name is an error.
- Cloudflare allows 5 KB for a variable. \`hashgate config\` prints the bytes and fails above 5,120.
  Exemptions and texts can grow, so they are published with the list instead: \`hashgate list exempt\`
  and \`hashgate list texts\` take effect without a deployment ([policy.md](policy.md)).
- wrangler's named environments inherit no variables. Give each its own \`HASHGATE\`. A preset keeps
  it short: \`[env.staging.vars] HASHGATE = { preset = "photos", policy = { mode = "shadow" } }\`.
  \`hashgate config --env staging\` prints it.

## Presets

PRESETS
`
