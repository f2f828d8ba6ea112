/**
 * Outcome of a check. A `warning` is for people to look at; only `failed` makes the command fail.
 */
export interface Check {
  check: string
  state: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was found, and what to do if it is wrong. */
  message: string
}

const checkOf = (state: Check['state']) => (check: string, message: string) =>
  ({ check, state, message }) satisfies Check

export const ok = checkOf('ok')
export const warning = checkOf('warning')
export const failed = checkOf('failed')
export const skipped = checkOf('skipped')

/** Network errors in plain words. */
const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name cannot be looked up; is there a network?',
  ECONNRESET: 'the connection was cut off',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_SOCKET: 'the connection was cut off',
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  if (code === undefined) return error.message
  return NETWORK_WORDS[code] ?? `${error.message} (${code})`
}
