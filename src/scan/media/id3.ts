import { concatenate } from '../../util/bytes.ts'
import { ascii } from '../../util/ascii.ts'
import type { Steps } from '../../util/steps.ts'
import { Findings, type OpenInner } from '../archive/findings.ts'
import type { ScanBudget } from '../budget.ts'
import type { Within } from '../scanned.ts'

const HEADER_BYTES = 10
/** Flags of a tag. */
const UNSYNCHRONISED = 0x80
const EXTENDED = 0x40

/**
 * Keeps the ID3v2 tag that a file begins with, and scans those parts of it whose bytes are changed:
 * a tag or frame with a zero after each 0xff ("unsynchronised"), and compressed frames. Pictures in
 * all others are found by their signatures.
 */
export class Id3Reader {
  readonly findings = new Findings()
  readonly #budget: ScanBudget
  readonly #open: OpenInner
  #held: Uint8Array[] = []
  #heldBytes = 0
  #needed = HEADER_BYTES
  #isOver = false

  constructor(budget: ScanBudget, open: OpenInner) {
    this.#budget = budget
    this.#open = open
  }

  *write(bytes: Uint8Array): Steps {
    if (this.#isOver) return
    this.#held.push(bytes.slice())
    this.#heldBytes += bytes.length
    if (!this.#budget.take('heldBytes', bytes.length)) {
      this.findings.note('over-limit')
      this.#release()
    } else if (this.#heldBytes >= this.#needed) yield* this.#read()
  }

  *close(): Steps {
    if (!this.#isOver) yield* this.#read()
    this.#release()
  }

  *#read(): Steps {
    const file = concatenate(this.#held)
    this.#held = [file]
    if (this.#needed === HEADER_BYTES) this.#needed += syncsafe(file, 6)
    if (file.length < this.#needed) return
    const coded = codedParts(file.subarray(0, this.#needed))
    this.#release()
    for (const { bytes, within } of coded) {
      const scanner = this.#budget.take('entries') ? this.#open(within) : undefined
      if (!scanner) this.findings.note('over-limit')
      else {
        yield* scanner.take(bytes)
        yield* this.findings.add(scanner)
      }
    }
  }

  #release(): void {
    this.#isOver = true
    this.#held = []
    this.#budget.take('heldBytes', -this.#heldBytes)
    this.#heldBytes = 0
  }
}

/** What is written in another form, and how the scanner should take it. */
interface Coded {
  bytes: Uint8Array
  within: Within
}

export function isId3(head: Uint8Array): boolean {
  return /^ID3[\x02-\x04]/.test(ascii(head.subarray(0, 4)))
}

function codedParts(tag: Uint8Array): Coded[] {
  const [version = 0, flags = 0] = [tag[3], tag[5]]
  const isWhole = (flags & UNSYNCHRONISED) !== 0
  const body = tag.subarray(HEADER_BYTES)
  const coded: Coded[] = isWhole ? [{ bytes: synchronised(body), within: 'embedded' }] : []
  if (version < 3) return coded
  // In version 4, each frame is changed by itself, and sizes are those of the changed bytes.
  const frames = isWhole && version === 3 ? synchronised(body) : body
  const sizeAt = (at: number) => (version === 4 ? syncsafe(frames, at) : word(frames, at))
  let at = (flags & EXTENDED) === 0 ? 0 : sizeAt(0) + (version === 4 ? 0 : 4)
  while (at + HEADER_BYTES <= frames.length && frames[at] !== 0) {
    const form = frames[at + 9] ?? 0
    const start = at + HEADER_BYTES
    at = start + sizeAt(at + 4)
    const data = frames.subarray(start, at)
    const isUnsynchronised = version === 4 && (form & 2) !== 0
    const isCompressed = (form & (version === 4 ? 8 : 0x80)) !== 0
    // The length before compression comes first.
    const skipped = version === 4 ? ((form & 0x40) >> 6) + (form & 1) * 4 : 4
    const bytes = isUnsynchronised ? synchronised(data) : data
    // The scanner opens zlib only where a text could have it.
    if (isCompressed) coded.push({ bytes: bytes.subarray(skipped), within: 'text' })
    else if (isUnsynchronised && !isWhole) coded.push({ bytes, within: 'embedded' })
  }
  return coded
}

/** Bytes without the zeros after 0xff. */
function synchronised(bytes: Uint8Array): Uint8Array {
  let length = 0
  const out = new Uint8Array(bytes.length)
  for (const [i, byte] of bytes.entries())
    if (byte !== 0 || i === 0 || bytes[i - 1] !== 0xff) out[length++] = byte
  return out.subarray(0, length)
}

/** A number of 28 bits in 4 bytes. */
function syncsafe(bytes: Uint8Array, at: number): number {
  return [0, 1, 2, 3].reduce((sum, i) => sum * 128 + ((bytes[at + i] ?? 0) & 127), 0)
}

function word(bytes: Uint8Array, at: number): number {
  return [0, 1, 2, 3].reduce((sum, i) => sum * 256 + (bytes[at + i] ?? 0), 0)
}
