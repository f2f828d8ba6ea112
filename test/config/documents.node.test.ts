import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settingsSchemaText, settingsText } from '../../scripts/settings-docs.ts'
import { readWranglerConfig } from '../../src/commands/stores.ts'
import { defaults, readConfig, readLibrarySettings } from '../../src/config/config.ts'
import { PRESETS } from '../../src/config/presets.ts'
import { LibrarySchema } from '../../src/config/schema.ts'

const docs = new URL('../../docs/', import.meta.url)

/** As much of JSON Schema as tables of settings have. */
interface Schema {
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema | false
}

/** A table of the settings: where it is, its names, and how settings look that have something in its place. */
interface Table {
  path: string
  names: string[]
  around: (inner: object) => object
}

/** All tables of a schema, those in lists and by names of the operator's, too. */
function tablesOf(schema: Schema, path: string, around: Table['around']): Table[] {
  const { properties, items, additionalProperties: others } = schema
  const named = Object.entries(properties ?? {})
  return [
    ...(properties ? [{ path, names: Object.keys(properties), around }] : []),
    ...named.flatMap(([name, inner]) =>
      tablesOf(inner, `${path}.${name}`, (one) => around({ [name]: one })),
    ),
    ...(items ? tablesOf(items, `${path}.0`, (one) => around([one])) : []),
    ...(others ? tablesOf(others, `${path}.any`, (one) => around({ any: one })) : []),
  ]
}

/** The name with its first two letters swapped. */
const misspelt = (name: string) => `${name[1]}${name[0]}${name.slice(2)}`

function compile() {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
  addFormats.default(ajv)
  return ajv.compile(JSON.parse(settingsSchemaText()) as object)
}

const accepts = compile()

describe('docs/schema/settings.json', () => {
  it('is what `npm run schema` makes', async () => {
    expect(await readFile(new URL('schema/settings.json', docs), 'utf8')).toBe(settingsSchemaText())
  })

  it('takes what the Worker takes', () => {
    for (const { settings } of Object.values(PRESETS)) expect(accepts(settings)).toBe(true)
    expect(accepts(defaults())).toBe(true)
    expect(
      accepts({ policy: { banks: { csam: { threshold: 31, review: { threshold: 40 } } } } }),
    ).toBe(true)
  })

  it.each([
    { polcy: {} },
    { preset: 'fotos' },
    { upload: { maxBodyBytes: 0 } },
    { policy: { banks: { csam: { action: 'blokc' } } } },
    { policy: { routes: [{ path: ['/a'] }] } },
    { scan: { addFamilies: ['none'] } },
  ])('refuses what the Worker refuses: %j', (settings) => {
    expect(accepts(settings)).toBe(false)
  })
})

describe('each setting', () => {
  const tables = tablesOf(JSON.parse(settingsSchemaText()) as Schema, '', (settings) => settings)

  it.each([
    ['HASHGATE', (HASHGATE: object) => readConfig({ HASHGATE })],
    ['settings', (settings: object) => readLibrarySettings(settings)],
  ] as const)('stops the deployment if it is misspelt, wherever it is: %s', (root, read) => {
    const isRead = (path: string) =>
      root === 'HASHGATE' || (path.split('.')[1] ?? 'none') in LibrarySchema.entries
    for (const { path, names, around } of tables.filter((one) => isRead(one.path))) {
      for (const name of names) {
        const wrong = misspelt(name)
        const right = name.length > 2 ? `did you mean ${name}?` : 'expected one of'
        expect(() => read(around({ [wrong]: 1 })), `${path}.${wrong}`).toThrow(
          `${root}${path}.${wrong} is not a setting; ${right}`,
        )
        expect(accepts(around({ [wrong]: 1 }))).toBe(false)
      }
    }
  })

  it('is in one of many tables', () => {
    expect(tables.length).toBeGreaterThan(20)
    expect(tables.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        '',
        '.policy.banks.any.review',
        '.policy.routes.0',
        '.remote.banks.any',
      ]),
    )
  })
})

describe('docs/settings.md', () => {
  it('is what `npm run schema` makes', async () => {
    expect(await readFile(new URL('settings.md', docs), 'utf8')).toBe(settingsText())
  })

  it('has each setting in a row, with a sentence', () => {
    const rows = settingsText()
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    for (const [group, settings] of Object.entries(defaults())) {
      for (const key of Object.keys(settings as object)) {
        const row = rows.find((line) => line.startsWith(`| \`${group}.${key}`))
        expect(row, `${group}.${key}`).toMatch(/\.( \||[^|]+ \|)$/)
      }
    }
  })
})

describe('what documents show of wrangler.toml', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hashgate-docs-'))
  })

  afterAll(() => rm(folder, { recursive: true }))

  const HEAD = 'name = "gate"\nmain = "worker.ts"\ncompatibility_date = "2026-10-20"\n'

  /** The settings of a configuration, as the Worker reads them. Keys that stand for real ones become such. */
  async function settingsOf(toml: string) {
    const config = join(folder, 'wrangler.toml')
    const real = toml.replaceAll(
      '"age1..."',
      '"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"',
    )
    await writeFile(config, /^name =/m.test(real) ? real : HEAD + real)
    const { vars } = await readWranglerConfig({ config })
    return readConfig(vars)
  }

  it('has settings that the Worker reads', async () => {
    const names = (await readdir(docs)).filter((name) => name.endsWith('.md'))
    const files = [...names, '../README.md']
    const shown: string[] = []
    for (const name of files) {
      const text = await readFile(new URL(name, docs), 'utf8')
      for (const [, toml = ''] of text.matchAll(/```toml\n(.*?)```/gs)) {
        if (!toml.includes('HASHGATE')) continue
        await expect(settingsOf(toml), `${name}: ${toml}`).resolves.toBeDefined()
        shown.push(name)
      }
    }
    expect(shown.length).toBeGreaterThan(5)
  })

  it('is a whole in wrangler.toml, with all that is commented out', async () => {
    const text = await readFile(new URL('../wrangler.toml', docs), 'utf8')
    const lines = text.split('\n').map((line) => line.replace(/^# (?=\[|[\w.]+ = )/, ''))
    const { preset, tus, events } = await settingsOf(lines.join('\n'))
    expect([preset, tus.path, events.sinks]).toEqual(['files', '/files', ['console', 'queue']])
  })
})
