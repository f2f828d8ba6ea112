import type { Budget } from '../semaphore.ts'
import type { Origin } from '../../doors/proxy/origin.ts'
import type { StagedUpload } from './staged-upload.ts'

/** Bindings that resumable uploads need. */
export interface Staging {
  /** The bucket that parts wait in. Nothing else may be in it, and nobody else may write there. */
  bucket: R2Bucket
  uploads: DurableObjectNamespace<StagedUpload>
}

/** What staging an upload takes. */
export interface StagingTools extends Staging {
  /** Bytes that uploads hold. */
  bytes: Budget
  maxStallMs: number
  maxOriginMs: number
  /** Judges a request, which goes to an origin if it may. */
  judge: (request: Request, origin: Origin) => Promise<Response>
}

/** An upload, by its name. */
export interface UploadHandle {
  id: string
  stub: DurableObjectStub<StagedUpload>
}

/** A new upload, whose name cannot be guessed: 128 random bits, and as many that show who made it. */
export function newUpload({ uploads }: Staging): UploadHandle {
  const id = uploads.newUniqueId()
  return { id: id.toString(), stub: uploads.get(id) }
}

/** The upload of a name; `undefined` if it was not made here. */
export function uploadOf(name: string, { uploads }: Staging): UploadHandle | undefined {
  try {
    const id = uploads.idFromString(name)
    return { id: id.toString(), stub: uploads.get(id) }
  } catch {
    return undefined
  }
}
