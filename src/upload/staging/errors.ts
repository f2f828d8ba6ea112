import { HashgateError } from '../../util/errors.ts'

/** A part is not in the bucket: somebody else deletes there. */
export class PartMissingError extends HashgateError {
  readonly code = 'part-missing'

  constructor(key: string) {
    super(`the staged part ${key} is missing`)
  }
}

/** Another request has gone on with an upload, or ended it. */
export class UploadChangedError extends HashgateError {
  readonly code = 'upload-changed'

  constructor() {
    super('the upload has changed meanwhile')
  }
}

/** What was sent has another checksum than it should. */
export class ChecksumError extends HashgateError {
  readonly code = 'checksum'

  constructor() {
    super('the checksum does not match what was sent')
  }
}

/** The sent bytes exceed the end of the upload. */
export class BeyondEndError extends HashgateError {
  readonly code = 'beyond-end'

  constructor(length: number) {
    super(`what was sent goes beyond the end of the upload, ${length} bytes`)
  }
}
