import { parseS3Keys, type S3Keys } from './sigv4.ts'

/** The S3 keys; `undefined` if S3 is off. @throws {BadConfigError} a key is invalid */
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

/** Bindings for S3 uploads, beside those for staging. */
export interface S3Bindings {
  /** Secret: S3 keys of clients, as NAME:SECRET, separated by commas. Without one, S3 is off. */
  S3_CLIENT_KEYS?: string
  /** Secret: the S3 key that signs requests to the origin. */
  S3_ORIGIN_KEY?: string
  ORIGIN_BUCKET?: R2Bucket
}

/** Whose uploads are accepted, and how they are passed on. */
export interface S3Access {
  clientKeys: S3Keys
  /** `undefined` for a bound bucket, which needs no signature. */
  originKey: S3Keys | undefined
}
