import type { FileInfo } from '../../../body/types.ts'
import type { UploadDeps } from '../../../upload/passing.ts'
import type { JudgedBody } from '../../../upload/uploads.ts'
import type { ScannedFile } from '../../../scan/scanned.ts'
import { DIGEST_KINDS } from '../../../list/entry.ts'
import { ApiError } from '../errors.ts'
import type { Call } from '../route.ts'
import { statusOf } from '../../status.ts'
import { signalTypesOf } from './signals.ts'

/**
 * Reads the file of a form.
 * @throws {ApiError} 400: there is not exactly one, or its name is wrong; else as the gate refuses
 * uploads
 */
export async function readFile(call: Call, replaced: Partial<UploadDeps> = {}): Promise<SentFile> {
  const type = call.request.headers.get('content-type') ?? ''
  if (!/^\s*multipart\/form-data\b/i.test(type))
    throw new ApiError(400, 'Missing multipart/form-data file upload')
  const files: { scanned: ScannedFile; info: FileInfo }[] = []
  const { request, caller, waitUntil, uploads } = call
  const who = { caller: caller.name, waitUntil }
  const judged = await uploads.judgeBody(request, who, {
    digestKinds: () => DIGEST_KINDS, // the caller may ask for any
    keep: async () => ({ kept: false, reason: 'not-configured' }), // it is a look-up, not an upload
    ...replaced,
    onScanned: (scanned, info) => {
      if (!info.isText) files.push({ scanned, info })
    },
  })
  checkRead(judged)
  const [file, ...others] = files
  if (!file) throw new ApiError(400, 'Missing multipart/form-data file upload')
  if (others.length > 0) throw new ApiError(400, 'Only one file allowed per request')
  const types = signalTypesOf(file.info.name ?? '', call.url.searchParams.get('types'))
  return { scanned: file.scanned, types, judged }
}

/** A file sent as HMA expects it: one part of a form, named by its content type. */
export interface SentFile {
  scanned: ScannedFile
  /** Signal types that the caller wants. */
  types: string[]
  judged: JudgedBody
}

/** @throws {ApiError} the body could not be read to its end */
function checkRead({ outcome }: JudgedBody): void {
  if (outcome.action !== 'refuse') return
  const { reason } = outcome
  const hasFiles = 'files' in outcome && outcome.files.length > 0
  // A file that could not be scanned or matched was still read.
  if (reason === 'unscannable' || (reason === 'failed' && hasFiles)) return
  const { status, title } = statusOf(outcome)
  throw new ApiError(status, title)
}
