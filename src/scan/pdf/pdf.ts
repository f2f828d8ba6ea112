import { Buffer } from 'node:buffer'
import { concatenate } from '../../util/bytes.ts'
import { inTurns, type Steps } from '../../util/steps.ts'
import type { OpenInner } from '../archive/findings.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import { sniffFile } from '../format.ts'
import { RowWork } from '../image/row-work.ts'
import { Needles } from '../probes/needles.ts'
import { type Finished, type ScannedFile, settleAll, type UnscannableReason } from '../scanned.ts'
import { FRAME_MS } from '../work.ts'
import { ContentReader } from './content.ts'
import { gather, openStream } from './filters.ts'
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
/** Streams without pictures. */
const OTHER_TYPES = new Set<unknown>(['XRef', 'ObjStm', 'Metadata'])
const FONT_TYPES = new Set<unknown>(['Type1C', 'CIDFontType0C', 'OpenType'])

/**
 * Keeps a PDF until it is complete, then finds the pictures in it that have no signature: rasters,
 * and files behind several filters. Its drawings are not inspected, so a PDF is never scanned
 * completely.
 */
export class PdfScan {
  readonly #context: ScanContext
  readonly #budget: ScanBudget
  readonly #open: OpenInner
  #held: Uint8Array[] = []
  #heldBytes = 0
  #isOverHeld = false

  constructor(context: ScanContext, budget: ScanBudget, open: OpenInner) {
    this.#context = context
    this.#budget = budget
    this.#open = open
    context.pictures?.begin(this)
  }

  /** Takes the next bytes. Do not change them afterwards. */
  take(chunk: Uint8Array): void {
    if (this.#isOverHeld) return
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#budget.take('heldBytes', chunk.length)) return
    this.#isOverHeld = true
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
    if (this.#isOverHeld) return { files: [], problem: 'over-limit' }
    await this.#budget.turnIfOver()
    const [only, ...others] = this.#held
    const file = only && others.length === 0 ? only : concatenate(this.#held)
    try {
      const reader = new PdfReader(this.#context, this.#budget, this.#open, file)
      const { problem } = await inTurns(reader.read(), this.#budget.turn)
      return { files: await settleAll(reader.found), problem }
    } finally {
      this.#release()
    }
  }

  /** Frees its memory for other files of the upload. */
  #release(): void {
    this.#held = []
    this.#budget.take('heldBytes', -this.#heldBytes)
    this.#heldBytes = 0
  }
}

/** What was found in a PDF, and why a part of it was not scanned, if any. */
export interface PdfContent {
  files: ScannedFile[]
  problem: UnscannableReason | undefined
}

class PdfReader {
  readonly #context: ScanContext
  readonly #budget: ScanBudget
  readonly #open: OpenInner
  readonly #objects: PdfObjects
  readonly #raster: RasterContext
  readonly #contents: ContentReader
  readonly found: Finished[] = []
  #problem: UnscannableReason | undefined

  constructor(context: ScanContext, budget: ScanBudget, open: OpenInner, file: Uint8Array) {
    this.#context = context
    this.#budget = budget
    this.#open = open
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
      this.#addObjects(stream, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
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
    if (subtype === 'Image') yield* this.#readPictures(stream)
    else if (!OTHER_TYPES.has(type) && !FONT_TYPES.has(subtype) && !dict.has('Length1'))
      yield* this.#readContent(stream, place)
  }

  /** An attached file, or drawing instructions that may contain pictures. */
  *#readContent(stream: Stream, { id }: Place): Steps {
    const opened = yield* openStream(this.#objects, stream, this.#budget)
    if (typeof opened === 'string') return
    if ('file' in opened) {
      if (!opened.isRaw) yield* this.#scan(opened.file)
      return
    }
    const gathered = yield* gather(opened.chunks, MAX_CONTENT_BYTES, this.#budget)
    if (gathered === 'over-limit') {
      this.#problem ??= 'over-limit'
      return
    }
    const content = Buffer.from(gathered.buffer, gathered.byteOffset, gathered.length)
    if (sniffFile(content)) {
      yield* this.#scan(content)
      return
    }
    for (const picture of inlinePictures(content)) yield* this.#readPictures(picture)
    if (id) yield* this.#contents.keep(id[0], content)
  }

  /** Reads a picture, or two if its references are ambiguous. */
  *#readPictures(stream: Stream): Steps {
    const objects = this.#objects
    const last = yield* readPicture(objects, stream.dict, this.#budget)
    yield* this.#readPicture(stream, last)
    if (!objects.hasRivals) return
    objects.readsFirst = true
    const first = yield* readPicture(objects, stream.dict, this.#budget)
    if (JSON.stringify(first) !== JSON.stringify(last)) yield* this.#readPicture(stream, first)
    objects.readsFirst = false
  }

  *#readPicture(stream: Stream, picture: Picture | 'damaged' | 'unsupported-variant'): Steps {
    const opened = yield* openStream(this.#objects, stream, this.#budget)
    if (typeof opened !== 'string' && 'file' in opened) {
      if (opened.format === 'jp2') this.#add(unscannablePdf('unsupported-format', undefined, 'jp2'))
      else if (!opened.isRaw) yield* this.#scan(opened.file)
      return // a JPEG file alone is found by its signature
    }
    if (typeof picture !== 'string' && Math.min(picture.width, picture.height) < MIN_SIDE) return
    if (typeof picture === 'string' || typeof opened === 'string') {
      const reason = typeof opened === 'string' ? opened : 'unsupported-variant'
      this.#add(unscannablePdf(picture === 'damaged' ? picture : reason))
      return
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
      return
    }
    const { found, widen } = needles
    const isPartial =
      end.isPartial || needles.isPartial || (picture.alpha !== undefined && alpha === undefined)
    const common = { coverage: 'scanned', format: 'pdf', bytes: 0, within: 'pdf' } as const
    this.#add({ ...common, width, height, needles: found, isPartial, ...(widen && { widen }) })
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

  *#scan(file: Uint8Array): Steps {
    const scanner = this.#budget.take('embeddedImages') ? this.#open('pdf') : undefined
    if (!scanner) {
      this.#problem ??= 'over-limit'
      return
    }
    yield* scanner.take(file)
    this.found.push(yield* scanner.finish())
  }

  #add(file: ScannedFile): void {
    if (this.#budget.take('embeddedImages')) this.found.push(file)
    else this.#problem ??= 'over-limit'
  }
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
