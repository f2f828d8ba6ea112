/** Progress on one line that is overwritten; nothing if standard error is not a terminal. */
export function showProgress(text: string, isLast: boolean): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\x1b[K${isLast ? '\n' : ''}`)
}

export function endProgress(): void {
  showProgress('', true)
}

/** Records between two lines if standard error is not a terminal. */
const LINE_RECORDS = 100_000
const BAR_CELLS = 24

/**
 * Progress of reading records: a bar on a terminal if the total is known, otherwise a line now and
 * then.
 */
export class RecordProgress {
  #expected = 0
  #lines = 0

  /** @param expected the total, as far as it is known */
  show(done: number, expected = 0): void {
    // A provider reports smaller totals as it moves on to smaller windows.
    this.#expected = Math.max(this.#expected, expected)
    const text = progressText(done, this.#expected)
    if (process.stderr.isTTY) return showProgress(text, false)
    const lines = Math.floor(done / LINE_RECORDS)
    if (lines > this.#lines) process.stderr.write(`${text}\n`)
    this.#lines = lines
  }
}

/**
 * Progress as text: `[######------] 50 % of 2,000 records`, or `1,000 records` if the total is
 * unknown.
 */
export function progressText(done: number, expected: number): string {
  if (expected < done || expected === 0) return `${done.toLocaleString('en')} records`
  const share = done / expected
  const cells = Math.floor(share * BAR_CELLS)
  const bar = '#'.repeat(cells) + '-'.repeat(BAR_CELLS - cells)
  return `[${bar}] ${Math.floor(share * 100)} % of ${expected.toLocaleString('en')} records`
}
