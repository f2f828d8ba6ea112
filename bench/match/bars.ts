/** What the project holds itself to, and how it stands. */
export class Bars {
  readonly #rows: string[][] = []

  /** A value as a cell: with the bar, and whether it is met. */
  check(what: string, value: number, bar: number, digits = 2): string {
    const cell = value.toFixed(digits)
    this.#rows.push([what, cell, String(bar), value <= bar ? 'met' : 'MISSED'])
    return value <= bar ? `${cell} (bar ${bar})` : `${cell} (over the bar ${bar})`
  }

  /** `check` of a value that must not be below its bar. */
  checkLeast(what: string, value: number, bar: number, digits = 2): string {
    const cell = value.toFixed(digits)
    this.#rows.push([what, cell, `at least ${bar}`, value >= bar ? 'met' : 'MISSED'])
    return value >= bar ? `${cell} (bar ${bar})` : `${cell} (under the bar ${bar})`
  }

  /** All that were checked, as rows of a table. */
  get rows(): readonly string[][] {
    return this.#rows
  }
}
