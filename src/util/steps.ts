/** Work that can be paused: after each step, the caller may let other work run. */
export type Steps<T = void> = Generator<undefined, T>

/** Work without a step, which returns this value. */
// oxlint-disable-next-line require-yield
export function* only<T>(value: T): Steps<T> {
  return value
}

/** Does all the work without a break. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Does all the work, and waits for a turn of the event loop after each step. */
export async function inTurns<T>(steps: Steps<T>, turn: () => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await turn()
  }
}

/**
 * Lets all other ready work run. Awaiting a settled promise would not: its reaction runs first.
 * Node's timers wait at least a millisecond; its `setImmediate` does not.
 */
export function nextTurn(): Promise<void> {
  const { scheduler, setImmediate = setTimeout } = globalThis as Turns
  return scheduler?.wait?.(0) ?? new Promise((resolve) => setImmediate(() => resolve()))
}

/** How runtimes wait for a turn of the event loop: workerd by `scheduler`, Node by `setImmediate`. */
interface Turns {
  scheduler?: { wait?: (ms: number) => Promise<void> }
  setImmediate?: (then: () => void) => unknown
}
