import { HashgateError } from '../../util/errors.ts'

/** DESK_KEY cannot be used. */
export class BadDeskKeyError extends HashgateError {
  readonly code = 'bad-desk-key'

  constructor(isSet: boolean) {
    super(
      `DESK_KEY ${isSet ? 'must be 64 hex digits' : 'is not set'}; \`hashgate list key\` makes one`,
    )
  }
}

/** The ledger was written with another key. */
export class OtherDeskKeyError extends HashgateError {
  readonly code = 'other-desk-key'

  constructor(inLedger: string) {
    super(
      `the ledger was written with the key ${inLedger}, which is not DESK_KEY;` +
        ' set DESK_KEY to that key, or bind an empty database and sync again',
    )
  }
}

/** A row of the ledger does not match its seal. */
export class RecordDamagedError extends HashgateError {
  readonly code = 'record-damaged'

  constructor(row: string, options?: ErrorOptions) {
    super(`row ${row} of the ledger does not match its seal`, options)
  }
}

/** Another process is working on the same thing. */
export class LeaseTakenError extends HashgateError {
  readonly code = 'lease-taken'

  constructor(name: string, seconds: number) {
    super(`${name} is in use elsewhere, for at most ${seconds} more seconds`)
  }
}

/** The lease expired during the work, and the last step was not written. */
export class LeaseLostError extends HashgateError {
  readonly code = 'lease-lost'

  constructor(name: string) {
    super(`the lease of ${name} ran out; nothing of the last step was written`)
  }
}

/** A source now feeds a different bank than its records were published in. */
export class BankChangedError extends HashgateError {
  readonly code = 'bank-changed'

  constructor(source: string, was: string, is: string) {
    super(
      `${source} feeds bank ${was}, but the settings name ${is}; a source cannot move.` +
        ' Add it under a new name, and remove this one',
    )
  }
}

/** A record is too large for a row. */
export class RecordTooLargeError extends HashgateError {
  readonly code = 'record-too-large'

  constructor(bytes: number) {
    super(`a record has ${bytes} bytes, more than a row holds`)
  }
}
