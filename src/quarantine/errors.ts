import { HashgateError } from '../util/errors.ts'

/** The quarantine has no object for a case: it was never kept, or has expired. */
export class NoSuchCaseError extends HashgateError {
  readonly code = 'no-such-case'

  constructor(caseId: string) {
    super(`the quarantine has no object for case ${caseId}: it was never kept, or has been deleted`)
  }
}

/** The identities are invalid, or the object was not sealed to any of them. */
export class WrongIdentityError extends HashgateError {
  readonly code = 'wrong-identity'
}

/** An object is not what was sealed: it was changed, truncated, or is from another case. */
export class ObjectDamagedError extends HashgateError {
  readonly code = 'object-damaged'

  constructor(key: string, problem: string, options?: ErrorOptions) {
    super(`${key} ${problem}`, options)
  }
}
