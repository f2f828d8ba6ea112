/** Turns of the event loop that others have until something is done. */
export async function turnsBeside<T>(
  working: Promise<T>,
  turn: () => Promise<unknown> = () => new Promise((resolve) => setTimeout(resolve, 0)),
): Promise<{ result: T; turns: number }> {
  const state = { isDone: false }
  const done = working.finally(() => (state.isDone = true))
  let turns = 0
  for (; !state.isDone; turns++) await turn()
  return { result: await done, turns }
}
