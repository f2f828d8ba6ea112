import type { TextKind } from '../scan/scanner.ts'
import { MalformedBodyError } from './errors.ts'

/** Whether a Content-Type is that of JSON, or of lines or a sequence of it. */
export function isJsonType(type: string): boolean {
  return /^\s*(application|text)\/([\w.-]+\+)?(json|json-seq|x-?ndjson|ndjson|jsonl|x-jsonlines|json5)\s*(;|$)/i.test(
    type,
  )
}

/** PHP and werkzeug go by how a Content-Type begins, whatever follows. */
export function isUrlencodedType(type: string): boolean {
  return /x-www-form-urlencoded/i.test(type)
}

/** What kind of text a Content-Type tells. `undefined`: none. Of others, the first bytes tell. */
export function textKindOf(type: string): TextKind | undefined {
  if (isUrlencodedType(type)) return 'urlencoded'
  const isText =
    /^\s*(text|message)\//i.test(type) || /[/+](json|xml|javascript|graphql|yaml)\b/i.test(type)
  return isText || isJsonType(type) ? 'text' : undefined
}

/** Charsets in which letters and digits are those of ASCII, or have zeros between them. */
const READABLE =
  /^(utf-?8|us-ascii|ascii|iso-?8859-?\d+|latin-?\d|(windows|cp)-?(125\d|874|932|949)|utf-?(16|32)(le|be)?|ucs-2|shift[_-]?jis|sjis|euc-?\w+|gb\w+|big5(-\w+)?|koi8-?\w+|iso-2022-\w+|macintosh|x-mac-\w+|binary)$/i

/** Whether a text is in a charset that is not read here: UTF-7, EBCDIC. Python decodes those. */
export function isOddCharset(type: string): boolean {
  const [, charset] = /charset\*?\s*=\s*["']?([^"';,\s]+)/i.exec(type) ?? []
  return charset !== undefined && !READABLE.test(charset)
}

/**
 * The boundary of a multipart type. In what two parsers would read from it, they find other parts: PHP takes the first parameter
 * whose name ends with `boundary`, Go refuses what is there twice, and busboy takes the last.
 * @throws {MalformedBodyError} there is not just one
 */
export function readBoundary(type: string): string {
  const named = type.match(/boundary\*?\d*\*?\s*=/gi) ?? []
  const found = /;\s*boundary\s*=\s*(?:"([^"\\]{1,70})"|([^\s;,"]{1,70}))\s*(?:;|$)/i.exec(type)
  const boundary = found?.[1] ?? found?.[2]
  if (named.length !== 1 || boundary === undefined || boundary.endsWith(' ')) {
    throw new MalformedBodyError('its Content-Type has no usable boundary')
  }
  return boundary
}
