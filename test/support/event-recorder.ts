import { type Schema, Validator } from '@cfworker/json-schema'
import { afterEach, expect } from 'vitest'
import schema from '../../docs/schema/events-v1.json'
import type { GateEvent } from '../../src/events/schema.ts'
import { closed } from './closed-schema.ts'

/** What all events have. */
export const STAMP = {
  schema: 1,
  id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/),
  time: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
}

// Ajv compiles, which Workers may not.
const validator = new Validator(closed(schema) as Schema, '2020-12')

/** What is wrong with the events of a test, which fails by it. */
const problems: unknown[] = []
const ids = new Set<string>()

afterEach(() => {
  const found = problems.splice(0)
  if (found.length > 0) throw new Error(`wrong events: ${JSON.stringify(found, null, 2)}`)
})

/** Takes events into an array, and sees that each is as docs/schema/ says and has an id of its own. */
export function recordIn(events: GateEvent[]): (event: GateEvent) => void {
  return (event) => {
    events.push(event)
    const { valid, errors } = validator.validate(JSON.parse(JSON.stringify(event)))
    if (!valid) problems.push({ event, errors })
    if (ids.has(event.id)) problems.push(`the id ${event.id} comes twice`)
    ids.add(event.id)
  }
}
