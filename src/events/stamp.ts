import type { GateEvent, Happening } from './schema.ts'

/** Makes an event of what happens now. The id is the same wherever the event gets to, however often. */
export function stampEvent(happening: Happening): GateEvent {
  return {
    schema: 1,
    id: crypto.randomUUID(),
    time: new Date().toISOString(),
    ...happening,
  }
}
