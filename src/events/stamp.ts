import type { GateEvent, Happening } from './schema.ts'

/**
 * Makes an event of what has just happened. Its id stays the same, wherever and however often the
 * event is delivered.
 */
export function stampEvent(happening: Happening): GateEvent {
  return {
    schema: 1,
    id: crypto.randomUUID(),
    time: new Date().toISOString(),
    ...happening,
  }
}
