import { createInterface, type ReadLineOptions } from 'node:readline/promises'

/** Answers as they are given: by options, or typed. */
export type Given = Record<string, unknown>

export interface Question {
  name: string
  text: string
  /** Taken if nothing is typed. */
  fallback?: string
  /** Whether it need not be asked, by what is known. */
  isNeedless?: (given: Given) => boolean
}

const TERMINAL: ReadLineOptions = { input: process.stdin, output: process.stderr }

/** Asks a person in the terminal for what is not given. What they leave empty, and has no fallback, stays away. */
export async function askAll(
  questions: readonly Question[],
  given: Given,
  where = TERMINAL,
): Promise<Given> {
  const answers: Given = { ...given }
  const terminal = createInterface(where)
  try {
    for (const { name, text, fallback = '', isNeedless } of questions) {
      if (answers[name] !== undefined || isNeedless?.(answers)) continue
      const typed = (await terminal.question(`${text}${fallback && ` [${fallback}]`}: `)).trim()
      if (typed || fallback) answers[name] = typed || fallback
    }
  } finally {
    terminal.close()
  }
  return answers
}
