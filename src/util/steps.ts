/** Work that can be broken off and gone on with: after each step, the caller may let other work run. */
export type Steps<T = void> = Generator<undefined, T>

/** Work that is done at once. */
// oxlint-disable-next-line require-yield
export function* only<T>(value: T): Steps<T> {
  return value
}

/** Does all of it without a break. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Does all of it, and waits for a turn of the event loop after each step. */
export async function inTurns<T>(steps: Steps<T>, turn: () => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await turn()
  }
}

/**
 * Lets everything else run that is ready. A promise that is settled already would not: its reaction runs before all others. Node's
 * timers wait a millisecond at least, its `setImmediate` does not.
 */
export function nextTurn(): Promise<void> {
  const { scheduler, setImmediate = setTimeout } = globalThis as Turns
  return scheduler?.wait?.(0) ?? new Promise((resolve) => setImmediate(() => resolve()))
}

/** What runtimes have to wait for a turn of their event loop: workerd has `scheduler`, Node `setImmediate`. */
interface Turns {
  scheduler?: { wait?: (ms: number) => Promise<void> }
  setImmediate?: (then: () => void) => unknown
}
