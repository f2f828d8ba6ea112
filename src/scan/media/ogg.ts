import { ascii } from '../../util/ascii.ts'
import { concatenate } from '../../util/bytes.ts'
import type { Steps } from '../../util/steps.ts'
import { Findings, type InnerScanner, type OpenInner } from '../archive/findings.ts'

const MARK = 'OggS'
/** Bytes of a page's header before the lengths of its segments. */
const HEADER_BYTES = 27
/** Maximum streams whose headers are read: sound, film, subtitles. */
const MAX_STREAMS = 4
/** A page on which no packet ends. */
const UNKNOWN_POSITION = 0xffff_ffff_ffff_ffffn

export function isOgg(head: Uint8Array): boolean {
  return ascii(head.subarray(0, MARK.length)) === MARK
}

/**
 * Joins what the pages of Ogg (RFC 3533) hold before sound begins. Comments are there, with cover
 * art in base64. It is longer than a page, so headers of pages interrupt it.
 */
export class OggReader {
  readonly findings = new Findings()
  readonly #open: OpenInner
  readonly #streams = new Map<number, InnerScanner>()
  #header: Uint8Array = new Uint8Array(0)
  /** The stream of the page that is being read, and the bytes left of it. */
  #stream: InnerScanner | undefined
  #left = 0
  /** Whether sound has begun, or something that is not a page. */
  #isOver = false

  constructor(open: OpenInner) {
    this.#open = open
  }

  *write(bytes: Uint8Array): Steps {
    let rest = bytes
    while (rest.length > 0 && !this.#isOver) {
      if (this.#left === 0) rest = this.#readHeader(rest)
      const data = rest.subarray(0, this.#left)
      if (this.#stream && data.length > 0) yield* this.#stream.take(data)
      this.#left -= data.length
      rest = rest.subarray(data.length)
    }
  }

  *close(): Steps {
    for (const scanner of this.#streams.values()) yield* this.findings.add(scanner)
    this.#streams.clear()
  }

  /** Reads as much of a header as there is. Returns what follows it. */
  #readHeader(bytes: Uint8Array): Uint8Array {
    const known = this.#header.length
    const all = concatenate([this.#header, bytes.subarray(0, HEADER_BYTES + 255)])
    const segments = all[HEADER_BYTES - 1] ?? 0
    const length = HEADER_BYTES + segments
    this.#header = all.length < length ? all : new Uint8Array(0)
    if (all.length < HEADER_BYTES || all.length < length) return bytes.subarray(bytes.length)
    const view = new DataView(all.buffer, all.byteOffset)
    const position = view.getBigUint64(6, true)
    const isHeader = position === 0n || position === UNKNOWN_POSITION
    this.#isOver = !isOgg(all) || !isHeader
    this.#left = all.subarray(HEADER_BYTES, length).reduce((sum, size) => sum + size, 0)
    this.#stream = this.#isOver ? undefined : this.#streamOf(view.getUint32(14, true))
    return bytes.subarray(length - known)
  }

  #streamOf(serial: number): InnerScanner | undefined {
    const known = this.#streams.get(serial)
    if (known || this.#streams.size >= MAX_STREAMS) return known
    const scanner = this.#open('embedded')
    if (scanner) this.#streams.set(serial, scanner)
    return scanner
  }
}
