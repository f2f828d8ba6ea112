import { BadConfigError, type Config } from '../gate/config.ts'
import type { StagedUpload } from './staged-upload.ts'
import type { Staging } from './tools.ts'

/**
 * Where uploads wait that come in parts; `undefined` if none may.
 * @throws {BadConfigError} something that they need is not bound
 */
export function stagingOf(
  config: Config,
  {
    STAGING: bucket,
    UPLOADS: uploads,
  }: { STAGING?: R2Bucket; UPLOADS?: DurableObjectNamespace<StagedUpload> },
): Staging | undefined {
  if (config.tusPath === '') return undefined
  if (!bucket) throw new BadConfigError(['STAGING, an R2 bucket, is not bound'])
  if (!uploads)
    throw new BadConfigError(['UPLOADS, Durable Objects of class StagedUpload, are not bound'])
  return { bucket, uploads }
}
