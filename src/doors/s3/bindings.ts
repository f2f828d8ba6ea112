import { parseS3Keys, type S3Keys } from './sigv4.ts'

/** Bindings for multipart uploads of S3, beside those for staging. */
export interface S3Bindings {
  /** Secret: keys of S3, as NAME:SECRET with commas, with which clients sign multipart uploads. Without a key, S3 is off. */
  S3_CLIENT_KEYS?: string
  /** Secret: the key of S3 by which the origin wants them signed. */
  S3_ORIGIN_KEY?: string
  ORIGIN_BUCKET?: R2Bucket
}

/** Whose uploads are taken, and how they are passed on. */
export interface S3Access {
  clientKeys: S3Keys
  /** A bucket that is bound wants no signature. */
  originKey: S3Keys | undefined
}

/**
 * The keys of S3; `undefined` if no uploads are taken so.
 * @throws {BadConfigError} one cannot be used
 */
export function s3AccessOf(
  clientKeys: string | undefined,
  originKey: string | undefined,
): S3Access | undefined {
  if (!clientKeys) return undefined
  return {
    clientKeys: parseS3Keys('S3_CLIENT_KEYS', clientKeys),
    originKey: originKey === undefined ? undefined : parseS3Keys('S3_ORIGIN_KEY', originKey),
  }
}
