import { HashgateError } from '../util/errors.ts'

/** An invalid line in a hash list; in JSON, an invalid record. */
export class BadListLineError extends HashgateError {
  readonly code = 'bad-list-line'
  readonly line: number

  constructor(line: number, problem: string, unit: 'line' | 'record' = 'line') {
    super(`${unit} ${line}: ${problem}`)
    this.line = line
  }
}

/** A line that causes others to be misread, so that skipping it would lose hashes. */
export class MisleadingLineError extends HashgateError {
  readonly code = 'misleading-list-line'

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`)
  }
}

/** A file that is not a hash list. */
export class BadListError extends HashgateError {
  readonly code = 'bad-list'
}

/** Hashes with 64 digits whose kind is unclear: a wrong guess would make entries that never match. */
export class UnclearKindError extends HashgateError {
  readonly code = 'unclear-kind'

  constructor(problem: string) {
    super(
      `${problem}. Say which with --kind sha256 or --kind pdq, or with a column named kind in the list`,
    )
  }
}

/** The store has no manifest: nothing was ever published, or this is another namespace. */
export class ListMissingError extends HashgateError {
  readonly code = 'list-missing'

  constructor() {
    super('no hash list has been published here')
  }
}

/** The store has no manifest, and had one: the list was deleted, or this is another namespace. */
export class ListVanishedError extends HashgateError {
  readonly code = 'list-vanished'

  constructor(options?: ErrorOptions) {
    super('the hash list is gone; publish it again with `list push`', options)
  }
}

/** A stored value that must be there is not: not replicated yet, or deleted. */
export class ValueMissingError extends HashgateError {
  readonly code = 'value-missing'

  constructor(key: string) {
    super(`the store has no value for ${key}`)
  }
}

/** A stored value that does not match its name. */
export class ValueDamagedError extends HashgateError {
  readonly code = 'value-damaged'

  constructor(key: string, problem: string, options?: ErrorOptions) {
    super(`the value of ${key} ${problem}`, options)
  }
}

/** The manifest was written by another version of hashgate. */
export class OtherFormatError extends HashgateError {
  readonly code = 'other-format'
  constructor(format: number, known: number) {
    super(
      `the list has format ${format}, and this version of hashgate reads ${known}` +
        (format < known ? ': delete the value `manifest` and push all banks again' : ''),
    )
  }
}

/** The store did not answer in time. */
export class StoreTimeoutError extends HashgateError {
  readonly code = 'store-timeout'

  constructor(key: string, ms: number) {
    super(`the store gave no value for ${key} within ${ms / 1000} seconds`)
  }
}

/** The list in use was not confirmed for too long. */
export class StaleListError extends HashgateError {
  readonly code = 'stale-list'

  constructor(ageSeconds: number) {
    super(`the list has not been confirmed as the latest for ${ageSeconds} seconds`)
  }
}

/** The list is being loaded, and it takes long. */
export class ListLoadingError extends HashgateError {
  readonly code = 'list-loading'

  constructor() {
    super('the list is still being loaded')
  }
}

/** The store answers with a manifest that is older than one that was in use: here, or anywhere according to the pin. */
export class OlderManifestError extends HashgateError {
  readonly code = 'older-manifest'

  constructor(version: number) {
    super(
      `the store returned version ${version}, which is older than a version that was in use` +
        ' (if you restored it, allow it with `hashgate list pin --reset`)',
    )
  }
}

/** Somebody else publishes, or has just done so. */
export class PublishConflictError extends HashgateError {
  readonly code = 'publish-conflict'

  constructor(version: number) {
    super(
      `version ${version} was published by somebody else at the same time, or has not reached every location yet;  ` +
        'run this again in a minute',
    )
  }
}

/** An earlier version that cannot be published again. */
export class VersionMissingError extends HashgateError {
  readonly code = 'version-missing'

  constructor(version: number, problem: string, options?: ErrorOptions) {
    super(`cannot roll back to version ${version}: ${problem}`, options)
  }
}

/** A list without entries would make everything pass. */
export class EmptyListError extends HashgateError {
  readonly code = 'empty-list'

  constructor() {
    super(
      'the list has no entries, so nothing was published; publish an empty bank with --allow-empty',
    )
  }
}

/** The list is larger than an isolate can hold in addition to uploads. */
export class ListTooLargeError extends HashgateError {
  readonly code = 'list-too-large'

  constructor(kind: string, entries: number, maxEntries: number) {
    super(`the list has ${entries} ${kind} entries, and an isolate holds ${maxEntries}`)
  }
}

/**
 * LIST_KEY cannot be used. A Worker of its own does not start; the middleware refuses requests and reports it.
 * @example
 * ```ts
 * import { BadListKeyError } from 'hashgate'
 *
 * export default { fetch: () => new Response(new BadListKeyError().message) }
 * ```
 */
export class BadListKeyError extends HashgateError {
  readonly code = 'bad-list-key'

  constructor() {
    super(
      'LIST_KEY must be a key of 64 hex digits, or several keys separated by commas; make one with `hashgate list key`',
    )
  }
}

/** A stored value was sealed with a key that is not in LIST_KEY. */
export class UnknownKeyError extends HashgateError {
  readonly code = 'unknown-key'

  constructor(key: string, keyId: string) {
    super(
      `the value of ${key} is sealed with key ${keyId}, which is not in LIST_KEY` +
        ' (if that key is lost, delete the value `manifest` and push the lists again)',
    )
  }
}

/** A bank that is named is not in the list. */
export class UnknownListBankError extends HashgateError {
  readonly code = 'bank-not-listed'

  constructor(name: string, banks: readonly string[]) {
    super(`the list has no bank ${name}; it has ${banks.join(', ')}`)
  }
}

/** The list has more exemptions or texts than every reader should have to read. */
export class TooManyNotesError extends HashgateError {
  readonly code = 'too-many-notes'

  constructor(what: string, max: number) {
    super(`the list may have at most ${max.toLocaleString('en')} ${what}`)
  }
}
