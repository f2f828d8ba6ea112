import { bufferOf } from '../util/buffer.ts'
import { QuotedPrintable } from '../scan/text/quoted-printable.ts'
import type { FileSink } from './types.ts'

/**
 * Decodes base64 as it arrives, in either alphabet (RFC 4648). Like lenient decoders, it skips
 * foreign characters.
 */
export class Base64Sink implements FileSink {
  readonly #sink: FileSink
  /** Characters that do not fill a group of four yet. */
  #rest = ''

  constructor(sink: FileSink) {
    this.#sink = sink
  }

  write(chunk: Uint8Array): void {
    const text = bufferOf(chunk).toString('latin1')
    const clean = this.#rest + text.replaceAll(/[^\w+/-]/g, '')
    const whole = clean.length - (clean.length % 4)
    this.#sink.write(Buffer.from(clean.slice(0, whole), 'base64'))
    this.#rest = clean.slice(whole)
  }

  end(): void {
    this.#sink.write(Buffer.from(this.#rest, 'base64'))
    this.#sink.end()
  }
}

/** Decodes quoted-printable as it arrives. */
export class QuotedPrintableSink implements FileSink {
  readonly #sink: FileSink
  readonly #decoder = new QuotedPrintable()

  constructor(sink: FileSink) {
    this.#sink = sink
  }

  write(chunk: Uint8Array): void {
    this.#sink.write(this.#decoder.write(chunk).bytes)
  }

  end(): void {
    this.#sink.write(this.#decoder.end())
    this.#sink.end()
  }
}
