import { BadConfigError } from '../../util/errors.ts'
import { parseS3Keys, type S3Keys } from './sigv4.ts'

/** Bindings for multipart uploads of S3, beside those for staging. */
export interface S3Bindings {
  /** Secret: keys of S3, as NAME:SECRET with commas, by which clients sign multipart uploads. Without any, there are none. */
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
 * @throws {BadConfigError} one is missing, or cannot be used
 */
export function s3AccessOf(
  { gatedMethods }: { gatedMethods: ReadonlySet<string> },
  { S3_CLIENT_KEYS: clientKeys = '', S3_ORIGIN_KEY: originKey, ORIGIN_BUCKET: bucket }: S3Bindings,
): S3Access | undefined {
  if (clientKeys === '') return undefined
  if (!gatedMethods.has('PUT'))
    throw new BadConfigError(['GATED_METHODS must list PUT if S3_CLIENT_KEYS is set'])
  if (originKey === undefined && !bucket)
    throw new BadConfigError(['S3_ORIGIN_KEY must be set if S3_CLIENT_KEYS is'])
  return {
    clientKeys: parseS3Keys('S3_CLIENT_KEYS', clientKeys),
    originKey: originKey === undefined ? undefined : parseS3Keys('S3_ORIGIN_KEY', originKey),
  }
}
