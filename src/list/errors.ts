import { HashgateError } from '../errors.ts'

/** A line of a hash list that is none. */
export class BadListLineError extends HashgateError {
  readonly code = 'bad-list-line'
  readonly line: number

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`)
    this.line = line
  }
}

/** The store has no manifest: nothing was ever published, or this is another namespace. */
export class ListMissingError extends HashgateError {
  readonly code = 'list-missing'

  constructor() {
    super('no hash list has been published here')
  }
}

/** A stored value that must be there is not: not replicated yet, or deleted. */
export class ValueMissingError extends HashgateError {
  readonly code = 'value-missing'

  constructor(key: string) {
    super(`the store has no value for ${key}`)
  }
}

/** A stored value that is not what its name says. */
export class ValueDamagedError extends HashgateError {
  readonly code = 'value-damaged'

  constructor(key: string, problem: string, options?: ErrorOptions) {
    super(`the value of ${key} ${problem}`, options)
  }
}

/** The manifest was written by a newer hashgate. */
export class NewerFormatError extends HashgateError {
  readonly code = 'newer-format'

  constructor(format: number, known: number) {
    super(`the list has format ${format}, and this version of hashgate reads up to ${known}`)
  }
}

/** A list without entries would make everything pass. */
export class EmptyListError extends HashgateError {
  readonly code = 'empty-list'

  constructor() {
    super(
      'the list has no entries, and nothing was published; --allow-empty publishes an empty bank',
    )
  }
}

/** The list is larger than an isolate can hold beside uploads. */
export class ListTooLargeError extends HashgateError {
  readonly code = 'list-too-large'

  constructor(entries: number, maxEntries: number) {
    super(`the list has ${entries} entries, and a Worker holds ${maxEntries}`)
  }
}

/** LIST_KEY cannot be used. */
export class BadListKeyError extends HashgateError {
  readonly code = 'bad-list-key'

  constructor() {
    super(
      'LIST_KEY must be a key of 64 hex digits, or several with commas between; `hashgate list key` makes one',
    )
  }
}

/** A stored value was sealed with a key that is not in LIST_KEY. */
export class UnknownKeyError extends HashgateError {
  readonly code = 'unknown-key'

  constructor(key: string, keyId: string) {
    super(
      `the value of ${key} is sealed with key ${keyId}, which is not in LIST_KEY` +
        ' (where that key is lost, delete the value `manifest` and push the lists again)',
    )
  }
}
