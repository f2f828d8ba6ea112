import type { DigestKind } from '../list/entry.ts'
import { HashgateError } from '../util/errors.ts'

/** A body that is longer than allowed. */
export class BodyTooLargeError extends HashgateError {
  readonly code = 'too-large'

  constructor(maxBytes: number) {
    super(`the body is longer than ${maxBytes} bytes`)
  }
}

/** A body without a stated length that is too long to hold. */
export class LengthRequiredError extends HashgateError {
  readonly code = 'length-required'

  constructor(maxBytes: number) {
    super(`the body states no length, and is longer than ${maxBytes} bytes`)
  }
}

/** The origin has stopped reading a body. */
export class OriginStalledError extends HashgateError {
  readonly code = 'origin-stalled'

  constructor(ms: number) {
    super(`the origin neither read nor answered for ${ms} ms`)
  }
}

/** The list got a new kind of digest, which was not taken of the files of this upload. */
export class DigestKindAddedError extends HashgateError {
  readonly code = 'digest-kind-added'

  constructor(kinds: readonly DigestKind[]) {
    super(`the list got a new kind of digest while the upload arrived: ${kinds.join(', ')}`)
  }
}
