/** Seconds that a Retry-After asks for: a number, or a date (RFC 9110, 10.2.3). `undefined` if it is neither. */
export function retryAfterSeconds(header: string, now = Date.now()): number | undefined {
  if (/^\d+$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000))
}
