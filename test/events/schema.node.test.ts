import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { eventFieldsText, eventSchemaText } from '../../scripts/schema.ts'
import { closed } from '../support/closed-schema.ts'

interface EventSchema {
  $defs: Record<string, { properties: Record<string, unknown>; examples?: object[] }>
}

const text = await readFile(new URL('../../docs/schema/events-v1.json', import.meta.url), 'utf8')
const fields = await readFile(new URL('../../docs/schema/events-v1.md', import.meta.url), 'utf8')
const schema = JSON.parse(text) as EventSchema
const examples = Object.entries(schema.$defs).flatMap(([name, { examples: some }]) =>
  (some ?? []).map((example) => [name, example as Record<string, unknown>] as const),
)
const isEvent = compile(schema)
const isTestedEvent = compile(closed(schema))

function compile(any: unknown) {
  const ajv = new Ajv2020({ strict: true, allErrors: true })
  addFormats.default(ajv)
  return ajv.compile(any as object)
}

describe('docs/schema/events-v1.json', () => {
  it('is what `npm run schema` makes', () => {
    expect(text).toBe(eventSchemaText())
    expect(fields).toBe(eventFieldsText())
  })

  it('stands in tables, with each field of each event', () => {
    const sections = new Map(fields.split('\n## ').map((part) => [part.split('\n', 1)[0], part]))
    for (const [name, { properties }] of Object.entries(schema.$defs)) {
      for (const field of Object.keys(properties)) {
        const isShared = name !== 'file' && ['schema', 'id', 'time', 'event'].includes(field)
        const section = isShared ? fields : sections.get(name)
        expect(section, `${name}.${field}`).toContain(
          isShared ? `\`${field}\`` : `| \`${field}\` |`,
        )
      }
    }
  })

  it('has examples of each event, which are as it says', () => {
    const events = Object.keys(schema.$defs).filter((name) => !['file', 'match'].includes(name))
    expect(new Set(examples.map(([name]) => name))).toEqual(new Set(events))
    for (const [name, example] of examples) {
      expect([example['event'], isTestedEvent(example), isTestedEvent.errors]).toEqual([
        name,
        true,
        null,
      ])
    }
    const ids = examples.map(([, { id }]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('lets fields be added, which the tests do not', () => {
    for (const [, example] of examples) {
      const added = { ...example, more: 1 }
      expect([isEvent(added), isTestedEvent(added)]).toEqual([true, false])
    }
  })

  it.each(['schema', 'id', 'time', 'event'])('wants %s of all events', (field) => {
    for (const [, example] of examples) {
      expect(isEvent({ ...example, [field]: undefined })).toBe(false)
      expect(isEvent({ ...example, [field]: 'x' })).toBe(false)
    }
  })

  it('describes each field', () => {
    for (const [name, { properties }] of Object.entries(schema.$defs)) {
      for (const [field, property] of Object.entries(properties)) {
        expect(field === 'event' || 'description' in (property as object), `${name}.${field}`).toBe(
          true,
        )
      }
    }
  })
})
