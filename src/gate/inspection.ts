import { type BodyReader, createBodyReader, type FileInfo } from '../body/reader.ts'
import { DIGEST_KINDS, type DigestKind } from '../list/entry.ts'
import type { AskList } from '../match/stages.ts'
import type { ScanContext } from '../scan/context.ts'
import { EMPTY } from '../scan/describe.ts'
import type { ScannedFile } from '../scan/scanned.ts'
import { budgetOf, FileScanner } from '../scan/scanner.ts'
import { HashgateError } from '../util/errors.ts'
import type { Config } from './config.ts'
import { isPassed, judge, type MarkFlooded, type Verdict, worseOf } from './verdict.ts'

/** What an upload is inspected with. */
export interface InspectionTools {
  context: ScanContext
  config: Config
  askList: AskList
  /** Kinds of digests that the list has at the moment; all, if absent. */
  digestKinds?: () => readonly DigestKind[]
  markFlooded?: MarkFlooded
  /** Told each file of the body when it has been scanned, before the verdict on it. */
  onScanned?: (file: ScannedFile, info: FileInfo) => void
}

/** A file that has come to its end, and is not scanned to it yet. */
interface EndedFile {
  scanner: FileScanner
  info: FileInfo
}

/** The list has got a kind of digest that was not taken of the files of this upload. */
export class DigestKindAddedError extends HashgateError {
  readonly code = 'digest-kind-added'

  constructor(kinds: readonly DigestKind[]) {
    super(`the list got digests of another kind while the upload came: ${kinds.join(', ')}`)
  }
}

/** Looks at an upload while its body comes: finds the files in it, scans them, and has them judged. */
export class Inspection {
  readonly #tools: InspectionTools
  readonly #reader: BodyReader
  readonly #digestKinds: readonly DigestKind[]
  #ended: EndedFile[] = []
  #unjudged: ScannedFile[] = []
  #verdict: Verdict | undefined

  /** @throws {MalformedBodyError} the headers tell no body that can be read in one way only */
  constructor(headers: Headers, tools: InspectionTools) {
    this.#tools = tools
    const { config } = tools
    this.#digestKinds = tools.digestKinds?.() ?? DIGEST_KINDS
    const context = { ...tools.context, digestKinds: this.#digestKinds }
    const budget = budgetOf(context)
    this.#reader = createBodyReader(headers, config, {
      openFile: (info) => {
        const scanner = new FileScanner(context, { budget, depth: 0 })
        return {
          write: (piece) => scanner.write(piece),
          end: () => void this.#ended.push({ scanner, info }),
        }
      },
      onUnreadable: (reason) => this.#unjudged.push({ coverage: 'unscannable', reason, bytes: 0 }),
    })
  }

  /**
   * Takes the next piece, and ends the files that end in it. What is in it must not be changed afterwards.
   * @throws {MalformedBodyError}
   */
  async take(piece: Uint8Array): Promise<void> {
    this.#reader.write(piece)
    await this.#scanEnded()
  }

  /**
   * The verdict by the files that have come so far; `undefined` before the first.
   * @throws {DigestKindAddedError} nothing refuses the upload, but it was not compared with all that is listed
   */
  async judge(): Promise<Verdict | undefined> {
    const unjudged = this.#unjudged
    if (unjudged.length > 0) await this.#judge(unjudged)
    return this.#verdict
  }

  /**
   * The verdict, when all has come.
   * @throws {MalformedBodyError}
   * @throws {DigestKindAddedError} as `judge`
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
      this.#tools.onScanned?.(scanned, info)
      if (scanned.bytes > 0) this.#unjudged.push(info.isText ? textOf(scanned) : scanned)
    }
  }

  async #judge(files: readonly ScannedFile[]): Promise<Verdict> {
    this.#unjudged = []
    const { askList, config, markFlooded } = this.#tools
    const verdict = await judge(files, askList, config, markFlooded)
    const missing = this.#missingKinds()
    if (isPassed(verdict) && missing.length > 0) throw new DigestKindAddedError(missing)
    this.#verdict = this.#verdict ? worseOf(this.#verdict, verdict) : verdict
    return this.#verdict
  }

  /** Kinds of digests that the list has, and that were not taken. */
  #missingKinds(): DigestKind[] {
    const kinds = this.#tools.digestKinds?.() ?? []
    return kinds.filter((kind) => !this.#digestKinds.includes(kind))
  }
}

/** A field, or the text around files, that is of no known format is nothing that could not be looked at. */
function textOf(scanned: ScannedFile): ScannedFile {
  if (scanned.coverage === 'scanned' || scanned.reason !== 'unknown-format') return scanned
  const { bytes, digests, inner } = scanned
  return { ...EMPTY, bytes, ...(digests && { digests }), ...(inner && { inner }) }
}
