/** Faults of one part. They come in turns, so that a run has all of them, and are counted. */
export class Faults<Kind extends string> {
  /** Share of requests that go wrong, 0 to 1. */
  share = 0
  readonly #counts: Map<Kind, number>
  readonly #random: () => number

  constructor(kinds: readonly Kind[], random: () => number) {
    this.#counts = new Map(kinds.map((kind) => [kind, 0]))
    this.#random = random
  }

  /** How often each fault has happened. */
  get counts(): ReadonlyMap<Kind, number> {
    return this.#counts
  }

  /** What goes wrong with a request, if anything. */
  pick(isPossible: (kind: Kind) => boolean = () => true): Kind | undefined {
    return this.#random() < this.share ? this.next(isPossible) : undefined
  }

  /** The fault that has happened least often. Only `note` counts one: others may not come to pass. */
  next(isPossible: (kind: Kind) => boolean = () => true): Kind | undefined {
    const [least] = [...this.#counts]
      .filter(([kind]) => isPossible(kind))
      .toSorted(([, a], [, b]) => a - b)
    return least?.[0]
  }

  note(kind: Kind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }
}
