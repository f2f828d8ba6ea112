import { HashgateError } from '../util/errors.ts'

/** Why an image has no hash. */
export type UnhashableReason =
  | 'empty'
  | 'unknown-format'
  | 'unsupported-format'
  | 'unsupported-variant'
  | 'out-of-range'
  | 'damaged'
  | 'truncated'
  | 'too-small'
  | 'over-limit'
  | 'over-memory-budget'

const SENTENCES: Record<UnhashableReason, string> = {
  empty: 'it has no bytes',
  'unknown-format': 'its format is not known',
  'unsupported-format': 'its format is not decoded here',
  'unsupported-variant': 'this variant of its format is not decoded here',
  'out-of-range': 'its values are so large that decoders show different pictures',
  damaged: 'it is damaged',
  truncated: 'under half of its rows are there',
  'too-small': 'it has under 5 pixels in a dimension',
  'over-limit': 'it has more pixels, scans or other work than an image may have',
  'over-memory-budget': 'it needs more memory than an image may have',
}

/**
 * An image that has no hash, or cannot be hashed here.
 * @example
 * ```ts
 * import { loadPdq, UnhashableImageError } from 'hashgate/pdq'
 *
 * const pdq = await loadPdq()
 * try {
 *   pdq.hash(new TextEncoder().encode('no image'))
 * } catch (error) {
 *   if (!(error instanceof UnhashableImageError)) throw error
 *   console.log(error.reason) // unknown-format
 * }
 * ```
 */
export class UnhashableImageError extends HashgateError {
  readonly code = 'unhashable-image'
  readonly reason: UnhashableReason
  /** `jpeg`, `webp`, …; `undefined` for pixels and unknown formats. */
  readonly format: string | undefined

  constructor(reason: UnhashableReason, format?: string) {
    super(`the image has no hash: ${SENTENCES[reason]}${format ? ` (${format})` : ''}`)
    this.reason = reason
    this.format = format
  }
}

/**
 * The given image is neither the bytes of a file nor pixels.
 * @example
 * ```ts
 * import { BadImageInputError, loadPdq } from 'hashgate/pdq'
 *
 * const pdq = await loadPdq()
 * try {
 *   pdq.hash({ width: 2, height: 2, data: new Uint8Array(3) })
 * } catch (error) {
 *   console.log(error instanceof BadImageInputError) // true
 * }
 * ```
 */
export class BadImageInputError extends HashgateError {
  readonly code = 'bad-image-input'

  constructor(problem: string) {
    super(`expected the bytes of an image file, or { width, height, data }: ${problem}`)
  }
}

/**
 * An argument is not a hash. The message does not repeat it, because hashes of lists are secrets.
 * @example
 * ```ts
 * import { BadHashError, parseHash } from 'hashgate/pdq'
 *
 * try {
 *   parseHash('0f')
 * } catch (error) {
 *   if (!(error instanceof BadHashError)) throw error
 *   console.log(error.message) // a PDQ hash is 64 hex digits or 32 bytes, not text of 2 characters
 * }
 * ```
 */
export class BadHashError extends HashgateError {
  readonly code = 'bad-hash'

  constructor(given: unknown) {
    super(`a PDQ hash is 64 hex digits or 32 bytes, not ${shapeOf(given)}`)
  }
}

function shapeOf(given: unknown): string {
  if (typeof given === 'string') return `text of ${given.length} characters`
  return given instanceof Uint8Array ? `${given.length} bytes` : typeof given
}

/**
 * The server has no WebAssembly module where it should be. Perhaps it was not deployed with the code.
 * @example
 * ```ts
 * import { loadPdq, ModuleUnavailableError } from 'hashgate/pdq'
 *
 * await loadPdq().catch((error) => {
 *   if (error instanceof ModuleUnavailableError) console.error('deploy hashgate/pdq.wasm too')
 *   throw error
 * })
 * ```
 */
export class ModuleUnavailableError extends HashgateError {
  readonly code = 'module-unavailable'

  constructor(url: string, status: number) {
    super(`${url} answered ${status}: deploy the module hashgate/pdq.wasm with the code`)
  }
}
