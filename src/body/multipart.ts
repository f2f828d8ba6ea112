import { make as makeParser, type MultipartError, type Parser, type PartInfo } from 'multipasta'
import { Base64Sink } from './base64.ts'
import { BodyOverLimitError, MalformedBodyError } from './errors.ts'
import { Framing } from './framing.ts'
import { isJsonType, textsOfJson } from './json.ts'
import { MAX_FIELDS, MAX_MULTIPART_DEPTH } from './limits.ts'
import type { BodyHandlers, BodyOptions, BodyReader, FileSink } from './types.ts'
import { TextReader } from './text-reader.ts'

/** Parts that a body may have, those in parts too. */
interface PartCount {
  files: number
  fields: number
}

/**
 * Reads `multipart/*` bodies as they come (RFC 2046, RFC 7578). Each part is told as a file, or read for the parts in it. A
 * body that two parsers could read differently is refused: the origin's is another than ours.
 */
export class MultipartReader implements BodyReader {
  readonly #options: BodyOptions
  readonly #handlers: BodyHandlers
  readonly #depth: number
  readonly #count: PartCount
  readonly #isForm: boolean
  readonly #framing: Framing
  readonly #parser: Parser
  #isWhole = false
  /** Parsers go on after they have told of a problem; the first one counts. */
  #problem: string | undefined

  private constructor(
    type: string,
    options: BodyOptions,
    handlers: BodyHandlers,
    depth: number,
    count: PartCount,
  ) {
    if (depth > MAX_MULTIPART_DEPTH) throw new MalformedBodyError('it is nested too deeply')
    this.#options = options
    this.#handlers = handlers
    this.#depth = depth
    this.#count = count
    this.#isForm = /^\s*multipart\/form-data\b/i.test(type)
    this.#framing = new Framing(readBoundary(type))
    this.#parser = makeParser({
      headers: { 'content-type': type },
      isFile: () => true,
      onFile: (info) => this.#openPart(info),
      onField: () => undefined,
      onError: (error) => this.#note(describe(error)),
      onDone: () => {
        this.#isWhole = true
      },
    })
  }

  /**
   * A reader for a Content-Type, if it is that of a multipart body.
   * @throws {MalformedBodyError} it may be read in several ways
   */
  static forType(
    type: string,
    options: BodyOptions,
    handlers: BodyHandlers,
    depth = 1,
    count: PartCount = { files: 0, fields: 0 },
  ): MultipartReader | undefined {
    if (!/multipart\//i.test(type)) return undefined
    if (
      !/^\s*multipart\/[\w.+-]+\s*(;|$)/i.test(type) ||
      type.match(/multipart\//gi)?.length !== 1
    ) {
      throw new MalformedBodyError('its Content-Type is two at once')
    }
    return new MultipartReader(type, options, handlers, depth, count)
  }

  write(piece: Uint8Array): void {
    this.#parse(this.#framing.write(piece))
  }

  end(): void {
    this.#parse(this.#framing.end())
    this.#parser.end()
    if (!this.#isWhole) this.#note('it ends before its last boundary')
    this.#check()
  }

  #parse(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    try {
      this.#parser.write(bytes)
    } catch (cause) {
      if (!(cause instanceof URIError)) throw cause
      this.#note('a name in it is encoded wrongly')
    }
    this.#check()
  }

  #note(problem: string | undefined): void {
    this.#problem ??= problem
  }

  #check(): void {
    if (this.#problem !== undefined) throw new MalformedBodyError(this.#problem)
  }

  #openPart(info: PartInfo): (piece: Uint8Array | null) => void {
    this.#note(problemOfPart(info, this.#isForm))
    this.#check()
    const sink = this.#sinkFor(info)
    return (piece) => {
      if (piece) sink.write(piece)
      else sink.end()
    }
  }

  #sinkFor(info: PartInfo): FileSink {
    const { fields } = this.#options
    if (fields && this.#isForm && this.#depth === 1 && !fields.includes(info.name ?? ''))
      return IGNORED
    const nested = MultipartReader.forType(
      headerOf(info, 'content-type'),
      this.#options,
      this.#handlers,
      this.#depth + 1,
      this.#count,
    )
    if (nested) return nested
    // Names are looked at as they stand: what the parser cannot read, an origin may.
    const isField = this.#isForm && !/filename\*?=/i.test(headerOf(info, 'content-disposition'))
    this.#countPart(isField)
    const type = headerOf(info, 'content-type')
    const isText = isField || (isJsonType(type) && !info.filename)
    const sink = isText
      ? this.#textSink(info, type)
      : this.#handlers.openFile({ isText: false, name: info.name })
    const isBase64 = /^base64$/i.test(headerOf(info, 'content-transfer-encoding').trim())
    return isBase64 ? new Base64Sink(sink) : sink
  }

  /** A field of a form may be a file in base64, as a script makes one of a canvas. */
  #textSink({ name }: PartInfo, type: string): FileSink {
    const textsOf = isJsonType(type) ? textsOfJson : (text: string) => [{ text, name }]
    return new TextReader(this.#options, this.#handlers, textsOf)
  }

  #countPart(isField: boolean): void {
    const kind = isField ? 'fields' : 'files'
    const most = isField ? MAX_FIELDS : this.#options.maxFiles
    const count = ++this.#count[kind]
    if (count > most) throw new BodyOverLimitError(kind, most)
  }
}

/** Takes a field that nobody asked for. */
const IGNORED: FileSink = { write() {}, end() {} }

/**
 * The boundary, if the Content-Type has just one, of the characters that RFC 2046 allows.
 * @throws {MalformedBodyError}
 */
function readBoundary(type: string): string {
  const named = type.match(/boundary\*?\d*\*?\s*=/gi) ?? []
  const found =
    /;\s*boundary=(?:"([\w'()+,\-./:=? ]{1,70})"|([\w'()+\-./:?]{1,70}))\s*(?:;|$)/i.exec(type)
  const boundary = found?.[1] ?? found?.[2]
  if (named.length !== 1 || boundary === undefined || boundary.endsWith(' ')) {
    throw new MalformedBodyError('its Content-Type has no usable boundary')
  }
  return boundary
}

function headerOf({ headers }: PartInfo, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

/** What an origin may read in a part otherwise than the gate. */
function problemOfPart(info: PartInfo, isForm: boolean): string | undefined {
  const { headers } = info
  if (Object.values(headers).some((value) => Array.isArray(value)))
    return 'a part has a header twice'
  const encoding = headerOf(info, 'content-transfer-encoding').trim()
  if (!(isForm ? /^(7bit|8bit|binary)?$/i : /^(7bit|8bit|binary|base64)?$/i).test(encoding)) {
    return 'a part has a Content-Transfer-Encoding that is not read'
  }
  const disposition = headerOf(info, 'content-disposition')
  if (isForm && !/^form-data(;|$)/i.test(disposition)) return 'a part of a form is no form-data'
  return problemOfNames(disposition, isForm) ?? problemOfCharset(info, disposition)
}

/**
 * A parameter of a Content-Disposition as all parsers read it (RFC 2183): a token, a quoted string, or a filename in UTF-8
 * (RFC 8187). It is narrower than those: no spaces but in front, no backslash before the last quote, no other apostrophes,
 * which are quotes to PHP.
 */
const PARAMETER =
  /;[ \t]*(?:([\w-]+)=(?:"(?:[^"\\]|\\.)*(?<!\\)"|[\w!#$%&*+.^`|~-]+)|(filename)\*=utf-8''(?:%[\da-f]{2}|[\w!#$&+.^`|~-])+)/giy

/** A name as parsers find it that do not know where a quoted string ends. */
const ANY_NAME = /;[ \t]*(?:file)?name\*?=/gi

/** Parsers take a part's names from what comes first or last, is encoded, or has such a word in it. */
function problemOfNames(disposition: string, isForm: boolean): string | undefined {
  const parameters = disposition.replace(/^[\w-]+/, '')
  const names: string[] = []
  const rest = parameters.replaceAll(PARAMETER, (_, name?: string, extended?: string) => {
    names.push((name ?? extended ?? '').toLowerCase())
    return ''
  })
  if (rest !== '') return 'a part has a Content-Disposition that parsers read differently'
  if (new Set(names).size !== names.length) return 'a part has a parameter twice'
  if (isForm && !names.includes('name')) return 'a part has no name'
  const inNames = names.filter((name) => name.includes('name'))
  if (!inNames.every((name) => name === 'name' || name === 'filename'))
    return 'a part has a parameter that is almost a name'
  if ((disposition.match(ANY_NAME)?.length ?? 0) !== inNames.length)
    return 'a part has a name within another parameter'
  return undefined
}

function problemOfCharset(info: PartInfo, disposition: string): string | undefined {
  if (/\bname="?_charset_/i.test(disposition.replaceAll('\\', '')))
    return 'it names a charset of its own'
  const { charset } = info.contentTypeParameters
  if (charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset)) return undefined
  return 'a part has another charset than UTF-8'
}

function describe(error: MultipartError): string {
  switch (error._tag) {
    case 'ReachedLimit':
      return `it is over the limit ${error.limit}`
    case 'BadHeaders':
      return 'a part has headers that cannot be read'
    case 'InvalidDisposition':
      return 'a part has no name'
    case 'InvalidBoundary':
      return 'its Content-Type has no usable boundary'
    case 'EndNotReached':
      return 'it ends before its last boundary'
  }
}
