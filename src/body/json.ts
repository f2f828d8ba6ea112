import type { NamedText } from './types.ts'

/** Whether a Content-Type is that of JSON. */
export function isJsonType(type: string): boolean {
  const [essence = ''] = type.split(';')
  return /^\s*application\/([\w.-]+\+)?json\s*$/i.test(essence)
}

/**
 * The strings of JSON (RFC 8259). All are told where they stand: of a name that is there twice, parsers keep the first or the
 * last. What is no JSON is one text: where strings begin in it is for its reader to say.
 */
export function* textsOfJson(body: string): Generator<NamedText> {
  if (!isJson(body)) {
    yield { text: body }
    return
  }
  let name: string | undefined
  for (const { value, isName } of stringsOf(body)) {
    if (!isName) yield { text: value, name }
    name = isName ? value : undefined
  }
}

/** The strings of JSON in their order, and whether each is a name. */
function* stringsOf(json: string): Generator<{ value: string; isName: boolean }> {
  for (let begin = json.indexOf('"'); begin !== -1;) {
    let end = json.indexOf('"', begin + 1)
    while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
    let next = end + 1
    while (/\s/.test(json.charAt(next))) next++
    yield { value: JSON.parse(json.slice(begin, end + 1)) as string, isName: json[next] === ':' }
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
