import { PRESET_NAMES } from '../../config/presets.ts'
import { askAll, type Given, type Question } from '../questions.ts'

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
    text: 'Decode HEIC with Cloudflare Images, which is billed (yes, no)',
    fallback: 'no',
  },
]

/** Asks a person for what the options do not say. */
export async function askFor(given: Given): Promise<Given> {
  const answers = await askAll(QUESTIONS, given)
  const { heic } = answers
  return typeof heic === 'string' ? { ...answers, heic: /^y/i.test(heic) } : answers
}
