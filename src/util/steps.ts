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

/** Lets all other ready work run. A settled promise would not: its reaction runs before that. */
export function nextTurn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { wait?: (ms: number) => Promise<void> } }
  return scheduler?.wait?.(0) ?? new Promise((resolve) => setTimeout(resolve, 0))
}
