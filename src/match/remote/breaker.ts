/** Failures in a row after which a service is paused. */
const MAX_FAILURES = 5
/** Milliseconds of the pause, unless the service states them. */
const OPEN_MS = 60_000
/** Most milliseconds of the pause, whatever the service states. */
const MAX_OPEN_MS = 600_000
/** Milliseconds after which a trial query counts as lost. */
const TRY_MS = 30_000

/** Pauses a failing service. After a while, one trial query checks whether it is back. */
export class Breaker {
  readonly #now: () => number
  #failures = 0
  #openUntil = 0
  /** Until when another trial query is running. Its request may be gone before it reports the outcome. */
  #tryingUntil = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether a query may be sent. A caller that gets `true` must report its outcome. */
  tryToAsk(): boolean {
    if (this.#openUntil === 0) return true
    if (this.#now() < Math.max(this.#openUntil, this.#tryingUntil)) return false
    this.#tryingUntil = this.#now() + TRY_MS
    return true
  }

  succeed(): void {
    this.#failures = 0
    this.#openUntil = 0
    this.#tryingUntil = 0
  }

  /**
   * Counts a failure. Returns for how many seconds the service is paused; `undefined` if it is not.
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
