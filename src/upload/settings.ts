import type { BodyOptions } from '../body/types.ts'
import type { RouteSettings } from '../policy/routes.ts'

/** How an upload is read, held and passed on. */
export interface UploadSettings extends BodyOptions {
  /** Longest body, in bytes. */
  maxBodyBytes: number
  /** Longest body that is held whole until its verdict. */
  maxBufferedBytes: number
  /** Most bytes of bodies that an isolate holds. */
  maxHeldBytes: number
  /** What a body is answered that does not say its length, and is too long to be held. */
  onUnknownLength: 'length-required' | 'too-large'
  /** Milliseconds in which a client must send a chunk, or the rest. */
  maxStallMs: number
  /** Milliseconds in which an origin must answer. */
  maxOriginMs: number
}

/** Which requests are uploads that are judged, and how many at once. */
export interface UploadsSettings extends UploadSettings, RouteSettings {
  gatedMethods: ReadonlySet<string>
  /** What becomes of a request that brings a piece of a file. */
  onPieces: 'allow' | 'refuse'
  /** Most uploads that are decoded while they come. */
  maxDecoders: number
  /** Milliseconds for which an upload waits for room. */
  maxWaitMs: number
}
