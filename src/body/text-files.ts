import { isImageFormat, sniffFile } from '../scan/format.ts'
import { decodeBase64, tellBase64 } from './base64.ts'
import { MalformedBodyError } from './errors.ts'
import { MAX_TEXT_FILES } from './limits.ts'
import type { BodyHandlers, BodyOptions } from './types.ts'

/**
 * What may be base64 in a text: that of a data URI (RFC 2397), or whatever stands between signs that programs put around
 * values. Signs of other kinds are passed over, as readers of base64 do.
 */
const STRETCH =
  /data:[^,"'<>\s]{0,64};base64,([^"'`<>,:;{}[\]()|]+)|[^\s"'`<>,:;{}[\]()|][^"'`<>,:;{}[\]()|]*/gi
/** What stands between the name of a field and its value, but for spaces. */
const IS_VALUE_OF = /^["'`]?:["'`]?$/
/** Fewest characters of base64 that may be an image. */
const MIN_BASE64 = 40
/** Characters that tell a format. */
const HEAD_CHARACTERS = 96

/** Finds files in the texts of a body: in data URIs, in base64 that begins like an image, in fields that are named. */
export class TextFiles {
  readonly #options: BodyOptions
  readonly #handlers: BodyHandlers
  #files = 0

  constructor(options: BodyOptions, handlers: BodyHandlers) {
    this.#options = options
    this.#handlers = handlers
  }

  /**
   * Looks at a text, which may be JSON or markup itself, and the name of the field that it is in.
   * @throws {MalformedBodyError} there are too many files
   */
  look(text: string, name?: string): void {
    const value = unescape64(text.replace(/^\s*data:[^,]*,/i, ''))
    const isWhole = this.#isBase64Field(name) || isImageInBase64(value)
    if (isWhole) this.#tell(value)
    const plain = withoutEscapes(text)
    let [before, end] = ['', 0]
    for (const { 0: stretch, 1: base64, index } of plain.matchAll(STRETCH)) {
      const between = plain.slice(end, index).replaceAll(/\s/g, '')
      const isNamed = this.#isBase64Field(before.trim()) && IS_VALUE_OF.test(between)
      const isTold = isWhole && end === 0
      if (!isTold && (base64 !== undefined || isNamed || isImageInBase64(stretch)))
        this.#tell(unescape64(base64 ?? stretch))
      before = stretch
      end = index + stretch.length
    }
  }

  #isBase64Field(name: string | undefined): boolean {
    return name !== undefined && this.#options.base64Fields.includes(name)
  }

  #tell(base64: string): void {
    if (++this.#files > MAX_TEXT_FILES) {
      throw new MalformedBodyError(`it has more than ${MAX_TEXT_FILES} files in its texts`)
    }
    tellBase64(base64, this.#handlers.openFile({ isText: false }))
  }
}

function isImageInBase64(text: string): boolean {
  if (text.length < MIN_BASE64) return false
  const head = text.replaceAll(/[^\w+/-]/g, '').slice(0, HEAD_CHARACTERS)
  const format = sniffFile(decodeBase64(head))
  // JPEG XL begins with /wo, as paths do.
  if (format === 'jxl') return /^[\w+/=\s-]+$/.test(text)
  return isImageFormat(format) || format === 'zip' || format === 'gzip'
}

/** A text without the escapes of strings in JSON or JavaScript, one within another too. */
function withoutEscapes(text: string): string {
  return text.replaceAll(
    /\\+(?:u([\da-f]{4})|x([\da-f]{2})|[bfnrt]|(.))/gis,
    (_, long?: string, short?: string, sign = ' ') => {
      const code = long ?? short
      return code === undefined ? sign : String.fromCharCode(parseInt(code, 16))
    },
  )
}

/** In URIs, base64 may have its signs escaped. */
function unescape64(base64: string): string {
  return base64.replaceAll(/%([2-3][0-9a-f])/gi, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  )
}
