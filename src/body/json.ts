import type { BodyHandlers, BodyOptions, BodyReader } from './reader.ts'
import { MIN_BASE64, TextFiles, TextGatherer } from './text-files.ts'

/**
 * Finds files in the strings of JSON (RFC 8259), one text or many. All strings are looked at where they stand: of a name that
 * is there twice, parsers keep the first or the last. What is no JSON is looked at as a text: a file may be sent as anything.
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
    if (text === undefined) return
    const seen = new Set<string>()
    let name: string | undefined
    for (const { value, isName } of stringsOf(text)) {
      if (value !== undefined && !isName) {
        this.#files.look(value, name)
        if (value.length >= MIN_BASE64) seen.add(value)
      }
      name = isName ? value : undefined
    }
    if (!isJson(text)) this.#lookAround(text, seen)
  }

  /** Looks at what is no JSON as a whole, and at all between quotes of any kind: which of them begin a string is not known. */
  #lookAround(text: string, seen: ReadonlySet<string>): void {
    this.#files.look(text)
    for (const [piece] of text.matchAll(BETWEEN_QUOTES)) {
      if (piece !== text && !seen.has(piece)) this.#files.look(piece)
    }
  }
}

/** What may be a file in base64, between quotes. */
const BETWEEN_QUOTES = new RegExp(`[^"'\`]{${MIN_BASE64},}`, 'g')

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
