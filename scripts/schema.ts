// Writes docs/schema/events-v1.json: the schema of events, for those who receive them.
//
//   node scripts/schema.ts

import { mkdir, writeFile } from 'node:fs/promises'
import { toJsonSchema } from '@valibot/to-json-schema'
import { EVENT_SCHEMAS, EventSchema, PART_SCHEMAS } from '../src/events/schema.ts'

const FILE = new URL('../docs/schema/events-v1.json', import.meta.url)

/** The file's text. */
export function eventSchemaText(): string {
  const { $schema, ...rest } = toJsonSchema(EventSchema, {
    target: 'draft-2020-12',
    definitions: { ...EVENT_SCHEMAS, ...PART_SCHEMAS },
  })
  const schema = {
    $schema,
    $id: 'urn:hashgate:events:v1',
    title: 'Events of hashgate, version 1',
    ...rest,
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

if (import.meta.main) {
  await mkdir(new URL('.', FILE), { recursive: true })
  await writeFile(FILE, eventSchemaText())
}
