const LATE = Symbol('late')

/** The value of a promise, if it comes within `ms`. Otherwise throws what `error` returns. */
export async function within<T>(promise: Promise<T>, ms: number, error: () => Error): Promise<T> {
  const first = await raced(promise, ms, LATE)
  if (first === LATE) throw error()
  return first
}

/**
 * The value of a promise, unless nothing happens for `ms`. `lastAt` tells when something last did,
 * in milliseconds since the epoch.
 */
export async function unlessIdle<T>(
  promise: Promise<T>,
  ms: number,
  lastAt: () => number,
  error: () => Error,
): Promise<T> {
  const since = Date.now()
  for (let left = ms; left > 0; left = Math.max(since, lastAt()) + ms - Date.now()) {
    const first = await raced(promise, left, LATE)
    if (first !== LATE) return first
  }
  throw error()
}

/** The value of a promise, or `late` if it takes longer. */
export async function raced<T, L>(promise: Promise<T>, ms: number, late: L): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late), ms)
  })
  promise.catch(() => undefined) // it may fail later, when no one listens
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
