import type { NamedText } from './text-reader.ts'

/**
 * The strings of JSON (RFC 8259), one text or many. All are told where they stand: of a name that is there twice, parsers
 * keep the first or the last. What is no JSON is a text as well: a file may be sent as anything.
 */
export function* textsOfJson(body: string): Generator<NamedText> {
  if (!isJson(body)) yield { text: body }
  let name: string | undefined
  for (const { value, isName } of stringsOf(body)) {
    if (value !== undefined && !isName) yield { text: value, name }
    name = isName ? value : undefined
  }
}

/** The strings of JSON in their order, and whether each is a name; `undefined` for one that is none. */
function* stringsOf(json: string): Generator<{ value: string | undefined; isName: boolean }> {
  for (let begin = json.indexOf('"'); begin !== -1;) {
    let end = json.indexOf('"', begin + 1)
    while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1)
    if (end === -1) return
    let next = end + 1
    while (/\s/.test(json.charAt(next))) next++
    yield { value: parseString(json.slice(begin, end + 1)), isName: json[next] === ':' }
    begin = json.indexOf('"', next)
  }
}

/** Whether a quote has an odd number of backslashes before it. */
function isEscaped(json: string, at: number): boolean {
  let before = at
  while (json[before - 1] === '\\') before--
  return (at - before) % 2 === 1
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function parseString(json: string): string | undefined {
  try {
    return JSON.parse(json) as string
  } catch {
    return undefined
  }
}
