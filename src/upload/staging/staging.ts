import { BadConfigError } from '../../util/errors.ts'
import type { ClientLimits } from '../body-source.ts'
import type { Semaphore } from '../../util/semaphore.ts'
import type { StagedUpload } from './staged-upload.ts'

/** @throws {BadConfigError} a binding is missing */
export function stagingOf({ STAGING: bucket, UPLOADS: uploads }: StagingBindings): Staging {
  if (!bucket) throw new BadConfigError(['STAGING, an R2 bucket, is not bound'])
  if (!uploads)
    throw new BadConfigError(['UPLOADS, Durable Objects of class StagedUpload, are not bound'])
  return { bucket, uploads }
}

/** Bindings for uploads that arrive in parts. */
export interface StagingBindings {
  /** A bucket for nothing else, in which they wait. */
  STAGING?: R2Bucket
  /** Durable Objects of class StagedUpload, which track them. */
  UPLOADS?: DurableObjectNamespace<StagedUpload>
}

/** Where uploads that arrive in parts wait. */
export interface Staging {
  /** The bucket that parts wait in. Nothing else may be in it, and nothing else may write there. */
  bucket: R2Bucket
  uploads: DurableObjectNamespace<StagedUpload>
}

export interface StagingDeps extends Staging {
  /** Bytes that uploads hold. */
  bytes: Semaphore
  /** How slow clients may be. */
  client: ClientLimits
}

export interface UploadHandle {
  id: string
  stub: DurableObjectStub<StagedUpload>
}

/** A new upload. Its name cannot be guessed: 128 random bits, and as many that show who made it. */
export function newUpload({ uploads }: Staging): UploadHandle {
  const id = uploads.newUniqueId()
  return { id: id.toString(), stub: uploads.get(id) }
}

/** The upload with this name; `undefined` if it was not made here. */
export function uploadOf(name: string, { uploads }: Staging): UploadHandle | undefined {
  try {
    const id = uploads.idFromString(name)
    return { id: id.toString(), stub: uploads.get(id) }
  } catch {
    return undefined
  }
}
