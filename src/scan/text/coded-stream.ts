import type { Finished } from '../scanned.ts'
import { isTextByte, SIGHT_BYTES, VALUE_BYTES } from './signs.ts'
import { BREAK, LAST_BYTES, LINE_BREAK, PAD_BREAK, URL_CODES } from './codings.ts'

/**
 * Bytes of a file kept in case the readings diverge. Honest encoders use one alphabet from the
 * start.
 */
export const MAX_KEPT_BYTES = 1024 * 1024

/**
 * No value ends within this many bytes of a file: that many recognised it, whatever stood between
 * them.
 */
const MIN_FILE_BYTES = VALUE_BYTES

/** Bytes handed on at once after the first end of a value: dense breaks come every few bytes. */
const MIN_GIVEN_BYTES = 64

/** Decodes codes from the beginning of a file to its end. */
export class CodedStream {
  readonly start: Start
  readonly #file: CodedFile
  readonly #bits: number
  #reading: Reading
  #held = 0
  #heldBits: number
  /** Codes taken so far. */
  #taken = 0
  /** Number of codes up to which the file was incomplete: what follows may be another file. */
  #needed = 0
  #isBehindEnd = false
  /**
   * What happens to bits before padding that make no byte: some readers drop them, others keep
   * them.
   */
  #padding: 'drop' | 'go-on' | 'either' = 'either'
  #isBehindPad = false
  #isText = false
  #kept: Uint8Array[] | undefined = []
  #keptBytes = 0
  isEnded = false
  /** Whether the same codes have another reading, so that a failure of this one does not count. */
  isDoubtful = false
  /** Where it was found in the upload's text. */
  readonly rootAt: number

  constructor(file: CodedFile, bits: number, start: Start, rootAt: number) {
    this.#file = file
    this.#bits = bits
    this.#reading = start.reading
    this.#heldBits = -start.skipBits
    this.start = start
    this.rootAt = rootAt
  }

  /**
   * Whether a file beginning at a bit of a code, counted as in a reading, lies within this one and
   * is found in it.
   */
  covers(reading: 'skip' | 'take', ordinal: number, skipBits: number): boolean {
    if (this.#reading !== 'either' && this.#reading !== reading) return false
    const code = ordinal - this.start.ordinals[reading]
    const isAligned = (code * this.#bits + skipBits - this.start.skipBits) % 8 === 0
    return code >= 0 && code < (this.isEnded ? this.#needed : this.#taken) && isAligned
  }

  /** Whether it ends before a code. */
  endsBefore({ skip, take }: Start['ordinals']): boolean {
    const { ordinals } = this.start
    return ordinals.skip + this.#taken < skip && ordinals.take + this.#taken < take
  }

  /**
   * Takes codes from an index on. Returns the index of the first code not taken, where readings
   * diverge.
   */
  take(codes: Uint16Array, from: number): number {
    const bytes = new Uint8Array(((codes.length - from) * this.#bits) / 8 + 2)
    let count = 0
    let index = from
    for (; index < codes.length; index++) {
      const code = codes[index] as number
      let value = code
      if (code === LINE_BREAK) continue
      if (code > LAST_BYTES) {
        this.#give(bytes.slice(0, count))
        count = 0
        index += this.#takeLast(codes.subarray(index + 1, index + 1 + code - LAST_BYTES))
        continue
      }
      if (code >= BREAK) {
        this.#isBehindPad ||= code === PAD_BREAK && this.#heldBits > 0
        if (this.#isBehindEnd && count < MIN_GIVEN_BYTES) continue
        this.#give(bytes.slice(0, count))
        count = 0
        this.#passBreak()
        if (this.isEnded) break
        continue
      }
      if (this.#isBehindPad) {
        if (this.#padding === 'either') break
        if (this.#padding === 'drop') this.#heldBits = 0
        this.#isBehindPad = false
      }
      if (code >= URL_CODES && this.#bits === 6) {
        if (this.#reading === 'either') break
        if (this.#reading === 'skip') continue
        value = code - 2
      }
      this.#taken++
      this.#held = ((this.#held << this.#bits) | value) & 0xffff
      this.#heldBits += this.#bits
      if (this.#heldBits < 8) continue
      this.#heldBits -= 8
      bytes[count++] = this.#held >> this.#heldBits
    }
    if (!this.isEnded) this.#give(bytes.slice(0, count))
    return this.isEnded ? codes.length : index
  }

  /**
   * Takes bytes as the last of a value if the file ends with them: one more, as a number, than where
   * the value goes on (`LAST_BYTES`). Returns how many it took.
   */
  #takeLast(codes: Uint16Array): number {
    if (this.#file.missingBytes > codes.length) return 0
    const last = Uint8Array.from(codes)
    for (let i = last.length - 1; i >= 0; i--) if (((last[i] as number)++ & 255) !== 255) break
    this.#taken += last.length
    this.#give(last)
    return last.length
  }

  /**
   * Continues in one reading. Returns the file in the other reading; `undefined` if too much of it
   * is no longer kept.
   */
  part(open: () => CodedFile | undefined): CodedStream | undefined {
    this.isDoubtful = true
    const kept = this.#kept
    const file = kept && open()
    const other = file && this.#copy(file, kept)
    if (this.#isBehindPad) {
      this.#padding = 'drop'
      if (other) other.#padding = 'go-on'
    } else {
      this.#reading = 'skip'
      if (other) other.#reading = 'take'
    }
    return other
  }

  #copy(file: CodedFile, kept: readonly Uint8Array[]): CodedStream {
    const other = new CodedStream(file, this.#bits, this.start, this.rootAt)
    other.#reading = this.#reading
    other.#padding = this.#padding
    other.isDoubtful = true
    other.#held = this.#held
    other.#heldBits = this.#heldBits
    other.#taken = this.#taken
    for (const bytes of kept) other.#give(bytes)
    other.#isBehindEnd = this.#isBehindEnd
    other.#isBehindPad = this.#isBehindPad
    other.#isText = this.#isText
    return other
  }

  get isComplete(): boolean {
    return this.#file.isComplete
  }

  get format(): string | undefined {
    return this.#file.format
  }

  close(): Finished {
    this.isEnded = true
    return this.#file.close()
  }

  #give(decoded: Uint8Array): void {
    const end = this.#isText ? decoded.findIndex((byte) => byte !== 0 && !isTextByte(byte)) : -1
    const bytes = end === -1 ? decoded : decoded.subarray(0, end)
    if (bytes.length > 0) {
      this.#file.write(bytes)
      this.#keep(bytes)
    }
    this.#needed = this.#taken
    if (end !== -1) this.isEnded = true
    else if (this.#isBehindEnd && this.#file.isComplete) this.#endComplete()
  }

  #keep(bytes: Uint8Array): void {
    const isDecided = this.#reading !== 'either' && this.#padding !== 'either'
    if (isDecided || this.#bits !== 6) this.#kept = undefined
    if (!this.#kept) return
    this.#keptBytes += bytes.length
    if (this.#keptBytes > MAX_KEPT_BYTES) this.#kept = undefined
    else this.#kept.push(bytes)
  }

  /**
   * What follows the end of a value belongs to the file only if the file is incomplete and a
   * lenient reader would read on.
   */
  #passBreak(): void {
    if (this.#taken * this.#bits < MIN_FILE_BYTES * 8) return
    if (!this.#isBehindEnd) this.#file.markEnd()
    this.#isBehindEnd = true
    const { isComplete, lenience } = this.#file
    this.#isText = lenience === 'text'
    if (isComplete) this.#endComplete()
    else if (lenience === 'none') this.isEnded = true
  }

  /** Its last bytes may begin another file, which it has too few bytes of to recognise. */
  #endComplete(): void {
    this.isEnded = true
    this.#needed = Math.max(0, this.#taken - Math.ceil((SIGHT_BYTES * 8) / this.#bits))
  }
}

/**
 * How codes outside the first alphabet are read: skipped, or taken for + and /; `either` until one
 * comes.
 */
export type Reading = 'skip' | 'take' | 'either'

/** Where a file begins among codes. */
export interface Start {
  reading: Reading
  /** Number of codes before its first one, in each reading. */
  ordinals: { skip: number; take: number }
  /** Bits of its first code that precede the file. */
  skipBits: number
  /** Whether it is declared to be a file, whatever it begins with. */
  isSaid: boolean
  /** Whether any text may happen to fit its coding, so that a sign in it proves little. */
  isFaint: boolean
}

export type Lenience = 'none' | 'text' | 'any'

/** Scans a file found in codes. */
export interface CodedFile {
  write(bytes: Uint8Array): void
  /** Ends the file and frees its memory. */
  close(): Finished
  /** Whether further bytes make no difference. */
  readonly isComplete: boolean
  /** Number of bytes up to its end, if it says how long it is; otherwise `Infinity`. */
  readonly missingBytes: number
  /**
   * Whether it may go on after the end of a value: readers of base64 skip what is foreign. `text`:
   * only as long as it stays a text.
   */
  readonly lenience: Lenience
  /** Format by its first bytes. */
  readonly format: string | undefined
  /** Tells that a value ends here. */
  markEnd(): void
}
