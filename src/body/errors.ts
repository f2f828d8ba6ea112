import { HashgateError } from '../util/errors.ts'

/** A body that contradicts its headers, or that an origin may read differently from the gate. */
export class MalformedBodyError extends HashgateError {
  readonly code = 'malformed'

  constructor(problem: string) {
    super(`the body is malformed: ${problem}`)
  }
}

/** A body with too many files, fields, or bytes when decompressed. */
export class BodyOverLimitError extends HashgateError {
  readonly code = 'body-over-limit'

  constructor(what: string, limit: number) {
    super(`the body has more than ${limit} ${what}`)
  }
}
