import { createInterface, type Interface } from 'node:readline/promises'
import * as v from 'valibot'
import { PRESET_NAMES } from '../../config/presets.ts'
import { AnswersSchema, InitError } from './options.ts'

/** Answers as they are given: by options, or typed. */
export type Given = Record<string, unknown>

interface Question {
  name: keyof typeof AnswersSchema.entries
  text: string
  /** Taken if nothing is typed. */
  fallback?: string
  /** Whether it must be answered. */
  isNeeded?: true
  /** Whether it need not be asked, by what is known. */
  isNeedless?: (given: Given) => boolean
}

const QUESTIONS: readonly Question[] = [
  { name: 'name', text: 'Name of the Worker' },
  {
    name: 'origin',
    text: 'Your origin, as https://origin.example.com (empty: what is behind the route)',
  },
  { name: 'route', text: 'Route, as files.example.com/* (empty: none yet)' },
  {
    name: 'zone',
    text: 'Zone of the route, as example.com',
    isNeeded: true,
    isNeedless: ({ route }) => !route,
  },
  {
    name: 'service',
    text: 'Without a list: the service to ask, arachnid or tcap (empty: you have a list)',
  },
  {
    name: 'user',
    text: 'User name that the service gave you',
    isNeeded: true,
    isNeedless: ({ service }) => !service,
  },
  { name: 'preset', text: `Preset: ${PRESET_NAMES.join(', ')}`, fallback: 'files' },
  { name: 'action', text: 'What a match does: block, quarantine, flag', fallback: 'block' },
  {
    name: 'recipient',
    text: 'Public key of the quarantine (`npx hashgate quarantine keygen` makes one)',
    isNeeded: true,
    isNeedless: ({ action }) => action !== 'quarantine',
  },
  { name: 'webhook', text: 'Webhook for events, sent through a queue: an https URL (empty: none)' },
  {
    name: 'heic',
    text: 'Decode HEIC with Cloudflare Images, which is billed: yes, no',
    fallback: 'no',
  },
]

/** Asks a person for what the options do not say. A wrong answer is asked for again. @throws {InitError} Ctrl-C or Ctrl-D */
export async function askFor(given: Given, name: string): Promise<Given> {
  const answers: Given = { ...given }
  await inTerminal(async (terminal) => {
    for (const question of QUESTIONS) {
      if (answers[question.name] !== undefined || question.isNeedless?.(answers)) continue
      const usual = question.name === 'name' ? { fallback: name } : {}
      const answer = await ask(terminal, { ...question, ...usual })
      if (answer !== undefined) answers[question.name] = answer
    }
  })
  return answers
}

/** Asks which folder it is to be. @throws {InitError} Ctrl-C or Ctrl-D */
export async function askFolder(): Promise<string> {
  return inTerminal(async (terminal) => {
    const typed = await terminal.question('Folder of the deployment [gate]: ')
    return typed.trim() || 'gate'
  })
}

async function ask(terminal: Interface, question: Question): Promise<unknown> {
  const { name, text, fallback = '', isNeeded } = question
  for (;;) {
    const typed = (await terminal.question(`${text}${fallback && ` [${fallback}]`}: `)).trim()
    const answer = valueOf(name, typed || fallback)
    const problem = answer === undefined ? isNeeded && 'needs an answer' : problemOf(name, answer)
    if (!problem) return answer
    process.stderr.write(`  It ${problem}.\n`)
  }
}

function valueOf(name: string, text: string): unknown {
  if (name !== 'heic') return text || undefined
  return /^y(es)?$/i.test(text) || (/^no?$/i.test(text) ? false : text)
}

function problemOf(name: Question['name'], answer: unknown): string | undefined {
  const result = v.safeParse(AnswersSchema.entries[name], answer)
  return result.success ? undefined : result.issues[0].message
}

async function inTerminal<T>(use: (terminal: Interface) => Promise<T>): Promise<T> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await use(terminal)
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'AbortError') throw cause
    process.stderr.write('\n')
    throw new InitError('stopped; nothing was written', { cause })
  } finally {
    terminal.close()
  }
}
