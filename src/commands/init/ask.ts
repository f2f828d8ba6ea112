import { createInterface } from 'node:readline/promises'
import { PRESET_NAMES } from '../../config/presets.ts'

/** Answers as they are given: by options, or typed. */
export type Given = Record<string, unknown>

interface Question {
  name: string
  text: string
  /** Taken if nothing is typed. */
  fallback?: string
  /** Whether it need not be asked, by what is known. */
  isNeedless?: (given: Given) => boolean
}

const QUESTIONS: readonly Question[] = [
  { name: 'name', text: 'Name of the Worker', fallback: 'hashgate' },
  { name: 'origin', text: 'Address of your origin (empty: the server behind the route)' },
  {
    name: 'route',
    text: 'Route, such as files.example.com/* (empty: none yet)',
  },
  {
    name: 'zone',
    text: 'Zone of the route, such as example.com',
    isNeedless: ({ route }) => !route,
  },
  {
    name: 'service',
    text: 'Without a list: a service to ask about hashes (arachnid, tcap; empty: you have a list)',
  },
  {
    name: 'user',
    text: 'User name for the service',
    isNeedless: ({ service }) => !service,
  },
  { name: 'preset', text: `Preset (${PRESET_NAMES.join(', ')})`, fallback: 'files' },
  { name: 'action', text: 'What a match does (block, quarantine, flag)', fallback: 'block' },
  {
    name: 'recipient',
    text: 'Public key of age for the quarantine',
    isNeedless: ({ action }) => action !== 'quarantine',
  },
  { name: 'webhook', text: 'Webhook for events, an https URL (empty: none)' },
  {
    name: 'heic',
    text: 'Decode HEIC: by Cloudflare Images, which is billed, or by libheif in the Worker, which is under LGPL-3.0 (no, images, libheif)',
    fallback: 'no',
  },
]

/** Asks a person for what the options do not say. */
export async function askFor(given: Given): Promise<Given> {
  const answers: Given = { ...given }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    for (const { name, text, fallback = '', isNeedless } of QUESTIONS) {
      if (answers[name] !== undefined || isNeedless?.(answers)) continue
      const typed = (await terminal.question(`${text}${fallback && ` [${fallback}]`}: `)).trim()
      const answer = typed || fallback
      if (answer !== '') answers[name] = answer
    }
  } finally {
    terminal.close()
  }
  return answers
}
