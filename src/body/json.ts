import { MalformedBodyError } from './errors.ts'
import type { BodyHandlers, BodyOptions, BodyReader } from './reader.ts'
import { TextFiles, TextGatherer } from './text-files.ts'

/**
 * Finds files in the strings of JSON (RFC 8259). All strings are looked at where they stand: of a name that is there twice,
 * parsers keep the first or the last.
 */
export class JsonReader implements BodyReader {
  readonly #text: TextGatherer
  readonly #files: TextFiles

  constructor(options: BodyOptions, handlers: BodyHandlers) {
    this.#text = new TextGatherer(handlers)
    this.#files = new TextFiles(options, handlers)
  }

  write(piece: Uint8Array): void {
    this.#text.write(piece)
  }

  end(): void {
    const text = this.#text.end()
    if (text === undefined || text.trim() === '') return
    if (!isJson(text)) throw new MalformedBodyError('it is no JSON')
    let name: string | undefined
    for (const { value, isName } of stringsOf(text)) {
      if (!isName) this.#files.look(value, name)
      name = isName ? value : undefined
    }
  }
}

/** The strings of JSON in their order, and whether each is a name. */
function* stringsOf(json: string): Generator<{ value: string; isName: boolean }> {
  for (let begin = json.indexOf('"'); begin !== -1;) {
    let end = json.indexOf('"', begin + 1)
    while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
    let next = end + 1
    while (/\s/.test(json.charAt(next))) next++
    yield {
      value: JSON.parse(json.slice(begin, end + 1)) as string,
      isName: json[next] === ':',
    }
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
