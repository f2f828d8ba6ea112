import { atOnce, type Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { isImageFormat } from '../format.ts'
import type { FinishedInner, ScannedFile } from '../scanned.ts'
import { Base64Coding } from './alphabets.ts'
import { NO_CODES } from './codings.ts'
import { CODE_MS, INFLATER_MS, LOOK_MS, TEXT_BYTE_MS, TEXT_MS } from '../work.ts'
import type { CodedFile, CodedStream, Start } from './coded-stream.ts'
import { Layer } from './layer.ts'

/** Maximum layers of escapes that are undone. */
const MAX_LAYERS = 3
/** Bytes searched at once. Results do not depend on it. */
const BLOCK_BYTES = 1024
/** Maximum distance between two readings of the same file. */
const NEAR_BYTES = 16 * 1024

/**
 * Finds files written in a text: in base64, hex or numbers, with or without escapes, as lenient
 * readers read them.
 */
export class TextSearch {
  readonly #options: TextOptions
  readonly #found: Found[] = []
  readonly #layer: Layer
  readonly #blockBytes: number
  #chunks: Uint8Array[] = []
  #bytes = 0
  #rootAt = 0
  #opened = 0
  /** Whether every other byte is 0, as in UTF-16 letters. */
  #isWide: boolean | undefined
  /** Whether a limit kept some of it from being searched. */
  isOverLimit = false

  constructor(options: TextOptions) {
    this.#options = options
    const { budget, isUrlencoded, blockBytes = BLOCK_BYTES } = options
    this.#blockBytes = blockBytes
    budget.spend(TEXT_MS)
    this.#layer = new Layer(
      {
        isUrlencoded,
        takeBytes: (count) => {
          if (budget.isExhausted || !budget.take('textBytes', count)) return this.#isRoom(false)
          budget.spend(count * TEXT_BYTE_MS)
          return true
        },
        names: (options.names ?? []).map((name) => base64Codes(name)),
        onCodes: (count) => budget.spend(count * CODE_MS),
        onLook: () => budget.spend(LOOK_MS),
        takeLook: () => this.#isRoom(!budget.isSpent('embeddedStarts') && budget.take('textLooks')),
        takeInflating: () => {
          budget.spend(INFLATER_MS)
          return this.#isRoom(!budget.isExhausted)
        },
        open: (isPlain) => this.#open(isPlain),
        opened: () => this.#opened,
        onOverLimit: () => this.#isRoom(false),
        onEnded: (stream) => this.#take(stream),
      },
      MAX_LAYERS,
    )
  }

  /** Whether an incomplete file is being read. */
  get isReading(): boolean {
    return this.#layer.isReading
  }

  /** Takes the next bytes. */
  *take(bytes: Uint8Array): Steps {
    const isWhole = this.#bytes === 0
    const at = isWhole ? bytes.length - (bytes.length % this.#blockBytes) : 0
    if (at > 0) yield* this.#searchAll(bytes.subarray(0, at))
    if (at === bytes.length) return
    this.#chunks.push(bytes.slice(at)) // the caller may change them
    this.#bytes += bytes.length - at
    if (this.#bytes >= this.#blockBytes) yield* this.#flush()
  }

  /** Ends the text. Returns the files in it. */
  close(): FinishedInner[] {
    atOnce(this.#flush())
    this.#layer.close()
    return this.#settle()
  }

  *#flush(): Steps {
    const whole = Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#bytes = 0
    yield* this.#searchAll(whole)
  }

  *#searchAll(bytes: Uint8Array): Steps {
    const size = this.#blockBytes
    for (let at = 0; at < bytes.length; at += size) {
      const rootAt = this.#rootAt
      this.#search(bytes.subarray(at, at + size))
      if (this.#options.budget.isTurnOver) yield
      while (this.#layer.writeMore(rootAt)) if (this.#options.budget.isTurnOver) yield
    }
  }

  #search(block: Uint8Array): void {
    this.#isWide ??= hasWideLetters(block)
    // A copy: layers keep parts of it, and the caller may change it.
    const bytes = this.#isWide ? block.filter((byte) => byte !== 0) : new Uint8Array(block)
    this.#layer.write(bytes, this.#rootAt)
    this.#rootAt += block.length
  }

  #isRoom(isRoom: boolean): boolean {
    if (!isRoom) this.isOverLimit = true
    return isRoom
  }

  #open(isPlain: boolean): CodedFile | undefined {
    const { budget, open } = this.#options
    const isRoom =
      !budget.isSpent('embeddedStarts') &&
      budget.take('embeddedStarts') &&
      budget.openEmbedded < budget.limits.embeddedAtOnce &&
      !budget.isOverMemory
    const file = isRoom ? open(isPlain) : undefined
    if (this.#isRoom(file !== undefined)) {
      budget.openEmbedded++
      this.#opened++
    }
    return file
  }

  #take(stream: CodedStream): void {
    const { budget } = this.#options
    budget.openEmbedded--
    const file = stream.close()
    if (typeof file !== 'function' && isNoFile(file, stream.start)) return
    const { rootAt, isDoubtful, format } = stream
    if (!this.#isRoom(budget.take('embeddedImages'))) return
    // A TIFF is only read once it is complete. Noise contains its four bytes once in a few
    // gigabytes, in each coding.
    const isNoise = typeof file === 'function' && format === 'tiff'
    const found = isNoise ? async () => fileOrNothing(await file(), stream.start) : file
    this.#found.push({ rootAt, isDoubtful, format, file: found })
  }

  /**
   * A failure in one reading does not count if another reading found a file of the same format
   * there.
   */
  #settle(): FinishedInner[] {
    const read = this.#found.filter(({ file }) => !isFailed(file))
    const isRead = ({ rootAt, format }: Found) =>
      read.some((one) => one.format === format && Math.abs(one.rootAt - rootAt) <= NEAR_BYTES)
    return this.#found
      .filter((one) => !(isFailed(one.file) && one.isDoubtful && isRead(one)))
      .map(({ file }) => file)
  }
}

/** How a text is searched. */
export interface TextOptions {
  budget: ScanBudget
  /**
   * Begins to scan a file written in the text, plain beneath escapes or not; `undefined` if it lies
   * too deep.
   */
  open: (isPlain: boolean) => CodedFile | undefined
  /** Names of fields whose values are base64 files, whatever they begin with. */
  names?: readonly string[] | undefined
  /** Whether a plus sign may be a space, as in application/x-www-form-urlencoded. */
  isUrlencoded: boolean
  /** Bytes searched at once, if not the usual number. */
  blockBytes?: number
}

/** A file that was found in a text. */
interface Found {
  rootAt: number
  isDoubtful: boolean
  format: string | undefined
  file: FinishedInner
}

function base64Codes(text: string): Uint16Array {
  const [codes = NO_CODES] = new Base64Coding().pick(Buffer.from(text))
  return codes.slice()
}

function isFailed(file: FinishedInner): boolean {
  return (
    typeof file !== 'function' &&
    file.coverage === 'unscannable' &&
    file.reason !== 'unknown-format'
  )
}

function isUnknown(file: ScannedFile): boolean {
  return file.coverage === 'unscannable' && file.reason === 'unknown-format' && !file.inner
}

/**
 * A file that fails before its size is known only looked like an image. A text without files does
 * not count either.
 */
export function isNoFile(
  file: ScannedFile,
  { isSaid, isFaint }: Pick<Start, 'isSaid' | 'isFaint'> = { isSaid: false, isFaint: true },
): boolean {
  if (file.format === 'zlib' && file.inner?.every(isUnknown)) return true // two bytes are no evidence
  if (file.coverage === 'scanned' || file.reason === 'over-limit' || file.inner) return false
  if (file.reason === 'unknown-format') return !isSaid
  // An archive from which nothing could be read.
  if (isFaint && file.reason === 'damaged' && !isImageFormat(file.format)) return true
  return (
    isImageFormat(file.format) && file.width === undefined && file.reason !== 'unsupported-format'
  )
}

function fileOrNothing(file: ScannedFile, start: Start): ScannedFile | undefined {
  return isNoFile(file, start) ? undefined : file
}

/** Whether most bytes are letters of UTF-16 or UTF-32, judging by the zeros. */
function hasWideLetters(block: Uint8Array): boolean {
  let zeros = 0
  for (const byte of block) if (byte === 0) zeros++
  return zeros * 4 > block.length
}
