import { createBodyReader } from '../body/reader.ts'
import type { BodyOptions, BodyReader, FileInfo, FileSink } from '../body/types.ts'
import {
  type BlockVerdict,
  isPassed,
  type RefuseVerdict,
  type Verdict,
  worseOf,
} from '../gate/verdict.ts'
import { DIGEST_KINDS, type DigestKind } from '../list/entry.ts'
import { isAccepted } from '../scan/accepted.ts'
import type { ScanContext } from '../scan/context.ts'
import { EMPTY } from '../scan/describe.ts'
import type { ScanBudget } from '../scan/budget.ts'
import { isHeldFormat } from '../scan/image/held-image.ts'
import { SCAN_LIMITS, type ScanLimits } from '../scan/limits.ts'
import { allFiles, type Finished, type Needle, type ScannedFile, settle } from '../scan/scanned.ts'
import { budgetOf, FileScanner } from '../scan/scanner.ts'
import { inTurns, type Steps } from '../util/steps.ts'
import { DigestKindAddedError } from './errors.ts'

/** Shortest path and query that could hold a picture, in characters. */
const MIN_URL_LENGTH = 100

/** Inspects an upload while its body arrives: finds and scans its files, and has them judged. */
export class Inspection {
  readonly #deps: InspectionDeps
  readonly #budget: ScanBudget
  readonly #reader: BodyReader
  /** Queued work: the reader finds files faster than they are scanned. */
  #waiting: Steps[] = []
  readonly #digestKinds: readonly DigestKind[]
  #ended: EndedFile[] = []
  #unjudged: ScannedFile[] = []
  #verdict: Verdict | undefined
  #bytes = 0
  readonly #judgedNeedles = new WeakSet<Needle>()

  /** Whether something has a format that the route does not accept. */
  #hasUnaccepted = false

  /** @throws {MalformedBodyError} parsers may read the headers differently */
  constructor({ headers, url }: Pick<Request, 'headers' | 'url'>, deps: InspectionDeps) {
    this.#deps = deps
    const { context, settings } = deps
    this.#digestKinds = deps.digestKinds?.() ?? DIGEST_KINDS
    const budget = budgetOf(context)
    this.#budget = budget
    const later = (steps: Steps) => void this.#waiting.push(steps)
    const openFile = (info: FileInfo): FileSink => {
      const { text, withoutDigests = false } = info
      const { base64Fields, accept } = settings.body
      const digestKinds = withoutDigests ? [] : this.#digestKinds
      const own = { ...context, digestKinds, base64Fields, findsFiles: accept !== undefined }
      const scanner = new FileScanner(own, { budget, depth: 0, text })
      return {
        write: (chunk, kind) => later(scanner.take(chunk, kind)),
        end: () => later(this.#end(scanner, info)),
      }
    }
    this.#reader = createBodyReader(headers, settings.body, {
      budget,
      openFile,
      later,
      onUnreadable: (reason) => {
        this.#unjudged.push({ coverage: 'unscannable', reason, bytes: 0 })
        this.#hasUnaccepted ||= settings.body.accept !== undefined
      },
    })
    // A path or query may contain a file, too.
    const { pathname, search } = new URL(url)
    if (pathname.length + search.length < MIN_URL_LENGTH) return
    const sink = openFile({ isText: true, text: 'urlencoded', isRaw: true, withoutDigests: true })
    sink.write(Buffer.from(`${pathname}\n${search}`))
    sink.end()
  }

  /**
   * Takes the next chunk, which must not change afterwards, and finishes the files that end in it.
   * @throws {MalformedBodyError}
   */
  async take(chunk: Uint8Array): Promise<void> {
    this.#deps.context.pictures?.nextChunk(this.#bytes)
    this.#bytes += chunk.length
    this.#budget.addSent(chunk.length)
    this.#reader.write(chunk)
    await this.#work()
  }

  /** Bytes of images and PDF that are held whole, at most. */
  get heldBytes(): number {
    return this.#budget.taken('heldBytes')
  }

  /** Version of the list that the last verdict used. */
  get listVersion(): number | undefined {
    return this.#verdict?.listVersion
  }

  /**
   * The verdict on the files so far; `undefined` before the first.
   * @throws {DigestKindAddedError} nothing refuses the upload, but it was not compared with
   * everything that is listed
   */
  async judge(): Promise<Verdict | undefined> {
    const unjudged = this.#unjudged
    if (unjudged.length > 0) await this.#judge(unjudged)
    return this.#verdict
  }

  /** Position in the body from which nothing may be sent: the start of a picture not judged yet. */
  get heldFrom(): number {
    return this.#deps.context.pictures?.heldFrom ?? Infinity
  }

  /** The verdict on pictures that are decoded in files without an end yet, if it refuses. */
  async judgePictures(): Promise<RefuseVerdict | BlockVerdict | undefined> {
    const files: ScannedFile[] = []
    for (const picture of this.#deps.context.pictures?.takeDecoded() ?? []) {
      const file = await settle(picture)
      if (!this.#isJudged(file)) files.push(file)
    }
    return files.length > 0 ? this.#judgeEarly(files) : undefined
  }

  /** Whether a picture was skipped because it exceeds what may be held of one while it arrives. */
  get hasLeftPictures(): boolean {
    return this.#deps.context.pictures?.hasLeft ?? false
  }

  /**
   * Stops waiting for pictures that are too long to hold. Their held bytes are scanned as if they
   * were complete, though the end may be missing. If that finds nothing, the pictures are
   * unscannable. Returns the verdict if it refuses.
   */
  async giveUpPictures(
    held: Iterable<Uint8Array>,
  ): Promise<RefuseVerdict | BlockVerdict | undefined> {
    const refused = await this.lookAgain(held)
    if (refused) return refused
    const verdict = await this.#judge([
      { coverage: 'unscannable', reason: 'long-picture', bytes: 0 },
    ])
    return isPassed(verdict) ? undefined : verdict
  }

  /**
   * Scans what was held back from the first byte of a skipped or abandoned picture on. Returns the
   * verdict if it refuses.
   * @param limits bytes of images that may be held whole meanwhile
   */
  async lookAgain(
    held: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    { heldBytes }: Pick<ScanLimits, 'heldBytes'> = SCAN_LIMITS,
  ): Promise<RefuseVerdict | BlockVerdict | undefined> {
    const { pictures, ...context } = this.#deps.context
    const hasLeft = this.hasLeftPictures
    pictures?.giveUp()
    const budget = this.#budget.apart({ heldBytes, embeddedHeldBytes: heldBytes })
    const scanner = new FileScanner({ ...context, digestKinds: [] }, { budget, depth: 0 })
    for await (const chunk of held) {
      await inTurns(scanner.take(chunk), budget.turn)
      await budget.turnIfOver()
    }
    const file = await scanner.end()
    const refused = await this.#judgeEarly([looksOf(file)])
    const missed = hasLeft ? allFiles(file).filter(isMissed).map(withoutInner) : []
    if (refused || missed.length === 0) return refused
    const verdict = await this.#judge([{ ...EMPTY, inner: missed }])
    return isPassed(verdict) ? undefined : verdict
  }

  /** A verdict that only counts if it refuses: complete files are judged again. */
  async #judgeEarly(
    files: readonly ScannedFile[],
  ): Promise<RefuseVerdict | BlockVerdict | undefined> {
    const verdict = await this.#deps.judge(files)
    if (isPassed(verdict)) return undefined
    this.#verdict = this.#verdict ? worseOf(this.#verdict, verdict) : verdict
    return isPassed(this.#verdict) ? verdict : this.#verdict
  }

  #isJudged(file: ScannedFile): boolean {
    return (
      file.coverage === 'scanned' && file.needles.every((needle) => this.#judgedNeedles.has(needle))
    )
  }

  /**
   * The verdict on the complete upload.
   * @throws {MalformedBodyError}
   * @throws {DigestKindAddedError} as `judge`
   */
  async end(): Promise<Verdict> {
    this.#reader.end()
    await this.#work()
    // The list is asked even if there is nothing to match: a gate without one must not seem to
    // work.
    return (await this.judge()) ?? this.#judge([])
  }

  *#end(scanner: FileScanner, info: FileInfo): Steps {
    this.#ended.push({ finished: yield* scanner.finish(), info })
  }

  /** Does the queued work, in turns with everything else that the isolate has to do. */
  async #work(): Promise<void> {
    for (const steps of this.#waiting.splice(0)) await this.#run(steps)
    await this.#settleEnded()
  }

  /** Does some work. What it queues is done after each of its steps, so the queue stays short. */
  async #run(steps: Steps): Promise<void> {
    for (;;) {
      const { done } = steps.next()
      for (const inner of this.#waiting.splice(0)) await this.#run(inner)
      await this.#budget.turnIfOver()
      if (done) return
    }
  }

  async #settleEnded(): Promise<void> {
    for (const { finished, info } of this.#ended.splice(0)) {
      const scanned = await settle(finished)
      this.#deps.onScanned?.(scanned, info)
      const { accept } = this.#deps.settings.body
      const isText = info.isText && !(info.isBody && scanned.isForeign)
      if (accept && !isAccepted(scanned, isText, new Set(accept))) this.#hasUnaccepted = true
      if (scanned.bytes > 0 && isInspected(scanned, info))
        this.#unjudged.push(info.isText ? asText(scanned) : scanned)
    }
  }

  async #judge(files: readonly ScannedFile[]): Promise<Verdict> {
    this.#unjudged = []
    for (const file of files.flatMap(allFiles)) {
      if (file.coverage === 'unscannable') continue
      for (const needle of file.needles) this.#judgedNeedles.add(needle)
    }
    const judged = await this.#deps.judge(files)
    const verdict = this.#hasUnaccepted ? worseOf(judged, unaccepted(judged)) : judged
    this.#verdict = this.#verdict ? worseOf(this.#verdict, verdict) : verdict
    const missing = this.#missingKinds()
    if (isPassed(this.#verdict) && missing.length > 0) throw new DigestKindAddedError(missing)
    return this.#verdict
  }

  /** Kinds of digests that the list has, but that were not taken. */
  #missingKinds(): DigestKind[] {
    const kinds = this.#deps.digestKinds?.() ?? []
    return kinds.filter((kind) => !this.#digestKinds.includes(kind))
  }
}

export interface InspectionDeps {
  context: ScanContext
  settings: { body: BodyOptions }
  judge: (files: readonly ScannedFile[]) => Promise<Verdict>
  /** Kinds of digests that the list has right now; all, if absent. */
  digestKinds?: () => readonly DigestKind[]
  /** Called with each file of the body when it has been scanned, before the verdict on it. */
  onScanned?: ((file: ScannedFile, info: FileInfo) => void) | undefined
}

/** A file that has ended, and may still have to be decoded. */
interface EndedFile {
  finished: Finished
  info: FileInfo
}

/** A second reading of something counts if it is a file or contains one. */
function isInspected(scanned: ScannedFile, { isRaw, isDecoded }: FileInfo): boolean {
  const isBeside = (isRaw ?? false) || (isDecoded ?? false)
  const isNothing = scanned.coverage === 'unscannable' && scanned.reason === 'unknown-format'
  return !isBeside || !isNothing || scanned.inner !== undefined || scanned.digests !== undefined
}

function unaccepted(judged: Verdict): Verdict {
  return { ...judged, action: 'refuse', reason: 'unaccepted-format', files: [] }
}

/** A field, or the text around files, does not count as unscannable if it has no known format. */
function asText(scanned: ScannedFile): ScannedFile {
  if (scanned.coverage === 'scanned' || scanned.reason !== 'unknown-format') return scanned
  const { bytes, digests, inner } = scanned
  return { ...EMPTY, bytes, ...(digests && { digests }), ...(inner && { inner }) }
}

/** What a part of a file shows. If a part cannot be scanned, that says nothing about the whole. */
function looksOf(file: ScannedFile): ScannedFile {
  const shown = allFiles(file).filter(({ coverage }) => coverage === 'scanned')
  return { ...EMPTY, inner: shown.map(withoutInner) }
}

/** Whether this may be a picture that was left and still cannot be decoded. */
function isMissed(file: ScannedFile): boolean {
  if (file.coverage === 'scanned') return false
  return file.reason === 'over-limit' || (file.format !== undefined && isHeldFormat(file.format))
}

function withoutInner(file: ScannedFile): ScannedFile {
  return { ...file, inner: [] }
}
