import { asOne } from '../util/bytes.ts'
import { atOnce, inTurns, type Steps } from '../util/steps.ts'
import { DIGEST_KINDS } from '../list/entry.ts'
import { ScanBudget } from './budget.ts'
import type { ScanContext } from './context.ts'
import { FileSigns } from './archive/file-signs.ts'
import {
  archiveWithin,
  describeArchive,
  EMPTY,
  isReadTiff,
  isStrip,
  isThumbnail,
  OVER_LIMIT,
} from './describe.ts'
import { FileDigester, type FileDigests } from './digests.ts'
import { EmbeddedSearch } from './archive/embedded.ts'
import type { OpenInner, SpanKind, SpanSink } from './archive/findings.ts'
import { type FileFormat, HEAD_BYTES, isImageFormat, isPdf, sniffFile } from './format.ts'
import { GzipReader } from './archive/gzip.ts'
import { missingBytesOf } from './image/held-image.ts'
import { ImageScan } from './image/image-scan.ts'
import type { ImageOutcome } from './image/outcome.ts'
import { SCAN_LIMITS } from './limits.ts'
import { Id3Reader, isId3 } from './media/id3.ts'
import { isOgg, OggReader } from './media/ogg.ts'
import { PdfScan } from './pdf/pdf.ts'
import {
  type Finished,
  type FinishedInner,
  type ScannedFile,
  settle,
  settleAll,
  type UnscannableReason,
  type Within,
} from './scanned.ts'
import { readTarHeader, TAR_BLOCK_BYTES } from './archive/tar-header.ts'
import { TarReader } from './archive/tar.ts'
import { ZipReader } from './archive/zip.ts'
import { isZlib, ZlibReader } from './archive/zlib.ts'
import type { Lenience } from './text/coded-stream.ts'
import { hasPickledBytes, isBinaryString, isDeflateStart } from './text/signs.ts'
import { FileTexts } from './text/file-texts.ts'
import { isMarkupHead, isTextHead, isUrlencodedHead } from './text/text-runs.ts'
import { BYTE_MS, CHUNK_MS, FILE_MS } from './work.ts'

/**
 * Turns the bytes of one file, as they arrive, into needles and digests of it and of files within it. Images of the
 * core's formats are decoded and archives are read as they arrive, without keeping the file.
 */
export class FileScanner {
  readonly #context: ScanContext
  readonly #place: FilePlace
  readonly #digester: FileDigester | undefined
  #bytes = 0
  /** First bytes, and how they are otherwise handled, until there are enough to recognise the format. */
  #head: { bytes: Uint8Array; kind: SpanKind }[] = []
  #headBytes = 0
  #isSniffed = false
  #format: FileFormat | undefined
  #image: ImageScan | undefined
  #container: GzipReader | ZlibReader | TarReader | undefined
  readonly #zip: ZipReader
  /** What is written in another form in the beginning of a sound file. */
  #media: Id3Reader | OggReader | undefined
  #isPdf = false
  #pdf: PdfScan | undefined
  #pdfProblem: UnscannableReason | undefined
  #embedded: EmbeddedSearch | undefined
  /** Finds other files in an image, if they count. */
  #signs: FileSigns | undefined
  #isForeign = false
  /** Files written in texts. A PDF is searched for them once its streams have been read. */
  #texts: FileTexts | undefined
  /** Digests up to the end of the value that the file is written in. */
  #markedDigests: FileDigests | undefined

  /** Scans a file. All files of one upload share a budget, including nested ones. */
  constructor(context: ScanContext, place: FilePlace = { budget: budgetOf(context), depth: 0 }) {
    this.#context = context
    this.#place = place
    place.budget.spend(FILE_MS)
    const { digestKinds = DIGEST_KINDS } = context
    this.#digester = digestKinds.length === 0 ? undefined : new FileDigester(digestKinds)
    this.#zip = new ZipReader(place.budget, this.#open, (bytes, kind) => this.#search(bytes, kind))
  }

  /**
   * Takes the next bytes, and how they are otherwise handled. Do not change them afterwards if the format is held.
   */
  write(chunk: Uint8Array, kind: SpanKind = 'free'): void {
    atOnce(this.take(chunk, kind))
  }

  /** The same in steps, between which other tasks may run. Finish all steps before the next bytes. */
  *take(chunk: Uint8Array, kind: SpanKind = 'free'): Steps {
    this.#bytes += chunk.length
    this.#digester?.update(chunk)
    this.#place.budget.spend(CHUNK_MS + chunk.length * BYTE_MS)
    if (this.#isSniffed) {
      yield* this.#use(chunk, kind)
      return
    }
    this.#headBytes += chunk.length
    this.#head.push({ bytes: this.#headBytes < HEAD_BYTES ? chunk.slice() : chunk, kind }) // the caller may change the chunk
    if (this.#headBytes >= HEAD_BYTES) yield* this.#begin()
  }

  /** Whether further bytes make no difference. */
  get isComplete(): boolean {
    return this.hasEnd && !this.#embedded?.isReading && !this.#texts?.isReading
  }

  /** Whether its own end was read. Another file may follow. */
  get hasEnd(): boolean {
    if (this.#image) return this.#image.isOver
    if (this.#format === 'zip') return this.#zip.hasEnd
    return this.#container?.isComplete ?? false
  }

  /** Number of bytes up to its end, if it says how long it is; otherwise `Infinity`. */
  get missingBytes(): number {
    if (this.#isSniffed) return this.#image?.missingBytes ?? Infinity
    return missingBytesOf(asOne(this.#head.map(({ bytes }) => bytes)))
  }

  /** Its format by its first bytes, once there are enough. */
  get format(): FileFormat | undefined {
    return this.#format
  }

  /** Whether it may continue after an apparent end. */
  get lenience(): Lenience {
    if (this.#format === undefined) return 'text'
    // AVIF and HEIC with tracks do not say where they end: all that follows would be held.
    const isEndless = this.#format === 'avif' || this.#format === 'heic'
    const isImage = this.#image && !(isEndless && this.missingBytes === Infinity)
    return isImage || ['zip', 'gzip', 'zlib'].includes(this.#format) ? 'any' : 'none'
  }

  /** Marks its end here, unless part of it is missing. */
  markEnd(): void {
    if (!this.#isSniffed) atOnce(this.#begin())
    this.#markedDigests = this.#digester?.digestSoFar()
  }

  /** Ends the file. Returns what was found. */
  async end(): Promise<ScannedFile> {
    return settle(await inTurns(this.finish(), this.#place.budget.turn))
  }

  /**
   * Ends the file. Returns a function if something remains to be decoded; call it while nothing
   * else is being decoded.
   */
  close(): Finished {
    return atOnce(this.finish())
  }

  *finish(): Steps<Finished> {
    if (!this.#isSniffed) yield* this.#begin()
    const digests =
      this.#bytes === 0 ? undefined : (this.#markedDigests ?? this.#digester?.digest())
    const outcome = this.#image && (yield* this.#image.finish())
    yield* this.#readOrphan()
    this.#image = undefined // free its memory with it
    const inner = yield* this.#closeInner()
    const pdf = this.#pdf?.finish()
    this.#pdf = undefined
    const isOpen = pdf || [outcome, ...inner].some((part) => typeof part === 'function')
    if (isOpen) {
      return async () => {
        const image = typeof outcome === 'function' ? await outcome() : outcome
        const files = await settleAll(inner)
        const content = await pdf?.()
        this.#pdfProblem = content?.problem
        return this.#describe(image, [...files, ...(content?.files ?? [])], digests)
      }
    }
    return this.#describe(outcome as ImageOutcome | undefined, inner as ScannedFile[], digests)
  }

  /** Recognises the format by the file's head, and begins to read it. */
  *#begin(): Steps {
    const { budget, depth, within } = this.#place
    const [first] = this.#head
    const head = asOne(this.#head.map(({ bytes }) => bytes))
    this.#isSniffed = true
    this.#format = sniffFile(head)
    // The same bytes decide however many arrived at once.
    const start = head.subarray(0, HEAD_BYTES)
    const isRaw = !this.#format && within === 'text' && isDeflateStart(start, () => true)
    if (isRaw || (!this.#format && within === 'text' && isZlib(start))) this.#format = 'zlib'
    else if (!this.#format && isTar(head)) this.#format = 'tar'
    this.#embedded = new EmbeddedSearch(
      this.#context,
      budget,
      isPdf(head) ? 'pdf' : 'embedded',
      // If an archive's data could not be compressed, it also occurs unchanged.
      (this.#format !== 'zip' && this.#format !== 'gzip') || isPdf(head),
      (bytes) => this.#image?.beginsWithThumbnail(bytes) ?? false,
    )
    if (isId3(head)) this.#media = new Id3Reader(budget, this.#open)
    else if (isOgg(head)) this.#media = new OggReader(this.#open)
    const texts = this.#beginTexts(start)
    this.#isPdf = isPdf(head) && !this.#place.isCopy
    if (this.#isPdf) {
      const written = texts && { texts, open: () => this.#openWritten(false) }
      this.#pdf = new PdfScan(this.#context, budget, this.#open, written)
    } else this.#texts = texts
    if (isImageFormat(this.#format)) {
      this.#image = new ImageScan(this.#context, this.#format, budget, depth > 0)
      if (this.#context.findsFiles) this.#signs = new FileSigns()
    }
    const sink: SpanSink = (bytes, kind) => this.#zip.write(bytes, kind)
    if (this.#format === 'gzip') this.#container = new GzipReader(budget, this.#open, sink)
    else if (this.#format === 'zlib')
      this.#container = new ZlibReader(budget, this.#open, sink, isRaw)
    else if (isTar(head)) this.#container = new TarReader(budget, this.#open, sink)
    const spans = this.#head
    this.#head = []
    if (first && spans.every(({ kind }) => kind === first.kind)) yield* this.#use(head, first.kind)
    else for (const { bytes, kind } of spans) yield* this.#use(bytes, kind)
  }

  #beginTexts(head: Uint8Array): FileTexts | undefined {
    const { budget, encodings = 0, text } = this.#place
    if (encodings >= budget.limits.encodings || this.#place.isSearched) return undefined
    this.#isForeign = text !== undefined && (!isTextHead(head) || isMarkupHead(head))
    const isPlain = text !== undefined || isTextHead(head) || hasPickledBytes(head)
    const isDeclared = text !== undefined && isImageFormat(this.#format)
    const isText = (this.#format === undefined && isPlain) || isBinaryString(head, isDeclared)
    const options = {
      budget,
      isUrlencoded: text === 'urlencoded' || isUrlencodedHead(head),
      names: this.#context.base64Fields,
      open: this.#openWritten,
    }
    return new FileTexts(options, isText)
  }

  *#search(bytes: Uint8Array, kind: SpanKind): Steps {
    if (this.#embedded) yield* this.#embedded.write(bytes, kind)
  }

  *#use(chunk: Uint8Array, kind: SpanKind): Steps {
    if (this.#pdf) yield* this.#pdf.take(chunk, kind)
    if (this.#media) yield* this.#media.write(chunk)
    this.#signs?.take(chunk)
    if (this.#image) yield* this.#image.take(chunk)
    yield* this.#readOrphan()
    if (this.#container) yield* this.#container.write(chunk)
    else yield* this.#zip.write(chunk, kind)
    // A text in bytes that another reader scans belongs to that reader, unless it began before.
    if (this.#texts && (kind !== 'handed' || this.#texts.isReading)) yield* this.#texts.take(chunk)
  }

  /** A thumbnail is hashed with its image, or by itself if the image cannot be scanned. */
  *#readOrphan(): Steps {
    const thumbnail = this.#image?.takeOrphan()
    if (thumbnail && this.#embedded) yield* this.#embedded.readAgain(thumbnail)
  }

  readonly #open: OpenInner = (within) => {
    const { budget, depth, encodings = 0 } = this.#place
    if (depth >= budget.limits.depth) return undefined
    return new FileScanner(this.#context, { budget, depth: depth + 1, encodings, within })
  }

  /** Begins to scan a file written in a text of this one: `isPlain` beneath escapes, or in a coding. */
  readonly #openWritten = (isPlain: boolean): FileScanner | undefined => {
    const { budget, depth, encodings = 0, isCopy } = this.#place
    if (depth >= budget.limits.depth) return undefined
    return new FileScanner(this.#context, {
      budget,
      depth: depth + 1,
      encodings: encodings + 1,
      within: 'text',
      isCopy: isPlain && (this.#isPdf || isCopy === true),
      isSearched: isPlain,
    })
  };

  /** Ends all readers besides the image. Returns the files found, in the order of the readers. */
  *#closeInner(): Steps<FinishedInner[]> {
    const container = this.#container
    if (container) yield* container.close()
    const isArchive = yield* this.#zip.close(this.#format === 'zip')
    const inner: FinishedInner[] = []
    if (this.#media) yield* this.#media.close()
    inner.push(...(this.#media?.findings.inner ?? []))
    if (container instanceof TarReader && this.#format !== 'tar')
      inner.push(archiveWithin('tar', container.findings))
    else inner.push(...(container?.findings.inner ?? []))
    if (isArchive && this.#format !== 'zip') inner.push(archiveWithin('zip', this.#zip.findings))
    else inner.push(...this.#zip.findings.inner)
    if (this.#embedded) inner.push(...(yield* this.#embedded.close()))
    if (this.#texts) inner.push(...(yield* this.#texts.close()))
    inner.push(...(this.#signs?.close() ?? []))
    const isOverLimit = this.#embedded?.isOverLimit || this.#texts?.isOverLimit
    if (isOverLimit || this.#media?.findings.problem) inner.push(OVER_LIMIT)
    return inner
  }

  #describe(
    image: ImageOutcome | undefined,
    inner: ScannedFile[],
    digests: Partial<FileDigests> | undefined,
  ): ScannedFile {
    const { within } = this.#place
    const hasTiff =
      inner.some(isReadTiff) || (image?.coverage === 'scanned' && this.#format === 'tiff')
    const others = inner.filter((file) => !isThumbnail(file, image) && !(hasTiff && isStrip(file)))
    const file: ScannedFile = {
      ...this.#describeContent(image),
      ...(digests && { digests }),
      ...(within && { within }),
      ...(others.length > 0 && { inner: others }),
      ...(this.#isForeign && { isForeign: true }),
    }
    this.#context.onFile?.(file)
    return file
  }

  #describeContent(image: ImageOutcome | undefined): ScannedFile {
    const [format, bytes] = [this.#format, this.#bytes]
    if (image) return { ...image, format: format as FileFormat, bytes }
    if (bytes === 0) return { ...EMPTY, width: 0, height: 0 }
    if (format === 'zip') return { ...describeArchive(format, this.#zip.findings), bytes }
    if (this.#container && (format === 'gzip' || format === 'zlib' || format === 'tar'))
      return { ...describeArchive(format, this.#container.findings), bytes }
    const reason = this.#pdfProblem ?? 'unsupported-format'
    if (format) return { coverage: 'unscannable', reason, format, bytes }
    return { coverage: 'unscannable', reason: 'unknown-format', bytes }
  }
}

/** Where a file was found, and its budget. */
interface FilePlace {
  budget: ScanBudget
  /** Number of files around it. */
  depth: number
  /** Number of codings around it, in texts. */
  encodings?: number
  within?: Within
  /** Whether it repeats the PDF around it, with escapes undone. */
  isCopy?: boolean
  /** Whether its bytes belong to a text that is searched already. */
  isSearched?: boolean
  /** What its content type declares: a text, whatever else it contains, or an urlencoded form. */
  text?: TextKind | undefined
}

/** Kinds of texts that headers declare. */
export type TextKind = 'text' | 'urlencoded'

/** Whether a TAR archive begins here, or after a block of zeros, which GNU tar skips. */
function isTar(head: Uint8Array): boolean {
  if (readTarHeader(head)) return true
  const isZero = head.subarray(0, TAR_BLOCK_BYTES).every((byte) => byte === 0)
  return isZero && readTarHeader(head.subarray(TAR_BLOCK_BYTES)) !== undefined
}

/** The shared budget for the files of one upload. */
export function budgetOf({ limits }: ScanContext): ScanBudget {
  return new ScanBudget({ ...SCAN_LIMITS, ...limits })
}

export async function scanFile(context: ScanContext, file: Uint8Array): Promise<ScannedFile> {
  const budget = budgetOf(context)
  budget.addSent(file.length)
  const scanner = new FileScanner(context, { budget, depth: 0 })
  await inTurns(scanner.take(file), budget.turn)
  return scanner.end()
}
