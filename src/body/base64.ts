import { MalformedBodyError } from './errors.ts'
import type { FileSink } from './types.ts'

/** Characters that are decoded at once. */
const STEP = 64 * 1024

/** Bytes of base64 in a text, of the usual alphabet or that for URLs, whatever stands between; as lenient as any reader. */
export function decodeBase64(text: string): Buffer {
  return Buffer.from(text, 'base64')
}

/** Tells a text of base64 as a file. */
export function tellBase64(text: string, sink: FileSink): void {
  const clean = text.replaceAll(/[^\w+/-]/g, '')
  for (let at = 0; at < clean.length; at += STEP)
    sink.write(decodeBase64(clean.slice(at, at + STEP)))
  sink.end()
}

/** Decodes base64 (RFC 4648) as it comes, in lines or not, and tells what it holds. */
export class Base64Sink implements FileSink {
  readonly #sink: FileSink
  /** Characters that make no whole bytes yet. */
  #rest = ''
  #isEnded = false

  constructor(sink: FileSink) {
    this.#sink = sink
  }

  write(piece: Uint8Array): void {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1')
    if (/[^A-Za-z0-9+/=\s]/.test(text)) throw new MalformedBodyError('a part is no base64')
    const clean = this.#rest + text.replaceAll(/\s/g, '')
    // Readers differ in what they make of what follows padding.
    if (this.#isEnded ? clean.replaceAll('=', '') !== '' : /=[^=]/.test(clean)) {
      throw new MalformedBodyError('base64 goes on behind its end')
    }
    this.#isEnded ||= clean.includes('=')
    const whole = this.#isEnded ? clean.length : clean.length - (clean.length % 4)
    this.#sink.write(decodeBase64(clean.slice(0, whole)))
    this.#rest = clean.slice(whole)
  }

  end(): void {
    this.#sink.write(decodeBase64(this.#rest))
    this.#sink.end()
  }
}
