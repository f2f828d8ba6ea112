/** Progress on the terminal, in one line that is written over; nothing where standard error is no terminal. */
export function showProgress(text: string, isLast: boolean): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}${isLast ? '\n' : ''}`)
}

export function endProgress(): void {
  showProgress('', true)
}
