// Parsers of command-line options. They throw InvalidArgumentError for an unusable value.

import { InvalidArgumentError } from 'commander'
import { isKeyName, parseScopes, SCOPES } from '../doors/api/keys.ts'
import { BANK_NAME, MAX_THRESHOLD } from '../list/manifest.ts'
import { isCaseId } from '../quarantine/objects.ts'
import { parseProbeSet, PROBE_SET_WORDS } from '../scan/probes/sets.ts'

export const parseBank = parser(
  like((text) => BANK_NAME.test(text)),
  'must be lower-case letters, digits, dots, hyphens and underscores, 64 at most',
)
export const parseCaseId = parser(like(isCaseId), 'must be a case id: a UUID in lower case')
export const parseKeyName = parser(
  like(isKeyName),
  'must be 1 to 64 letters, digits, dots, hyphens and underscores',
)
export const parseKeyScopes = parser(parseScopes, `must be some of ${SCOPES.join(', ')}`)
export const parseProbes = parser(parseProbeSet, PROBE_SET_WORDS)
export const parseUrl = parser(
  like((text) => URL.canParse(text) && /^https?:/i.test(text)),
  'must be a URL, such as https://files.example.com',
)

export const parseDays = parser(whole(1, 366), 'must be a whole number of days from 1 to 366')
export const parsePort = parser(whole(0, 65_535), 'must be a whole number from 0 to 65535')
export const parseThreshold = parser(
  whole(0, MAX_THRESHOLD),
  `must be a whole number from 0 to ${MAX_THRESHOLD}`,
)
export const parseVersion = parser(
  whole(1, Number.MAX_SAFE_INTEGER),
  'must be a whole number from 1',
)
export const parseHours = parser((text) => {
  const hours = Number(text)
  return text !== '' && hours > 0 && hours <= 100_000 ? hours : undefined
}, 'must be a number of hours, above 0')

/** Adds a setting and its value to those given before. */
export function addSetting(
  text: string,
  before: Readonly<Record<string, string>>,
): Record<string, string> {
  const end = text.indexOf('=')
  if (end > 0) return { ...before, [text.slice(0, end)]: text.slice(end + 1) }
  throw new InvalidArgumentError('It must be a setting and its value, such as user=us.')
}

function parser<T>(read: (text: string) => T | undefined, words: string): (text: string) => T {
  return (text) => {
    const value = read(text)
    if (value !== undefined) return value
    throw new InvalidArgumentError(`It ${words}.`)
  }
}

function like(isOne: (text: string) => boolean) {
  return (text: string) => (isOne(text) ? text : undefined)
}

function whole(least: number, most: number) {
  return (text: string) => {
    const number = Number(text)
    return /^\d+$/.test(text) && number >= least && number <= most ? number : undefined
  }
}
