import { createBodyReader } from '../body/reader.ts'
import type { BodyOptions, BodyReader, FileInfo } from '../body/types.ts'
import {
  type BlockVerdict,
  isPassed,
  type RefuseVerdict,
  type Verdict,
  worseOf,
} from '../gate/verdict.ts'
import type { ScanContext } from '../scan/context.ts'
import { EMPTY } from '../scan/describe.ts'
import { allFiles, type Needle, type ScannedFile, settle } from '../scan/scanned.ts'
import { budgetOf, FileScanner } from '../scan/scanner.ts'

/** What an upload is inspected with. */
export interface InspectionDeps {
  context: ScanContext
  settings: { body: BodyOptions }
  judge: (files: readonly ScannedFile[]) => Promise<Verdict>
  /** Given each file of the body when it has been scanned, before the verdict on it. */
  onScanned?: ((file: ScannedFile, info: FileInfo) => void) | undefined
}

/** A file that has come to its end, and is not scanned to it yet. */
interface EndedFile {
  scanner: FileScanner
  info: FileInfo
}

/** Looks at an upload while its body comes: finds the files in it, scans them, and has them judged. */
export class Inspection {
  readonly #deps: InspectionDeps
  readonly #reader: BodyReader
  #ended: EndedFile[] = []
  #unjudged: ScannedFile[] = []
  #verdict: Verdict | undefined
  #bytes = 0
  readonly #judgedNeedles = new WeakSet<Needle>()

  /** @throws {MalformedBodyError} the headers tell no body that can be read in one way only */
  constructor(headers: Headers, deps: InspectionDeps) {
    this.#deps = deps
    const { context, settings } = deps
    const budget = budgetOf(context)
    this.#reader = createBodyReader(headers, settings.body, {
      openFile: (info) => {
        const scanner = new FileScanner(context, { budget, depth: 0 })
        return {
          write: (chunk) => scanner.write(chunk),
          end: () => void this.#ended.push({ scanner, info }),
        }
      },
      onUnreadable: (reason) => this.#unjudged.push({ coverage: 'unscannable', reason, bytes: 0 }),
    })
  }

  /**
   * Takes the next chunk, and ends the files that end in it. What is in it must not be changed afterwards.
   * @throws {MalformedBodyError}
   */
  async take(chunk: Uint8Array): Promise<void> {
    this.#deps.context.pictures?.nextChunk(this.#bytes)
    this.#bytes += chunk.length
    this.#reader.write(chunk)
    await this.#scanEnded()
  }

  /** Version of the list that was asked last. */
  get listVersion(): number | undefined {
    return this.#verdict?.listVersion
  }

  /** The verdict by the files that have come so far; `undefined` before the first. */
  async judge(): Promise<Verdict | undefined> {
    const unjudged = this.#unjudged
    if (unjudged.length > 0) await this.#judge(unjudged)
    return this.#verdict
  }

  /** Position in the body from which on nothing may go on: where a picture begins that has no verdict. */
  get heldFrom(): number {
    return this.#deps.context.pictures?.heldFrom ?? Infinity
  }

  /** The verdict by pictures that are decoded in files which have not come to their end, if it is no. */
  async judgePictures(): Promise<RefuseVerdict | BlockVerdict | undefined> {
    const files: ScannedFile[] = []
    for (const picture of this.#deps.context.pictures?.takeDecoded() ?? []) {
      const file = await settle(picture)
      if (!this.#isJudged(file)) files.push(file)
    }
    return files.length > 0 ? this.#judgeEarly(files) : undefined
  }

  /**
   * Ends the wait for pictures that are longer than is held. What is held is looked at as if it were all: their end may be
   * missing. Else they are unscannable. Returns the verdict if it is no.
   */
  async giveUpPictures(
    held: readonly Uint8Array[],
  ): Promise<RefuseVerdict | BlockVerdict | undefined> {
    const { pictures, ...context } = this.#deps.context
    pictures?.giveUp()
    const scanner = new FileScanner({ ...context, withoutDigests: true })
    for (const chunk of held) scanner.write(chunk)
    const refused = await this.#judgeEarly([looksOf(await scanner.end())])
    if (refused) return refused
    const verdict = await this.#judge([
      { coverage: 'unscannable', reason: 'long-picture', bytes: 0 },
    ])
    return isPassed(verdict) ? undefined : verdict
  }

  /** A verdict that is only of interest if it is no: the files are judged again when they are whole. */
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
   * The verdict, when all has come.
   * @throws {MalformedBodyError}
   */
  async end(): Promise<Verdict> {
    this.#reader.end()
    await this.#scanEnded()
    // The list is asked even if nothing is to be matched: a gate without one must not look as if it worked.
    return (await this.judge()) ?? this.#judge([])
  }

  async #scanEnded(): Promise<void> {
    const ended = this.#ended
    this.#ended = []
    for (const { scanner, info } of ended) {
      const scanned = await scanner.end()
      this.#deps.onScanned?.(scanned, info)
      if (scanned.bytes > 0) this.#unjudged.push(info.isText ? textOf(scanned) : scanned)
    }
  }

  async #judge(files: readonly ScannedFile[]): Promise<Verdict> {
    this.#unjudged = []
    for (const file of files.flatMap(allFiles)) {
      if (file.coverage === 'unscannable') continue
      for (const needle of file.needles) this.#judgedNeedles.add(needle)
    }
    const verdict = await this.#deps.judge(files)
    this.#verdict = this.#verdict ? worseOf(this.#verdict, verdict) : verdict
    return this.#verdict
  }
}

/** A field, or the text around files, that is of no known format is nothing that could not be looked at. */
function textOf(scanned: ScannedFile): ScannedFile {
  if (scanned.coverage === 'scanned' || scanned.reason !== 'unknown-format') return scanned
  const { bytes, digests, inner } = scanned
  return { ...EMPTY, bytes, ...(digests && { digests }), ...(inner && { inner }) }
}

/** What a part of a file shows: that it cannot be looked at says nothing about the whole. */
function looksOf(file: ScannedFile): ScannedFile {
  const shown = allFiles(file).filter(({ coverage }) => coverage === 'scanned')
  return { ...EMPTY, inner: shown.map((one) => ({ ...one, inner: [] })) }
}
