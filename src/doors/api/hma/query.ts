import { ApiError } from '../errors.ts'

/** @throws {ApiError} 400: the query has no such parameter */
export function requireParameter({ searchParams }: URL, name: string): string {
  const value = searchParams.get(name)
  if (value === null || value === '') throw new ApiError(400, `${name} is required`)
  return value
}

/** A parameter that is true or false, in the words that HMA accepts. @throws {ApiError} 400 */
export function readBoolean({ searchParams }: URL, name: string): boolean {
  const value = (searchParams.get(name) ?? 'false').toLowerCase()
  if (['true', '1', 'yes', 'on', 't', 'y'].includes(value)) return true
  if (['false', '0', 'no', 'off', 'f', 'n'].includes(value)) return false
  throw new ApiError(400, 'invalid boolean parameter - prefer true/false')
}

/** The banks that a caller asks about; `undefined` for all. */
export function readBanks({ searchParams }: URL): ReadonlySet<string> | undefined {
  const banks = searchParams.get('banks')
  return banks ? new Set(banks.split(',')) : undefined
}

/**
 * Content is not fetched from a URL: anyone with a key could probe hosts that only this Worker can
 * reach.
 * @throws {ApiError} 400, as HMA answers URLs that it does not allow
 */
export function refuseUrl({ searchParams }: URL): void {
  if (searchParams.get('url'))
    throw new ApiError(400, 'Invalid or unsafe URL provided: content is not fetched; POST it')
}
