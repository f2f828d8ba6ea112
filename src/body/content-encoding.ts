import { only, type Steps } from '../util/steps.ts'
import type { ScanBudget } from '../scan/budget.ts'
import { GzipReader } from '../scan/archive/gzip.ts'
import { Inflater } from '../scan/archive/inflate.ts'
import type { Finished } from '../scan/scanned.ts'
import { BodyOverLimitError, MalformedBodyError } from './errors.ts'
import {
  FREE_INFLATED_BYTES,
  MAX_ENCODINGS,
  MAX_INFLATE_RATIO,
  MAX_INFLATED_BYTES,
} from './limits.ts'
import type { BodyHandlers, BodyReader } from './types.ts'

/** Encodings that hashgate decodes. */
export type Encoding = 'gzip' | 'deflate'

const NAMES: Record<string, Encoding | 'none'> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  identity: 'none',
  // S3's framing, which aws-chunked.ts decodes.
  'aws-chunked': 'none',
}

/**
 * The encodings of a body in the order in which they were applied; `unsupported` if one of them
 * cannot be decoded, or there are too many.
 */
export function readEncodings(headers: Headers): Encoding[] | 'unsupported' {
  const named = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  const encodings = named.map((name) => NAMES[name])
  if (encodings.includes(undefined)) return 'unsupported'
  const known = encodings.filter((name) => name === 'gzip' || name === 'deflate')
  return known.length > MAX_ENCODINGS ? 'unsupported' : known
}

/** Decodes an encoding (RFC 9110, 8.4.1) as the bytes arrive. */
export class InflatingReader implements BodyReader {
  readonly #inner: BodyReader
  readonly #handlers: BodyHandlers
  readonly #decoder: Decoder
  #isCut = false

  constructor(encoding: Encoding, inner: BodyReader, handlers: BodyHandlers) {
    this.#inner = inner
    this.#handlers = handlers
    const budget = handlers.budget.apart({
      inflatedBytes: MAX_INFLATED_BYTES,
      ratio: MAX_INFLATE_RATIO,
      ratioFreeBytes: FREE_INFLATED_BYTES,
    })
    this.#decoder = encoding === 'gzip' ? new Gzip(budget, inner) : new Deflate(budget, inner)
  }

  write(chunk: Uint8Array): void {
    this.#handlers.later(this.#inflate(chunk))
  }

  end(): void {
    this.#handlers.later(this.#finish())
  }

  cut(): void {
    if (this.#isCut) return
    this.#isCut = true
    if (this.#inner.cut) this.#inner.cut()
    else this.#inner.end()
  }

  /** A chunk may inflate a hundredfold, so each piece is inspected before the next is inflated. */
  *#inflate(chunk: Uint8Array): Steps {
    if (this.#isCut) return
    yield* this.#decoder.write(chunk)
    this.#check(this.#decoder.problem)
  }

  *#finish(): Steps {
    if (this.#isCut) return
    this.#check(yield* this.#decoder.close())
    if (!this.#isCut) this.#inner.end()
  }

  #check(problem: EncodingProblem | undefined): void {
    if (problem === 'damaged')
      throw new MalformedBodyError('it does not match its Content-Encoding')
    if (problem === undefined || this.#isCut) return
    if (!this.#handlers.budget.isExhausted)
      throw new BodyOverLimitError('bytes when decompressed', MAX_INFLATED_BYTES)
    this.#handlers.onUnreadable('over-limit')
    this.cut()
  }
}

type EncodingProblem = 'over-limit' | 'damaged'

interface Decoder {
  readonly problem: EncodingProblem | undefined
  write(chunk: Uint8Array): Steps
  /** Returns what is wrong, if anything is. */
  close(): Steps<EncodingProblem | undefined>
}

class Gzip implements Decoder {
  readonly #gzip: GzipReader
  #isEmpty = true

  constructor(budget: ScanBudget, inner: BodyReader) {
    const whole: Finished = { coverage: 'unscannable', reason: 'unknown-format', bytes: 0 }
    this.#gzip = new GzipReader(
      budget,
      () => ({ take: (bytes) => handOn(bytes, inner), hasEnd: false, finish: () => only(whole) }),
      () => only(undefined),
    )
  }

  get problem(): EncodingProblem | undefined {
    const { problem } = this.#gzip.findings
    if (problem === 'over-limit') return problem
    return problem !== undefined || this.#gzip.bytesBehind > 0 ? 'damaged' : undefined
  }

  *write(chunk: Uint8Array): Steps {
    this.#isEmpty &&= chunk.length === 0
    yield* this.#gzip.write(chunk)
  }

  *close(): Steps<EncodingProblem | undefined> {
    if (this.#isEmpty) return undefined
    yield* this.#gzip.close()
    return this.problem
  }
}

const ZLIB_HEADER_BYTES = 2
const ADLER_BYTES = 4

/**
 * `deflate` means zlib (RFC 1950). Many clients send raw deflate instead, and nearly all servers
 * accept that as well.
 */
class Deflate implements Decoder {
  readonly #inflater: Inflater
  #head: number[] = []
  #isZlib = false
  #isBegun = false
  /** Bytes after the end of the stream. */
  #behind = 0

  constructor(budget: ScanBudget, inner: BodyReader) {
    this.#inflater = new Inflater(budget, (bytes) => handOn(bytes, inner))
  }

  get problem(): EncodingProblem | undefined {
    const { state } = this.#inflater
    if (state === 'over-limit' || state === 'damaged') return state
    return this.#behind > (this.#isZlib ? ADLER_BYTES : 0) ? 'damaged' : undefined
  }

  *write(chunk: Uint8Array): Steps {
    if (this.#isBegun) {
      yield* this.#push(chunk)
      return
    }
    const missing = ZLIB_HEADER_BYTES - this.#head.length
    this.#head.push(...chunk.subarray(0, missing))
    if (this.#head.length === ZLIB_HEADER_BYTES) yield* this.#begin(chunk.subarray(missing))
  }

  *close(): Steps<EncodingProblem | undefined> {
    if (this.#head.length === 0) return undefined
    if (!this.#isBegun) yield* this.#begin(new Uint8Array(0))
    const isEnded = this.#inflater.state === 'ended'
    const isWhole = !this.#isZlib || this.#behind === ADLER_BYTES
    return this.problem ?? (isEnded && isWhole ? undefined : 'damaged')
  }

  *#begin(rest: Uint8Array): Steps {
    const [first = 0, second = 0] = this.#head
    this.#isZlib = (first & 15) === 8 && (first * 256 + second) % 31 === 0 && (second & 32) === 0
    this.#isBegun = true
    if (!this.#isZlib) yield* this.#push(Uint8Array.from(this.#head))
    yield* this.#push(rest)
  }

  *#push(bytes: Uint8Array): Steps {
    const used = this.#inflater.isClosed ? 0 : yield* this.#inflater.push(bytes)
    this.#behind += bytes.length - used
  }
}

function* handOn(bytes: Uint8Array, inner: BodyReader): Steps {
  inner.write(bytes)
  yield
}
