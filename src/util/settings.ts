// Building blocks of settings. Each feature describes its own group with these; src/config/ puts
// the groups together. A schema here never changes its input, so it is also the JSON schema and the
// documentation.

import * as v from 'valibot'
import { BadConfigError } from './errors.ts'
import { parseJson } from './json.ts'
import { nearestName } from './nearest.ts'

/**
 * The value of a variable for settings: a table, or its JSON as text, because the dashboard and
 * `--var` give text.
 * @throws {BadConfigError} the text is not JSON
 */
export function tableFrom(variable: string, written: unknown): unknown {
  if (typeof written !== 'string') return written
  const table = parseJson(written)
  if (table === undefined) throw new BadConfigError([`${variable} must be a table, or JSON`])
  return table
}

/** What is wrong with a setting, and its path in a variable. */
export function sentenceOf(issue: v.BaseIssue<unknown>, variable: string): string {
  const path = v.getDotPath(issue)
  return `${variable}${path === null ? '' : `.${path}`} ${issue.message}`
}

/** Settings by name. It rejects unknown names, and says which one was probably meant. */
export function group<const T extends v.ObjectEntries>(entries: T) {
  const object = v.strictObject(entries, ({ expected, input }) => {
    if (expected?.startsWith('"')) return 'must be set'
    if (expected !== 'never') return 'must be a table of settings'
    return unknownName(String(input), Object.keys(entries), 'a setting')
  })
  return noArray(object)
}

/** Values by name, such as banks. */
export function tableOf<
  const K extends v.GenericSchema<string, string>,
  const T extends v.GenericSchema,
>(name: K, value: T, what: string) {
  return noArray(v.record(name, value, `must be a table of ${what}`))
}

/** To valibot, an array is an object, and an empty one would pass as a table without settings. */
function noArray<const T extends v.GenericSchema>(schema: T): T {
  const run: T['~run'] = (dataset, config) => {
    const value: unknown = Array.isArray(dataset.value) ? null : dataset.value
    return schema['~run']({ value }, config)
  }
  return { ...schema, '~run': run }
}

/** A group that may be left out; then all its settings have their defaults. */
export function optionalGroup<const T extends v.ObjectEntries>(entries: T, description: string) {
  const schema = described(group(entries), description)
  return v.optional<typeof schema, () => v.InferInput<typeof schema>>(
    schema,
    () => ({}) as v.InferInput<typeof schema>,
  )
}

/** Says that a name is unknown, and which one was probably meant. */
export function unknownName(name: string, names: readonly string[], what: string): string {
  const nearest = nearestName(name, names)
  const hint =
    nearest === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${nearest}?`
  return `is not ${what}; ${hint}`
}

export function described<const T extends v.GenericSchema>(schema: T, text: string) {
  return v.pipe(schema, v.description(text))
}

/** A setting that may be absent. */
export function optional<const T extends v.GenericSchema>(schema: T, text: string) {
  return v.exactOptional(described(schema, text))
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number, description: string) {
  const message = `must be a whole number from ${min} to ${max}`
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
    v.description(description),
  )
}

/** One of several words. */
export function choice<const T extends readonly string[]>(words: T, description: string) {
  return described(oneOf(words), description)
}

/** One of several words, without a description of its own. */
export function oneOf<const T extends readonly string[]>(words: T) {
  return v.picklist(words, ({ input }) => {
    const nearest = typeof input === 'string' ? nearestName(input, words) : undefined
    const hint = nearest === undefined || nearest === input ? '' : `; did you mean ${nearest}?`
    return `must be ${words.join(' or ')}${hint}`
  })
}

/** Text that matches a pattern, which `words` describe. */
export function textLike(pattern: RegExp, words: string, description: string) {
  return v.pipe(v.string(words), v.regex(pattern, words), v.description(description))
}

export function listOf<const T extends v.GenericSchema>(item: T, description: string) {
  return described(v.array(item, 'must be a list'), description)
}

/** A path such as /files, without a slash at its end; or empty. */
export function pathOrEmpty(description: string) {
  const words = 'must be a path such as /files, without a slash at its end, or empty'
  return textLike(/^((\/[\w.~-]+)+)?$/, words, description)
}

const SERVER_WORDS =
  'must be the address of a server, such as https://origin.example.com, without a path'
/** The address of a server that requests go to. */
export const ServerUrl = v.pipe(
  v.string(SERVER_WORDS),
  v.regex(/^https?:\/\/[^/?#@\s]+\/?$/, SERVER_WORDS),
  v.url(SERVER_WORDS),
)

export function corsOrigins(description: string) {
  const words = 'must be an origin such as https://app.example.com, or *'
  const origin = v.pipe(v.string(words), v.regex(/^(\*|https?:\/\/[^/?#\s]+)$/, words))
  return listOf(origin, description)
}

export const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** Longest body that a setting may allow: as long as a part of S3. */
export const MAX_BODY_BYTES = 5 * GIB
/** Most files of a form that a setting may allow. */
export const MAX_FORM_FILES = 1000
