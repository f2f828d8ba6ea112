import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { settingsSchemaText, settingsText } from '../../scripts/settings-docs.ts'
import { defaults } from '../../src/config/config.ts'
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
