import type { Buffer } from 'node:buffer'
import { asOne } from '../../util/bytes.ts'
import { inTurns, type Steps } from '../../util/steps.ts'
import type { InnerScanner, OpenInner, SpanKind } from '../archive/findings.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import { OVER_LIMIT } from '../describe.ts'
import { sniffFile } from '../format.ts'
import { RowWork } from '../image/row-work.ts'
import { Needles } from '../probes/needles.ts'
import { type Finished, type ScannedFile, settleAll, type UnscannableReason } from '../scanned.ts'
import type { FileTexts } from '../text/file-texts.ts'
import { isNoFile } from '../text/text-search.ts'
import { FRAME_MS } from '../work.ts'
import { ContentReader } from './content.ts'
import { gather, inflatedBytes, openStream, readWritten } from './filters.ts'
import { inlinePictures } from './inline.ts'
import { PdfObjects, type Place, type Stream } from './objects.ts'
import { PageScan } from './pages.ts'
import { type Picture, readPicture } from './picture.ts'
import { type AlphaPlane, decodeAlpha, decodeRaster, type RasterContext } from './raster.ts'
import { type Ref, ValueReader } from './syntax.ts'

/**
 * Picture samples allowed for each byte of a file: a page of text for fax machines has a few
 * hundred.
 */
const SAMPLES_A_BYTE = 400
/** A picture with smaller sides is a rule, a dot or a part of a gradient, or of a picture. */
const MIN_SIDE = 16
/** Maximum bytes of all object streams. They are kept to the end. */
const MAX_OBJECT_STREAM_BYTES = 8 * 1024 * 1024
/** Maximum bytes of a content stream, or of an attached file. */
const MAX_CONTENT_BYTES = 8 * 1024 * 1024
/** Bytes behind the end of a file that are too few to be a picture. */
const END_BYTES = 64
/** Streams without pictures. */
const OTHER_TYPES = new Set<unknown>(['XRef', 'ObjStm', 'Metadata'])
const FONT_TYPES = new Set<unknown>(['Type1C', 'CIDFontType0C', 'OpenType'])

/**
 * Keeps a PDF until it is complete, then finds the pictures in it that have no signature: rasters,
 * and files behind several filters. Its drawings are not inspected, so a PDF is never scanned
 * completely. Its texts are searched last, without the streams that were read.
 */
export class PdfScan {
  readonly #context: ScanContext
  readonly #budget: ScanBudget
  readonly #open: OpenInner
  readonly #written: WrittenFiles | undefined
  #held: { bytes: Uint8Array; kind: SpanKind }[] = []
  #heldBytes = 0
  #isOverHeld = false

  constructor(
    context: ScanContext,
    budget: ScanBudget,
    open: OpenInner,
    written: WrittenFiles | undefined,
  ) {
    this.#context = context
    this.#budget = budget
    this.#open = open
    this.#written = written
    context.pictures?.begin(this)
  }

  /** Takes the next bytes, and how they are otherwise handled. Do not change them afterwards. */
  *take(bytes: Uint8Array, kind: SpanKind): Steps {
    this.#held.push({ bytes, kind })
    if (!this.#isOverHeld) {
      this.#heldBytes += bytes.length
      if (this.#budget.take('heldBytes', bytes.length)) return
      this.#isOverHeld = true
    }
    yield* this.#searchTexts([])
    this.#release()
    this.#context.pictures?.end(this)
  }

  /** Ends the file. Call the returned function while nothing else is being decoded, to find what is in it. */
  finish(): () => Promise<PdfContent> {
    let content: Promise<PdfContent> | undefined
    const read = () => (content ??= this.#read())
    if (!this.#isOverHeld) {
      this.#context.pictures?.end(this, async () => {
        const { files, problem = 'unsupported-format' } = await read()
        const inner = files.length > 0 && { inner: files }
        return { coverage: 'unscannable', reason: problem, format: 'pdf', bytes: 0, ...inner }
      })
    }
    return read
  }

  async #read(): Promise<PdfContent> {
    const { files, problem } = this.#isOverHeld
      ? { files: [], problem: 'over-limit' as const }
      : await this.#readObjects()
    const texts = this.#written?.texts
    if (!texts) return { files, problem }
    files.push(...(await settleAll(await inTurns(texts.close(), this.#budget.turn))))
    if (texts.isOverLimit) files.push(OVER_LIMIT)
    return { files, problem }
  }

  async #readObjects(): Promise<PdfContent> {
    await this.#budget.turnIfOver()
    const file = asOne(this.#held.map(({ bytes }) => bytes))
    try {
      const open = { inner: this.#open, written: this.#written?.open }
      const reader = new PdfReader(this.#context, this.#budget, open, file)
      const { problem } = await inTurns(reader.read(), this.#budget.turn)
      const files = await settleAll(reader.found)
      await inTurns(this.#searchTexts(reader.readRanges), this.#budget.turn)
      return { files, problem }
    } finally {
      this.#release()
    }
  }

  /** Searches what is held, without the ranges that were read. */
  *#searchTexts(read: readonly ByteRange[]): Steps {
    const texts = this.#written?.texts
    if (!texts) return
    let start = 0
    for (const { bytes, kind } of this.#held) {
      for (const piece of pieces(start, start + bytes.length, read)) {
        // A text that began before goes on in bytes that another reader scans.
        const isOther = (piece.isRead || kind === 'handed') && !texts.isReading
        if (!isOther) yield* texts.take(bytes.subarray(piece.start - start, piece.end - start))
      }
      start += bytes.length
    }
  }

  /** Frees its memory for other files of the upload. */
  #release(): void {
    this.#held = []
    this.#budget.take('heldBytes', -this.#heldBytes)
    this.#heldBytes = 0
  }
}

/** Searches the texts of a file, and begins to scan a file that is written in one. */
interface WrittenFiles {
  texts: FileTexts
  open: () => InnerScanner | undefined
}

/** Bytes of a file from one index to another. */
interface ByteRange {
  start: number
  end: number
}

/** What was found in a PDF, and why a part of it was not scanned, if any. */
export interface PdfContent {
  files: ScannedFile[]
  problem: UnscannableReason | undefined
}

/** Cuts bytes of a file into those that were read and others. */
function* pieces(start: number, end: number, read: readonly ByteRange[]) {
  let at = start
  for (const range of read) {
    const [from, to] = [Math.max(at, range.start), Math.min(end, range.end)]
    if (from >= to) continue
    if (at < from) yield { start: at, end: from, isRead: false }
    yield { start: from, end: to, isRead: true }
    at = to
  }
  if (at < end) yield { start: at, end, isRead: false }
}

/** Begins to scan a file in a PDF, or one that is written in its text; `undefined`: texts are not read. */
interface Openers {
  inner: OpenInner
  written: (() => InnerScanner | undefined) | undefined
}

class PdfReader {
  readonly #context: ScanContext
  readonly #budget: ScanBudget
  readonly #open: Openers
  readonly #file: Uint8Array
  readonly #objects: PdfObjects
  readonly #raster: RasterContext
  readonly #contents: ContentReader
  readonly found: Finished[] = []
  /** Streams written in text of which every byte was read as something else. */
  readonly readRanges: ByteRange[] = []
  #problem: UnscannableReason | undefined

  constructor(context: ScanContext, budget: ScanBudget, open: Openers, file: Uint8Array) {
    this.#context = context
    this.#budget = budget
    this.#open = open
    this.#file = file
    this.#objects = new PdfObjects(file, budget)
    this.#contents = new ContentReader(this.#objects, budget)
    const work = new RowWork(file.length, SAMPLES_A_BYTE, budget)
    this.#raster = { core: context.modules.image, budget, work }
  }

  *read(): Steps<{ problem: UnscannableReason | undefined }> {
    const objects = this.#objects
    yield* objects.find()
    if (!objects.decrypt()) this.#problem = 'encrypted-entry'
    yield* this.#openObjectStreams()
    if (this.#problem !== 'encrypted-entry') {
      for (const place of objects.streams) {
        yield* this.#readStream(place)
        if (this.#budget.isExhausted) this.#problem ??= 'over-limit'
        if (this.#problem === 'over-limit' || objects.isOverLimit) break
        if (this.#budget.isTurnOver) yield
      }
      const pages = new PageScan(this.#context, objects, this.#raster, this.#contents)
      this.found.push(...(yield* pages.read()))
      this.#problem ??= pages.problem
    }
    if (objects.isOverLimit) this.#problem ??= 'over-limit'
    return { problem: this.#problem }
  }

  /** Adds the objects within streams (ISO 32000-1, 7.5.7). */
  *#openObjectStreams(): Steps {
    let left = MAX_OBJECT_STREAM_BYTES
    for (const place of this.#objects.streams) {
      const stream = this.#objects.streamOf(place)
      const type = stream?.dict.get('Type')
      if (!stream || type !== 'ObjStm') continue
      const opened = yield* openStream(this.#objects, stream, this.#budget)
      if (typeof opened === 'string' || 'file' in opened) continue
      const bytes = yield* gather(opened.chunks, left, this.#budget)
      if (bytes === 'over-limit') this.#problem ??= 'over-limit'
      if (bytes === 'over-limit') return
      left -= bytes.length
      this.#addObjects(stream, bytes)
    }
  }

  #addObjects({ dict }: Stream, bytes: Buffer): void {
    const [count, first] = [dict.get('N'), dict.get('First')].map((v) =>
      Number(this.#objects.resolve(v)),
    )
    const reader = new ValueReader(bytes, 0)
    for (let i = 0; i < (count ?? 0); i++) {
      const [number, offset] = [reader.read(), reader.read()]
      if (typeof number !== 'number' || typeof offset !== 'number') return
      if (!this.#objects.add(number, { bytes, at: (first ?? 0) + offset })) return
    }
  }

  *#readStream(place: Place): Steps {
    const stream = this.#objects.streamOf(place)
    if (!stream) return
    const { dict } = stream
    const [type, subtype] = ['Type', 'Subtype'].map((key) => this.#objects.resolve(dict.get(key)))
    let bytes = 0
    if (subtype === 'Image') bytes = yield* this.#readPictures(stream)
    else if (!OTHER_TYPES.has(type) && !FONT_TYPES.has(subtype) && !dict.has('Length1'))
      yield* this.#readContent(stream, place)
    if (!(yield* this.#isWhollyRead(stream, bytes))) return
    const start = stream.data.byteOffset - this.#file.byteOffset
    this.readRanges.push({ start, end: start + stream.data.length })
  }

  /**
   * Whether the text of a stream is that of a file, from its first character to its last, so that
   * no other reading of it counts. The file is scanned, unless it was by its first bytes.
   * @param bytes bytes that were hashed of what its filters yield; `Infinity` for a whole file
   */
  *#isWhollyRead(stream: Stream, bytes: number): Steps<boolean> {
    const open = this.#open.written
    const written = open && (yield* readWritten(this.#objects, stream, this.#budget))
    if (!written) return false
    const [filter, ...others] = written.filters
    if (filter === 'DCTDecode') return bytes === Infinity
    if (filter !== 'FlateDecode') return false
    const inflated = yield* inflatedBytes(written.bytes, this.#budget)
    if (inflated === 0) return false
    if (others.length === 0 && inflated <= bytes) return true
    const scanner = open()
    const end = scanner && (yield* scanWhole(scanner, written.bytes))
    if (!end?.isWhole) return false
    if (typeof end.file === 'function' || !isNoFile(end.file)) this.#add(end.file)
    return true
  }

  /** An attached file, or drawing instructions that may contain pictures. */
  *#readContent(stream: Stream, { id }: Place): Steps {
    const opened = yield* openStream(this.#objects, stream, this.#budget)
    if (typeof opened === 'string') return
    if ('file' in opened) {
      if (!opened.isRaw) yield* this.#scan(opened.file)
      return
    }
    const content = yield* gather(opened.chunks, MAX_CONTENT_BYTES, this.#budget)
    if (content === 'over-limit') {
      this.#problem ??= 'over-limit'
      return
    }
    if (sniffFile(content)) {
      yield* this.#scan(content)
      return
    }
    for (const picture of inlinePictures(content)) yield* this.#readPictures(picture)
    if (id) yield* this.#contents.keep(id[0], content)
  }

  /**
   * Reads a picture, or two if its references are ambiguous. Returns how many bytes of it were
   * hashed: all or none.
   */
  *#readPictures(stream: Stream): Steps<number> {
    const objects = this.#objects
    const last = yield* readPicture(objects, stream.dict, this.#budget)
    const bytes = yield* this.#readPicture(stream, last)
    if (!objects.hasRivals) return bytes
    objects.readsFirst = true
    const first = yield* readPicture(objects, stream.dict, this.#budget)
    if (JSON.stringify(first) !== JSON.stringify(last)) yield* this.#readPicture(stream, first)
    objects.readsFirst = false
    return bytes
  }

  *#readPicture(
    stream: Stream,
    picture: Picture | 'damaged' | 'unsupported-variant',
  ): Steps<number> {
    const opened = yield* openStream(this.#objects, stream, this.#budget)
    if (typeof opened !== 'string' && 'file' in opened) {
      if (opened.format === 'jp2') this.#add(unscannablePdf('unsupported-format', undefined, 'jp2'))
      else if (!opened.isRaw) return (yield* this.#scan(opened.file)) ? Infinity : 0
      return 0 // a JPEG file alone is found by its signature
    }
    if (typeof picture !== 'string' && Math.min(picture.width, picture.height) < MIN_SIDE) return 0
    if (typeof picture === 'string' || typeof opened === 'string') {
      const reason = typeof opened === 'string' ? opened : 'unsupported-variant'
      this.#add(unscannablePdf(picture === 'damaged' ? picture : reason))
      return 0
    }
    const needles = new Needles(this.#context, this.#budget)
    const alpha = picture.alpha && (yield* this.#readAlpha(picture.alpha))
    const { width, height } = picture
    const end = yield* decodeRaster(this.#raster, picture, opened.chunks, alpha, (frame) => {
      this.#budget.spend(FRAME_MS)
      needles.addFrame({ frame, orientation: 1, aspect: width / height })
    })
    if (typeof end === 'string') {
      this.#add(unscannablePdf(end, picture))
      return 0
    }
    const isAlphaMissing = picture.alpha !== undefined && alpha === undefined
    const outcome = needles.outcome({ width, height }, end.isPartial || isAlphaMissing)
    this.#add({ ...outcome, format: 'pdf', bytes: 0, within: 'pdf' })
    // A predicted row has a byte more.
    const rowBytes = Math.ceil((width * picture.space.samples * picture.bits) / 8) + 1
    return outcome.isPartial ? 0 : height * rowBytes
  }

  *#readAlpha({
    ref,
    isContrary,
  }: {
    ref: Ref
    isContrary: boolean
  }): Steps<AlphaPlane | undefined> {
    const stream = this.#objects.streamOf(ref)
    const picture = stream && (yield* readPicture(this.#objects, stream.dict, this.#budget))
    if (!stream || !picture || typeof picture === 'string') return undefined
    const opened = yield* openStream(this.#objects, stream, this.#budget)
    if (typeof opened === 'string' || 'file' in opened) return undefined
    return yield* decodeAlpha(this.#raster, picture, opened.chunks, isContrary)
  }

  /** Scans a file. Returns whether all of it was read. */
  *#scan(file: Uint8Array): Steps<boolean> {
    const scanner = this.#budget.take('embeddedImages') ? this.#open.inner('pdf') : undefined
    if (!scanner) {
      this.#problem ??= 'over-limit'
      return false
    }
    const end = yield* scanWhole(scanner, file)
    this.found.push(end.file)
    return end.isWhole
  }

  #add(file: Finished): void {
    if (this.#budget.take('embeddedImages')) this.found.push(file)
    else this.#problem ??= 'over-limit'
  }
}

/** Scans a file, and tells whether it was scanned from its first byte to about its last. */
function* scanWhole(
  scanner: InnerScanner,
  bytes: Uint8Array,
): Steps<{ file: Finished; isWhole: boolean }> {
  const last = Math.max(0, bytes.length - END_BYTES)
  if (last > 0) yield* scanner.take(bytes.subarray(0, last))
  const isEarly = scanner.hasEnd
  yield* scanner.take(bytes.subarray(last))
  const file = yield* scanner.finish()
  const isScanned = typeof file !== 'function' && file.coverage === 'scanned' && !file.isPartial
  return { file, isWhole: isScanned && !isEarly }
}

function unscannablePdf(
  reason: UnscannableReason,
  size?: { width: number; height: number },
  format: 'pdf' | 'jp2' = 'pdf',
): ScannedFile {
  const { width, height } = size ?? {}
  return {
    coverage: 'unscannable',
    reason,
    format,
    bytes: 0,
    within: 'pdf',
    ...(width !== undefined && height !== undefined && { width, height }),
  }
}
