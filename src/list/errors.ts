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
