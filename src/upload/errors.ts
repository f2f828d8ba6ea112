import type { DigestKind } from '../list/entry.ts'
import { HashgateError } from '../util/errors.ts'

/** A body that is longer than a gated one may be. */
export class BodyTooLargeError extends HashgateError {
  readonly code = 'too-large'

  constructor(maxBytes: number) {
    super(`the body is longer than ${maxBytes} bytes`)
  }
}

/** A body that does not say how long it is, and is too long to be held whole. */
export class LengthRequiredError extends HashgateError {
  readonly code = 'length-required'

  constructor(maxBytes: number) {
    super(`the body does not say its length, and is longer than ${maxBytes} bytes`)
  }
}

/** The origin takes no more of a body. */
export class OriginStalledError extends HashgateError {
  readonly code = 'origin-stalled'

  constructor(ms: number) {
    super(`the origin neither read nor answered for ${ms} ms`)
  }
}

/** The list has got a kind of digest that was not taken of the files of this upload. */
export class DigestKindAddedError extends HashgateError {
  readonly code = 'digest-kind-added'

  constructor(kinds: readonly DigestKind[]) {
    super(`the list got a new kind of digest while the upload arrived: ${kinds.join(', ')}`)
  }
}
