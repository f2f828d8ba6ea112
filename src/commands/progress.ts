/** Progress on the terminal, in one line that is written over; nothing where standard error is no terminal. */
export function showProgress(text: string, isLast: boolean): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\x1b[K${isLast ? '\n' : ''}`)
}

export function endProgress(): void {
  showProgress('', true)
}

/** Records after which a line is written where standard error is no terminal. */
const LINE_RECORDS = 100_000
const BAR_CELLS = 24

/** Progress of reading records: a bar on a terminal, where it is known how many there are; else a line now and then. */
export class RecordProgress {
  #expected = 0
  #lines = 0

  /** @param expected how many there will be, as far as that is known */
  show(done: number, expected = 0): void {
    // A provider tells less and less as it goes on to smaller windows.
    this.#expected = Math.max(this.#expected, expected)
    const text = progressText(done, this.#expected)
    if (process.stderr.isTTY) return showProgress(text, false)
    const lines = Math.floor(done / LINE_RECORDS)
    if (lines > this.#lines) process.stderr.write(`${text}\n`)
    this.#lines = lines
  }
}

/** How far it is: `[######------] 50 % of 2,000 records`, or `1,000 records` if nobody tells how many there are. */
export function progressText(done: number, expected: number): string {
  if (expected < done || expected === 0) return `${done.toLocaleString('en')} records`
  const share = done / expected
  const cells = Math.floor(share * BAR_CELLS)
  const bar = '#'.repeat(cells) + '-'.repeat(BAR_CELLS - cells)
  return `[${bar}] ${Math.floor(share * 100)} % of ${expected.toLocaleString('en')} records`
}
