import { createInterface, type Interface, type ReadLineOptions } from 'node:readline/promises'
import { HashgateError } from '../util/errors.ts'

/** Answers as they are given: by options, or typed. */
export type Given = Record<string, unknown>

export interface Question {
  name: string
  text: string
  /** Taken if nothing is typed. */
  fallback?: string
  /** Whether it must be answered. */
  isNeeded?: true
  /** Whether it need not be asked, by what is known. */
  isNeedless?: (given: Given) => boolean
  /** The answer that a text is; the text itself, if absent. */
  read?: (text: string) => unknown
  /** What is wrong with an answer, as in "must be yes or no". It is asked again then. */
  problemOf?: (answer: unknown) => string | undefined
}

/** The person who was asked pressed Ctrl-C or Ctrl-D. */
export class StoppedError extends HashgateError {
  readonly code = 'stopped'
}

const TERMINAL: ReadLineOptions = { input: process.stdin, output: process.stderr }

/**
 * Asks a person in the terminal for what is not given. What they leave empty, and has no fallback, stays away.
 * @throws {StoppedError} they pressed Ctrl-C or Ctrl-D
 */
export async function askAll(
  questions: readonly Question[],
  given: Given,
  where = TERMINAL,
): Promise<Given> {
  const answers: Given = { ...given }
  const terminal = createInterface(where)
  try {
    for (const question of questions) {
      if (answers[question.name] !== undefined || question.isNeedless?.(answers)) continue
      const answer = await askOne(terminal, question, where)
      if (answer !== undefined) answers[question.name] = answer
    }
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'AbortError') throw cause
    where.output?.write('\n')
    throw new StoppedError('stopped; nothing was written', { cause })
  } finally {
    terminal.close()
  }
  return answers
}

/** Asks one question. @throws {StoppedError} the person pressed Ctrl-C or Ctrl-D */
export async function askText(text: string, fallback: string): Promise<string> {
  const { answer } = await askAll([{ name: 'answer', text, fallback }], {})
  return String(answer)
}

async function askOne(
  terminal: Interface,
  { text, fallback = '', isNeeded, read, problemOf }: Question,
  { output }: ReadLineOptions,
): Promise<unknown> {
  for (;;) {
    const typed = (await terminal.question(`${text}${fallback && ` [${fallback}]`}: `)).trim()
    const known = typed || fallback || undefined
    const answer = known !== undefined && read ? read(known) : known
    const problem = answer === undefined ? isNeeded && 'needs an answer' : problemOf?.(answer)
    if (!problem) return answer
    output?.write(`  It ${problem}.\n`)
  }
}
