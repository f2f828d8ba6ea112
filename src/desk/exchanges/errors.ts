import { HashgateError } from '../../util/errors.ts'

/**
 * Why a provider's list could not be read. Messages never contain credentials, addresses with a
 * query, or hashes.
 */
export abstract class ExchangeError extends HashgateError {
  /** Seconds until another attempt is worthwhile; the runner chooses if absent. */
  retrySeconds: number | undefined
}

/** The provider rejects the credentials, or does not permit the request. */
export class NotAuthorizedError extends ExchangeError {
  readonly code = 'not-authorized'

  constructor(what: string, status: number) {
    super(
      status === 401
        ? `${what} does not accept the credentials (401); check user name and secret`
        : `${what} does not permit this account to do that (${status}); ask the provider, also about allowed addresses`,
    )
    this.retrySeconds = 3600
  }
}

/** The provider asks for fewer requests. */
export class RateLimitedError extends ExchangeError {
  readonly code = 'rate-limited'

  constructor(what: string, retrySeconds: number | undefined) {
    super(`${what} asks for fewer requests (429)`)
    this.retrySeconds = retrySeconds
  }
}

/** There is no answer, or the provider has a problem. */
export class UnavailableError extends ExchangeError {
  readonly code = 'unavailable'

  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(`${what} is not available: ${problem}`, options)
  }
}

/** The provider's answer does not match its documentation. */
export class BadAnswerError extends ExchangeError {
  readonly code = 'bad-answer'

  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(`the answer of ${what} ${problem}`, options)
  }
}
