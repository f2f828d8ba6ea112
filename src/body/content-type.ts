import type { TextKind } from '../scan/scanner.ts'
import { MalformedBodyError } from './errors.ts'

/** Whether a Content-Type is JSON, or lines or a sequence of JSON. */
export function isJsonType(type: string): boolean {
  return /^\s*(application|text)\/([\w.-]+\+)?(json|json-seq|x-?ndjson|ndjson|jsonl|x-jsonlines|json5)\s*(;|$)/i.test(
    type,
  )
}

/** Whether a form is urlencoded. PHP and werkzeug ignore the rest of a Content-Type. */
export function isUrlencodedType(type: string): boolean {
  return /x-www-form-urlencoded/i.test(type)
}

/** The kind of text that a Content-Type names. `undefined`: the first bytes decide. */
export function textKindOf(type: string): TextKind | undefined {
  if (isUrlencodedType(type)) return 'urlencoded'
  const isText =
    /^\s*(text|message)\//i.test(type) || /[/+](json|xml|javascript|graphql|yaml)\b/i.test(type)
  return isText || isJsonType(type) ? 'text' : undefined
}

/** Charsets whose letters and digits are those of ASCII, or have zeros between them. */
const READABLE =
  /^(utf-?8|us-ascii|ascii|iso-?8859-?\d+|latin-?\d|(windows|cp)-?(125\d|874|932|949)|utf-?(16|32)(le|be)?|ucs-2|shift[_-]?jis|sjis|euc-?\w+|gb\w+|big5(-\w+)?|koi8-?\w+|iso-2022-\w+|macintosh|x-mac-\w+|binary)$/i

/** Whether a text's charset, such as UTF-7 or EBCDIC, is not decoded here. Python decodes them. */
export function isOddCharset(type: string): boolean {
  const [, charset] = /charset\*?\s*=\s*["']?([^"';,\s]+)/i.exec(type) ?? []
  return charset !== undefined && !READABLE.test(charset)
}

/**
 * The boundary of a multipart type. A parser that reads another boundary finds other parts. Of two
 * boundaries, busboy takes the first and werkzeug the last. PHP takes the first parameter whose
 * name ends with `boundary`. werkzeug decodes an encoded boundary, undici removes backslashes, and
 * busboy does neither. werkzeug ends an unquoted boundary at a comma or space; formidable does not.
 * multiparty reads a non-ASCII boundary as bytes; multer finds no boundary.
 * @throws {MalformedBodyError} there is not exactly one
 */
export function readBoundary(type: string): string {
  const named = type.match(/boundary\*?\d*\*?\s*=/gi) ?? []
  const values = /;\s*boundary\s*=\s*(?:"([ !#-[\]-~]+)"|([!#-+\--:<-~]+))\s*(?=;|$)/gi
  const found = Array.from(type.matchAll(values), ([, quoted, plain]) => quoted ?? plain)
  const [boundary, ...others] = new Set(found)
  if (named.length !== found.length || boundary === undefined || others.length > 0) {
    throw new MalformedBodyError('its Content-Type has no usable boundary')
  }
  return boundary
}
