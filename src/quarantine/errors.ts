import { HashgateError } from '../util/errors.ts'

/** There is no object of a case: it was never kept, or has expired. */
export class NoSuchCaseError extends HashgateError {
  readonly code = 'no-such-case'

  constructor(caseId: string) {
    super(`the quarantine has nothing of case ${caseId}: it was not kept, or is deleted`)
  }
}

/** The identities are none, or none that this was sealed to. */
export class WrongIdentityError extends HashgateError {
  readonly code = 'wrong-identity'
}

/** An object is not what was sealed: changed, cut off, or of another case. */
export class ObjectDamagedError extends HashgateError {
  readonly code = 'object-damaged'

  constructor(key: string, problem: string, options?: ErrorOptions) {
    super(`${key} ${problem}`, options)
  }
}
