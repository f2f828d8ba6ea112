import { BadConfigError, type Config } from '../../config/config.ts'
import type { StagedUpload } from '../../upload/staging/staged-upload.ts'
import { parseS3Keys, type S3Keys } from './sigv4.ts'
import type { Staging } from '../../upload/staging/staging.ts'

/** Bindings for uploads that come in parts. */
export interface ResumableBindings {
  /** A bucket of its own in which they wait. */
  STAGING?: R2Bucket
  /** Durable Objects of class StagedUpload, which know how far they are. */
  UPLOADS?: DurableObjectNamespace<StagedUpload>
  /** Secret: keys of S3, as NAME:SECRET with commas, by which clients sign multipart uploads. Without any, there are none. */
  S3_CLIENT_KEYS?: string
  /** Secret: the key of S3 by which the origin wants them signed. */
  S3_ORIGIN_KEY?: string
  ORIGIN_BUCKET?: R2Bucket
}

/** What resumable uploads are taken with. */
export interface ResumableParts extends Staging {
  s3?: {
    clientKeys: S3Keys
    /** A bucket that is bound wants no signature. */
    originKey: S3Keys | undefined
  }
}

/**
 * Where uploads wait that come in parts; `undefined` if none may.
 * @throws {BadConfigError} something that they need is not bound
 */
export function stagingOf(config: Config, bindings: ResumableBindings): ResumableParts | undefined {
  const { STAGING: bucket, UPLOADS: uploads, S3_CLIENT_KEYS: clientKeys = '' } = bindings
  if (config.tusPath === '' && clientKeys === '') return undefined
  if (!bucket) throw new BadConfigError(['STAGING, an R2 bucket, is not bound'])
  if (!uploads)
    throw new BadConfigError(['UPLOADS, Durable Objects of class StagedUpload, are not bound'])
  const s3 = clientKeys === '' ? undefined : s3Of(config, clientKeys, bindings)
  return { bucket, uploads, ...(s3 && { s3 }) }
}

function s3Of(
  { gatedMethods }: Config,
  clientKeys: string,
  { S3_ORIGIN_KEY: originKey, ORIGIN_BUCKET: bucket }: ResumableBindings,
): ResumableParts['s3'] {
  if (!gatedMethods.has('PUT'))
    throw new BadConfigError(['GATED_METHODS must list PUT if S3_CLIENT_KEYS is set'])
  if (originKey === undefined && !bucket)
    throw new BadConfigError(['S3_ORIGIN_KEY must be set if S3_CLIENT_KEYS is'])
  return {
    clientKeys: parseS3Keys('S3_CLIENT_KEYS', clientKeys),
    originKey: originKey === undefined ? undefined : parseS3Keys('S3_ORIGIN_KEY', originKey),
  }
}
