import { createInterface, type Interface, type ReadLineOptions } from 'node:readline/promises'
import { HashgateError } from '../util/errors.ts'

const TERMINAL: ReadLineOptions = { input: process.stdin, output: process.stderr }

/**
 * Asks in the terminal for missing answers. An empty answer without a fallback stays missing.
 * @throws {StoppedError} the user pressed Ctrl-C or Ctrl-D
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

/** Answers as given, by options or typed. */
export type Given = Record<string, unknown>

export interface Question {
  name: string
  text: string
  /** Used if nothing is typed. */
  fallback?: string
  /** Whether an answer is required. */
  isNeeded?: true
  /** Whether the known answers make the question unnecessary. */
  isNeedless?: (given: Given) => boolean
  /** Turns the typed text into the answer; without it the text is the answer. */
  read?: (text: string) => unknown
  /** What is wrong with an answer, as in "must be yes or no". The question is then repeated. */
  problemOf?: (answer: unknown) => string | undefined
}

/** The user pressed Ctrl-C or Ctrl-D. */
export class StoppedError extends HashgateError {
  readonly code = 'stopped'
}

/** Asks one question. @throws {StoppedError} the user pressed Ctrl-C or Ctrl-D */
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
