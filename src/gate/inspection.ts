import { type BodyReader, createBodyReader } from '../body/reader.ts'
import type { ScanContext } from '../scan/context.ts'
import type { ScannedFile } from '../scan/scanned.ts'
import { FileScanner } from '../scan/scanner.ts'
import type { Config } from './config.ts'
import { type AskList, judge, type Verdict, worseOf } from './verdict.ts'

/** What an upload is inspected with. */
export interface InspectionTools {
  context: ScanContext
  config: Config
  askList: AskList
}

/** Looks at an upload while its body comes: finds the files in it, scans them, and has them judged. */
export class Inspection {
  readonly #tools: InspectionTools
  readonly #reader: BodyReader
  /** Files that have come to their end, and are not scanned to it yet. */
  #ended: FileScanner[] = []
  #unjudged: ScannedFile[] = []
  #verdict: Verdict | undefined

  /** @throws {MalformedBodyError} the headers tell no body that can be read in one way only */
  constructor(headers: Headers, tools: InspectionTools) {
    this.#tools = tools
    this.#reader = createBodyReader(headers, tools.config, () => {
      const scanner = new FileScanner(tools.context)
      return {
        write: (piece) => scanner.write(piece),
        end: () => void this.#ended.push(scanner),
      }
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

  /** The verdict by the files that have come so far; `undefined` before the first. */
  async judge(): Promise<Verdict | undefined> {
    const unjudged = this.#unjudged
    if (unjudged.length > 0) await this.#judge(unjudged)
    return this.#verdict
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
    for (const scanner of ended) {
      const scanned = await scanner.end()
      if (scanned.bytes > 0) this.#unjudged.push(scanned)
    }
  }

  async #judge(files: readonly ScannedFile[]): Promise<Verdict> {
    this.#unjudged = []
    const verdict = await judge(files, this.#tools.askList, this.#tools.config)
    this.#verdict = this.#verdict ? worseOf(this.#verdict, verdict) : verdict
    return this.#verdict
  }
}
