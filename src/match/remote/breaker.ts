/** Failures in a row after which a service is left alone. */
const MAX_FAILURES = 5
/** Milliseconds for which it is, if it does not say. */
const OPEN_MS = 60_000
/** Milliseconds for which it is at most, whatever it says. */
const MAX_OPEN_MS = 600_000
/** Milliseconds after which a question that tries whether it is back counts as lost. */
const TRY_MS = 30_000

/** Leaves a service alone that fails. After a while one question tries whether it is back. */
export class Breaker {
  readonly #now: () => number
  #failures = 0
  #openUntil = 0
  /** Until when another question tries already; its request may be gone before it says how it ended. */
  #tryingUntil = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether a question may be asked. A caller that gets `true` must report how it ended. */
  tryToAsk(): boolean {
    if (this.#openUntil === 0) return true
    if (this.#now() < Math.max(this.#openUntil, this.#tryingUntil)) return false
    this.#tryingUntil = this.#now() + TRY_MS
    return true
  }

  /** Whether it is closed: nothing was wrong of late. */
  get isClosed(): boolean {
    return this.#openUntil === 0
  }

  succeed(): void {
    this.#failures = 0
    this.#openUntil = 0
    this.#tryingUntil = 0
  }

  /**
   * Counts a failure. Returns for how many seconds the service is left alone; `undefined` if it is not.
   * @param how what a `RemoteError` says
   */
  fail({
    isLasting,
    retrySeconds,
  }: {
    isLasting: boolean
    retrySeconds: number | undefined
  }): number | undefined {
    this.#failures++
    const wasOpen = this.#openUntil > 0
    this.#tryingUntil = 0
    if (this.#failures < MAX_FAILURES && !isLasting && !wasOpen) return undefined
    const ms = Math.min(MAX_OPEN_MS, Math.max(OPEN_MS, (retrySeconds ?? 0) * 1000))
    this.#openUntil = this.#now() + ms
    return ms / 1000
  }
}
