import type { HappeningOf } from '../events/schema.ts'
import type { Quarantine } from '../quarantine/quarantine.ts'
import type { Kept, QuarantineFacts } from '../quarantine/record.ts'
import type { HeldBytes } from '../quarantine/seal.ts'

/** Quarantines the body of an upload, with what is known about it. Never throws. */
export async function keepUpload(
  quarantine: Quarantine | undefined,
  request: Request,
  verdict: HappeningOf<'verdict'>,
  body: HeldBytes,
): Promise<Kept> {
  if (!quarantine) return { kept: false, reason: 'not-configured' }
  return quarantine.keep(factsOf(request, verdict), body)
}

function factsOf({ url, headers }: Request, verdict: HappeningOf<'verdict'>): QuarantineFacts {
  const { caseId, method, path, listVersion, files } = verdict
  const contentType = headers.get('content-type')
  const contentEncoding = headers.get('content-encoding')
  return {
    caseId,
    method,
    host: new URL(url).host,
    path,
    ...(contentType !== null && { contentType }),
    ...(contentEncoding !== null && { contentEncoding }),
    ...(listVersion !== undefined && { listVersion }),
    files,
  }
}
