import { isImageFormat, sniffFile } from '../scan/format.ts'
import { decodeBase64, tellBase64 } from './base64.ts'
import { MalformedBodyError } from './errors.ts'
import { MAX_TEXT_FILES } from './limits.ts'
import type { BodyHandlers, BodyOptions } from './reader.ts'

/** Base64 in a data URI (RFC 2397), wherever it stands in a text. */
const DATA_URI = /data:[^,"'<>\s]{0,64};base64,([\w+/=%\s-]+)/gi
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

  /** Looks at a text, and the name of the field that it is in. @throws {MalformedBodyError} there are too many files */
  look(text: string, name?: string): void {
    for (const [, base64 = ''] of text.matchAll(DATA_URI)) this.#tell(unescape64(base64))
    if (name !== undefined && this.#options.base64Fields.has(name)) {
      this.#tell(text.slice(text.startsWith('data:') ? text.indexOf(',') + 1 : 0))
    } else if (isImageInBase64(text)) this.#tell(text)
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
  const head = text.slice(0, 2 * HEAD_CHARACTERS).replaceAll(/\s/g, '')
  if (!/^[\w+/-]+=*$/.test(head)) return false
  const format = sniffFile(decodeBase64(head.slice(0, HEAD_CHARACTERS)))
  return isImageFormat(format) || format === 'zip' || format === 'gzip'
}

/** In URIs, base64 may have its signs escaped. */
function unescape64(base64: string): string {
  return base64.replaceAll(/%([2-3][0-9a-f])/gi, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  )
}
