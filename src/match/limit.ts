/** Limits how many tasks run at once. The others wait in order of arrival. */
export class ConcurrencyLimit {
  #free: number
  readonly #waiting: (() => void)[] = []
  #failure: { error: unknown } | undefined

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Runs a task when it is its turn. @throws what it throws; or what an earlier one threw, without being run */
  async run<T>(something: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      if (this.#failure) throw this.#failure.error
      return await something()
    } catch (error) {
      this.#failure ??= { error }
      throw error
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
