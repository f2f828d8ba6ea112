import { HashgateError } from '../../util/errors.ts'

/** A part is missing from the bucket: something other than hashgate deletes objects there. */
export class PartMissingError extends HashgateError {
  readonly code = 'part-missing'

  constructor(key: string) {
    super(`the staged part ${key} is missing`)
  }
}

/** Another request has continued an upload, or ended it. */
export class UploadChangedError extends HashgateError {
  readonly code = 'upload-changed'
  /**
   * SHA-256, in hex digits, of a body that would have completed the upload. The other request may
   * have sent the same body.
   */
  readonly ending: string | undefined

  constructor(ending?: string) {
    super('another request has changed the upload')
    this.ending = ending
  }
}

/** The sent bytes do not match their checksum. */
export class ChecksumError extends HashgateError {
  readonly code = 'checksum'

  constructor() {
    super('the checksum does not match the sent bytes')
  }
}

/** The sent bytes exceed the end of the upload. */
export class BeyondEndError extends HashgateError {
  readonly code = 'beyond-end'

  constructor(length: number) {
    super(`the sent bytes exceed the length of the upload, ${length} bytes`)
  }
}
