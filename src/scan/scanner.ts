import { concatenate } from '../util/bytes.ts'
import { DIGEST_KINDS } from '../list/entry.ts'
import { ScanBudget } from './budget.ts'
import type { ScanContext } from './context.ts'
import { archiveWithin, describeArchive, EMPTY, isThumbnail, OVER_LIMIT } from './describe.ts'
import { FileDigester, type FileDigests } from './digests.ts'
import { EmbeddedSearch } from './archive/embedded.ts'
import type { OpenInner } from './archive/findings.ts'
import { type FileFormat, HEAD_BYTES, isImageFormat, isPdf, sniffFile } from './format.ts'
import { GzipReader } from './archive/gzip.ts'
import { type ImageOutcome, ImageScan } from './image/image-scan.ts'
import { SCAN_LIMITS } from './limits.ts'
import { type Finished, type ScannedFile, settle, settleAll, type Within } from './scanned.ts'
import { readTarHeader } from './archive/tar-header.ts'
import { TarReader } from './archive/tar.ts'
import { ZipReader } from './archive/zip.ts'

/** Where a file was found, and what it may take. */
interface Place {
  budget: ScanBudget
  /** Files around it. */
  depth: number
  within?: Within
}

/**
 * Turns the bytes of one file, as they come, into needles and digests: its own, and those of files within it. Images of
 * the core's formats are decoded on the way, archives are read on the way, and nothing of the file is kept.
 */
export class FileScanner {
  readonly #context: ScanContext
  readonly #place: Place
  readonly #digester: FileDigester | undefined
  #bytes = 0
  #head: Uint8Array = new Uint8Array(0)
  #isSniffed = false
  #format: FileFormat | undefined
  #image: ImageScan | undefined
  #container: GzipReader | TarReader | undefined
  readonly #zip: ZipReader
  #embedded: EmbeddedSearch | undefined

  /** Scans a file. Files of one upload share a budget, and so does what is within them. */
  constructor(context: ScanContext, place: Place = { budget: budgetOf(context), depth: 0 }) {
    this.#context = context
    this.#place = place
    const { digestKinds = DIGEST_KINDS } = context
    this.#digester = digestKinds.length === 0 ? undefined : new FileDigester(digestKinds)
    this.#zip = new ZipReader(place.budget, this.#open, (bytes, kind) =>
      this.#embedded?.write(bytes, kind),
    )
  }

  /** Gives the next bytes. Those of formats that are held must not be changed afterwards. */
  write(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    this.#digester?.update(chunk)
    if (this.#isSniffed) {
      this.#take(chunk)
      return
    }
    const head = this.#head.length === 0 ? chunk : concatenate([this.#head, chunk])
    if (head.length >= HEAD_BYTES) this.#begin(head)
    else this.#head = head.slice() // a view of it may be changed
  }

  /** Tells that the file is whole. Returns what was found. */
  async end(): Promise<ScannedFile> {
    return settle(this.close())
  }

  /** Tells that the file is whole. What is still to be decoded is told by a function, to be called when nothing else is. */
  close(): Finished {
    if (!this.#isSniffed) this.#begin(this.#head)
    const digests = this.#bytes === 0 ? undefined : this.#digester?.digest()
    const outcome = this.#image?.close()
    this.#image = undefined // nothing of it is to outlive it
    const inner = this.#closeInner()
    const isOpen = [outcome, ...inner].some((part) => typeof part === 'function')
    if (isOpen) {
      return async () => {
        const image = typeof outcome === 'function' ? await outcome() : outcome
        return this.#describe(image, await settleAll(inner), digests)
      }
    }
    return this.#describe(outcome as ImageOutcome | undefined, inner as ScannedFile[], digests)
  }

  /** Tells the format by the file's head, and begins to take it. */
  #begin(head: Uint8Array): void {
    const { budget, depth } = this.#place
    this.#isSniffed = true
    this.#format = sniffFile(head)
    this.#embedded = new EmbeddedSearch(
      this.#context,
      budget,
      isPdf(head) ? 'pdf' : 'embedded',
      // An archive's own data is found in it as it is wherever it could not be compressed.
      (this.#format !== 'zip' && this.#format !== 'gzip') || isPdf(head),
      (bytes) => this.#image?.beginsWithThumbnail(bytes) ?? false,
    )
    if (isImageFormat(this.#format)) {
      this.#image = new ImageScan(this.#context, this.#format, budget, depth > 0)
    }
    const sink = this.#zip.write.bind(this.#zip)
    if (this.#format === 'gzip') this.#container = new GzipReader(budget, this.#open, sink)
    else if (readTarHeader(head)) this.#container = new TarReader(budget, this.#open, sink)
    this.#take(head)
  }

  #take(chunk: Uint8Array): void {
    this.#image?.write(chunk)
    if (this.#container) this.#container.write(chunk)
    else this.#zip.write(chunk, 'free')
  }

  readonly #open: OpenInner = (within) => {
    const { budget, depth } = this.#place
    if (depth >= budget.limits.depth) return undefined
    return new FileScanner(this.#context, { budget, depth: depth + 1, within })
  }

  /** Ends all that was read beside the image. Returns the files that were found, in order of what they were found by. */
  #closeInner(): Finished[] {
    const container = this.#container
    container?.close()
    const isArchive = this.#zip.close(this.#format === 'zip')
    const inner: Finished[] = []
    if (container instanceof TarReader && this.#format !== 'tar')
      inner.push(archiveWithin('tar', container.findings))
    else inner.push(...(container?.findings.inner ?? []))
    if (isArchive && this.#format !== 'zip') inner.push(archiveWithin('zip', this.#zip.findings))
    else inner.push(...this.#zip.findings.inner)
    inner.push(...(this.#embedded?.close() ?? []))
    if (this.#embedded?.isOverLimit) inner.push(OVER_LIMIT)
    return inner
  }

  #describe(
    image: ImageOutcome | undefined,
    inner: ScannedFile[],
    digests: Partial<FileDigests> | undefined,
  ): ScannedFile {
    const { within } = this.#place
    const others = inner.filter((file) => !isThumbnail(file, image))
    return {
      ...this.#describeContent(image),
      ...(digests && { digests }),
      ...(within && { within }),
      ...(others.length > 0 && { inner: others }),
    }
  }

  #describeContent(image: ImageOutcome | undefined): ScannedFile {
    const [format, bytes] = [this.#format, this.#bytes]
    if (image) return { ...image, format: format as FileFormat, bytes }
    if (bytes === 0) return { ...EMPTY, width: 0, height: 0 }
    if (format === 'zip') return { ...describeArchive(format, this.#zip.findings), bytes }
    if (this.#container && (format === 'gzip' || format === 'tar'))
      return { ...describeArchive(format, this.#container.findings), bytes }
    if (format) return { coverage: 'unscannable', reason: 'unsupported-format', format, bytes }
    return { coverage: 'unscannable', reason: 'unknown-format', bytes }
  }
}

/** What the files of one upload may take together. */
export function budgetOf({ limits }: ScanContext): ScanBudget {
  return new ScanBudget({ ...SCAN_LIMITS, ...limits })
}

/** Scans a file that is whole. */
export function scanFile(context: ScanContext, file: Uint8Array): Promise<ScannedFile> {
  const scanner = new FileScanner(context)
  scanner.write(file)
  return scanner.end()
}
