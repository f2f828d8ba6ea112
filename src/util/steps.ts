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

/** Lets everything else run that is ready. A promise that is settled already would not: its reaction runs before all others. */
export function nextTurn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { wait?: (ms: number) => Promise<void> } }
  return scheduler?.wait?.(0) ?? new Promise((resolve) => setTimeout(resolve, 0))
}
