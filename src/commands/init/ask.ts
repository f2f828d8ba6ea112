import * as v from 'valibot'
import { PRESET_NAMES } from '../../config/presets.ts'
import { askAll, type Given, type Question } from '../questions.ts'
import { AnswersSchema } from './options.ts'

const QUESTIONS: readonly InitQuestion[] = [
  { name: 'name', text: 'Name of the Worker' },
  {
    name: 'origin',
    text: 'Your origin, such as https://origin.example.com (empty: the server behind the route)',
  },
  { name: 'route', text: 'Route, such as files.example.com/* (empty: add one later)' },
  {
    name: 'zone',
    text: 'Zone of the route, such as example.com',
    isNeeded: true,
    isNeedless: ({ route }) => !route,
  },
  {
    name: 'service',
    text: 'Service to ask if you have no list, arachnid or tcap (empty: you have a list)',
  },
  {
    name: 'user',
    text: 'Your user name at the service',
    isNeeded: true,
    isNeedless: ({ service }) => !service,
  },
  { name: 'preset', text: `Preset: ${PRESET_NAMES.join(', ')}`, fallback: 'files' },
  { name: 'action', text: 'What a match does: block, quarantine, flag', fallback: 'block' },
  {
    name: 'recipient',
    text: 'Public key of the quarantine (make one with `npx hashgate quarantine keygen`)',
    isNeeded: true,
    isNeedless: ({ action }) => action !== 'quarantine',
  },
  { name: 'webhook', text: 'Webhook that receives events, an https URL (empty: none)' },
  {
    name: 'queue',
    text: 'Send events to a queue that your program reads: yes, no',
    fallback: 'no',
    read: (text) => (text === 'yes' ? true : text === 'no' ? false : text),
    isNeedless: ({ webhook }) => webhook !== undefined, // a webhook always has a queue
  },
  {
    name: 'heic',
    text: 'Decode HEIC: no, images (Cloudflare, billed), libheif (LGPL-3.0)',
    fallback: 'no',
  },
]

/** Asks for what the options leave open. */
export function askFor(given: Given, name: string): Promise<Given> {
  return askAll(
    QUESTIONS.map((question) => checked(question, name)),
    given,
  )
}

interface InitQuestion extends Question {
  name: keyof typeof AnswersSchema.entries
}

/** A question that repeats until `AnswersSchema` accepts the answer. */
function checked(question: InitQuestion, name: string): Question {
  const checks = { problemOf: (answer: unknown) => answerProblem(question.name, answer) }
  if (question.name === 'name') return { ...question, ...checks, fallback: name }
  return { ...question, ...checks }
}

function answerProblem(name: InitQuestion['name'], answer: unknown): string | undefined {
  const result = v.safeParse(AnswersSchema.entries[name], answer)
  return result.success ? undefined : result.issues[0].message
}
