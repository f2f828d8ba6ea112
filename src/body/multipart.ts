import { Base64Sink, QuotedPrintableSink } from './decoding-sinks.ts'
import { isJsonType, isOddCharset, readBoundary, textKindOf } from './content-type.ts'
import { BodyOverLimitError, MalformedBodyError } from './errors.ts'
import { MAX_FIELDS, MAX_MULTIPART_DEPTH } from './limits.ts'
import { type MultipartEvents, MultipartGrammar } from './multipart-grammar.ts'
import { type PartHeaders, readPartHeaders } from './part-headers.ts'
import type { BodyHandlers, BodyOptions, BodyReader, FileInfo, FileSink } from './types.ts'

/**
 * Reads `multipart/*` bodies as they arrive (RFC 2046, RFC 7578). Each part is reported as a file
 * or field, and searched for parts. The body itself is reported, too, and marks the ranges that its
 * parts were already given.
 */
export class MultipartReader implements BodyReader {
  readonly #options: BodyOptions
  readonly #handlers: BodyHandlers
  readonly #place: PartPlace
  readonly #isForm: boolean
  readonly #boundary: string
  readonly #grammar: MultipartGrammar
  readonly #rawInfo: FileInfo
  #raw: FileSink | undefined
  #part: FileSink | undefined

  private constructor(
    type: string,
    options: BodyOptions,
    handlers: BodyHandlers,
    place: PartPlace,
  ) {
    this.#options = options
    this.#handlers = handlers
    this.#place = place
    this.#rawInfo = { ...place.raw, isRaw: true }
    this.#isForm = /^\s*multipart\/form-data\b/i.test(type)
    this.#boundary = readBoundary(type)
    const events: MultipartEvents = {
      onFree: (bytes) => this.#openRaw(bytes).write(bytes, 'free'),
      onPart: (headers) => {
        this.#part = this.#sinkFor(readPartHeaders(headers, this.#isForm))
      },
      onContent: (bytes) => {
        this.#part?.write(bytes)
        this.#openRaw(bytes).write(bytes, 'handed')
      },
      onPartEnd: () => {
        this.#part?.end()
        this.#part = undefined
      },
      onDoubtful: (bytes) => {
        this.#part?.write(bytes)
        this.#openRaw(bytes).write(bytes, 'free')
      },
    }
    // Hardly any parser reads parts within a part, so a malformed one is no reason to refuse.
    this.#grammar = new MultipartGrammar(this.#boundary, events, place.depth > 1)
  }

  /**
   * A reader for a Content-Type, if it is multipart. Without a boundary no parser finds parts.
   * @throws {MalformedBodyError} parsers may read it differently
   */
  static forType(
    type: string,
    options: BodyOptions,
    handlers: BodyHandlers,
    place: PartPlace = { depth: 1, count: { files: 0, fields: 0 }, raw: { isText: true } },
  ): MultipartReader | undefined {
    if (!/multipart\//i.test(type) || !/boundary/i.test(type)) return undefined
    // PHP and formidable use the first type, Django the last boundary; busboy and Go reject both.
    const isOne = /^\s*multipart\/[\w.+-]+\s*(;|$)/i.test(type)
    if (!isOne || type.match(/multipart\//gi)?.length !== 1) {
      throw new MalformedBodyError('its Content-Type names several types')
    }
    return new MultipartReader(type, options, handlers, place)
  }

  write(chunk: Uint8Array): void {
    this.#grammar.write(chunk)
  }

  end(): void {
    this.#grammar.end()
    // No parser finds a part in it, so it is a file rather than the text around files.
    if (this.#place.depth === 1 && !this.#grammar.hasBoundary)
      Object.assign(this.#rawInfo, { isRaw: false, isText: false })
    this.#raw?.end()
  }

  cut(): void {
    this.#part?.end()
    this.#raw?.end()
  }

  /**
   * No list contains a body that is a form from its first byte on, so its digests are not taken.
   * They would cost as much as everything else.
   */
  #openRaw(first: Uint8Array): FileSink {
    const mark = Buffer.from(`--${this.#boundary}`, 'latin1')
    const isPlain = this.#place.raw.isText && mark.equals(first.subarray(0, mark.length))
    this.#raw ??= this.#handlers.openFile(Object.assign(this.#rawInfo, { withoutDigests: isPlain }))
    return this.#raw
  }

  #sinkFor(headers: PartHeaders): FileSink {
    const { name, isFile, type } = headers
    const { skipFields } = this.#options
    const isTop = this.#isForm && this.#place.depth === 1
    if (isTop && name !== undefined && skipFields?.includes(name)) return IGNORED
    this.#countPart(!isFile)
    const isText = !isFile || (isJsonType(type) && name === undefined && !this.#isForm)
    const text = textKindOf(type) ?? (isFile ? undefined : 'text')
    if (text && isOddCharset(type)) this.#handlers.onUnreadable('unsupported-encoding')
    const info: FileInfo = { isText, name, text }
    const nested = this.#nestedFor(type, info)
    if (nested) return nested
    return both([this.#handlers.openFile(info), ...this.#decodingSinks(headers)])
  }

  /** A reader for a part that claims to be multipart. The part is also reported as a file. */
  #nestedFor(type: string, raw: FileInfo): FileSink | undefined {
    const { depth, count } = this.#place
    if (!/multipart\//i.test(type)) return undefined
    if (depth >= MAX_MULTIPART_DEPTH) {
      this.#handlers.onUnreadable('over-limit')
      return undefined
    }
    const place = { depth: depth + 1, count, raw }
    try {
      return MultipartReader.forType(type, this.#options, this.#handlers, place)
    } catch (error) {
      if (error instanceof MalformedBodyError) return undefined // it stays a file, undecoded
      throw error
    }
  }

  /** PHP and Go store a part undecoded; Python's email package and undici may decode it. */
  #decodingSinks({ isBase64, isQuotedPrintable, name }: PartHeaders): FileSink[] {
    const isNamed = name !== undefined && this.#options.base64Fields.includes(name)
    const open = () => this.#handlers.openFile({ isText: !isNamed, isDecoded: true, name })
    return [
      ...(isBase64 || isNamed ? [new Base64Sink(open())] : []),
      ...(isQuotedPrintable ? [new QuotedPrintableSink(open())] : []),
    ]
  }

  #countPart(isField: boolean): void {
    const { count } = this.#place
    const kind = isField ? 'fields' : 'files'
    const most = isField ? MAX_FIELDS : this.#options.maxFiles
    if (++count[kind] > most) throw new BodyOverLimitError(kind, most)
  }
}

/** Parts of a body so far, including nested ones. */
interface PartCount {
  files: number
  fields: number
}

/** Where a multipart body is: the upload itself, or a part of another body. */
interface PartPlace {
  depth: number
  count: PartCount
  /**
   * How the body itself is reported, beside its parts: an origin may store it unparsed, with the
   * bytes around them.
   */
  raw: FileInfo
}

/** Takes a field that is not inspected. */
const IGNORED: FileSink = { write() {}, end() {} }

function both(sinks: readonly FileSink[]): FileSink {
  const [only] = sinks
  if (only && sinks.length === 1) return only
  return {
    write: (chunk) => {
      for (const sink of sinks) sink.write(chunk)
    },
    end: () => {
      for (const sink of sinks) sink.end()
    },
  }
}
