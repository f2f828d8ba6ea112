import { concatenate } from '../../util/bytes.ts'

/** Undoes a way of writing bytes in a text, chunk by chunk. */
export interface Unwriter {
  /**
   * Takes the next bytes of the text. Returns what they stand for.
   * @param made 1 for each byte that another way of writing produced; none if absent
   */
  write(bytes: Uint8Array, made?: Uint8Array): Unwritten
  /** More of what the last bytes stand for, if that is too much at once. */
  more?(): Unwritten | undefined
}

export interface Unwritten {
  bytes: Uint8Array
  /** Where decoded bytes are among them: nearby ones share a span. */
  spans: readonly Span[]
  /** The same with those whose decoding matters only to a file that is being read. */
  allSpans: readonly Span[]
  /** 1 for each decoded byte, and for each before which something was removed; none if absent. */
  made?: Uint8Array
}

/** Positions of the first and last of some bytes. */
export interface Span {
  first: number
  last: number
}

/** Two escapes farther apart than this do not share a span. */
const FAR_BYTES = 1024

/** Up to so many bytes, a loop copies faster than `set`. */
const FEW_BYTES = 32

const NOTHING = new Uint8Array(0)

export function unchanged(bytes: Uint8Array): Unwritten {
  return { bytes, spans: [], allSpans: [] }
}

/** Bytes that can only be read with those that follow. */
export class Unread {
  bytes: Uint8Array = NOTHING
  #made: Uint8Array | undefined

  keep(bytes: Uint8Array, made?: Uint8Array): void {
    this.bytes = bytes.slice()
    this.#made = made?.slice()
  }

  /** Returns the kept bytes followed by the next ones. */
  join(fresh: Uint8Array, freshMade?: Uint8Array): { bytes: Uint8Array; made?: Uint8Array } {
    const [before, made] = [this.bytes, this.#made]
    this.keep(NOTHING)
    if (before.length === 0) return { bytes: fresh, ...(freshMade && { made: freshMade }) }
    const bytes = concatenate([before, fresh])
    if (!made && !freshMade) return { bytes }
    const joined = new Uint8Array(bytes.length)
    if (made) joined.set(made)
    if (freshMade) joined.set(freshMade, before.length)
    return { bytes, made: joined }
  }
}

/** Decoded bytes, as they are written. */
export class Written {
  readonly #bytes: Uint8Array
  #made: Uint8Array | undefined
  readonly #spans: Span[] = []
  readonly #allSpans: Span[] = []
  #count = 0

  /** @param most maximum number of bytes */
  constructor(most: number) {
    this.#bytes = new Uint8Array(most)
  }

  /** Writes bytes as they are. There are mostly few between two escapes: a view costs more. */
  copy(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (to - from > FEW_BYTES) this.#bytes.set(bytes.subarray(from, to), this.#count)
    else
      for (let i = 0; i < to - from; i++) this.#bytes[this.#count + i] = bytes[from + i] as number
    this.#count += to - from
  }

  /**
   * Writes a byte, or a character in UTF-8, or nothing if the value is negative.
   * @param isReported whether `spans` has it: it matters even if no file is being read
   */
  make(value: number, isByte: boolean, isReported: boolean): void {
    const from = this.#count
    this.#made ??= new Uint8Array(this.#bytes.length + 1)
    if (value >= 0) this.put(value, isByte)
    this.#made.fill(1, from, Math.max(this.#count, from + 1))
    addTo(this.#allSpans, from)
    if (isReported) addTo(this.#spans, from)
  }

  end(): Unwritten {
    const bytes = this.#bytes.subarray(0, this.#count)
    const made = this.#made?.subarray(0, this.#count)
    return { bytes, spans: this.#spans, allSpans: this.#allSpans, ...(made && { made }) }
  }

  /**
   * Writes a byte, or a character in UTF-8, whose decoding does not matter. It always fits: an
   * escape is at least as long as what it stands for.
   */
  put(value: number, isByte: boolean): void {
    const out = this.#bytes
    if (isByte || value < 0x80) {
      out[this.#count++] = value
      return
    }
    if (value < 0x800) out[this.#count++] = 0xc0 | (value >> 6)
    else {
      out[this.#count++] = 0xe0 | ((value >> 12) & 0x0f)
      out[this.#count++] = 0x80 | ((value >> 6) & 0x3f)
    }
    out[this.#count++] = 0x80 | (value & 0x3f)
  }
}

function addTo(spans: Span[], at: number): void {
  const span = spans.at(-1)
  if (span && at - span.last < FAR_BYTES) span.last = at
  else spans.push({ first: at, last: at })
}
