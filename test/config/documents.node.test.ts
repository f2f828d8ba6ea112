import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settingsSchemaText, settingsText } from '../../scripts/settings-docs.ts'
import { readWranglerConfig } from '../../src/commands/stores.ts'
import { defaults, readConfig } from '../../src/config/config.ts'
import { PRESETS } from '../../src/config/presets.ts'

const docs = new URL('../../docs/', import.meta.url)

function compile() {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
  addFormats.default(ajv)
  return ajv.compile(JSON.parse(settingsSchemaText()) as object)
}

describe('docs/schema/settings.json', () => {
  it('is what `npm run schema` makes', async () => {
    expect(await readFile(new URL('schema/settings.json', docs), 'utf8')).toBe(settingsSchemaText())
  })

  it('takes what the Worker takes', () => {
    const accepts = compile()
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
    expect(compile()(settings)).toBe(false)
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
