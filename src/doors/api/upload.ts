import { keepUpload } from '../../worker/quarantine.ts'
import { verdictEvent } from '../../upload/verdict-event.ts'
import type { ForwardedBody } from '../proxy/origin.ts'
import { passUpload, type UploadTools } from '../../upload/pass-upload.ts'
import type { Verdict } from '../../gate/verdict.ts'
import type { Kept } from '../../quarantine/record.ts'
import type { Call } from './route.ts'

/** A verdict on a body, and what is known of it. */
export interface JudgedUpload {
  caseId: string
  verdict: Verdict
  listVersion: number | undefined
  afterLastByteMs: number | undefined
  /** What became of the body, if it was to be kept. */
  kept: Kept | undefined
}

/**
 * Judges the body of a call as the gate does an upload, with the same limits and out of the same budgets, and lets it go; what is
 * to be quarantined is kept.
 * @param replaced what is used in place of the gate's own tools
 */
export async function judgeBody(
  { request, keepAlive, caller, gate }: Call,
  replaced: Partial<UploadTools> = {},
): Promise<JudgedUpload> {
  const caseId = crypto.randomUUID()
  const { tools, facts } = gate.judgingOf(request, keepAlive)
  let judged: Pick<JudgedUpload, 'verdict' | 'afterLastByteMs' | 'kept'> | undefined
  const passing = passUpload(request, {
    ...tools,
    forward: discard,
    keep: (verdict, body) => {
      const event = verdictEvent(caseId, request, verdict, { ...facts, caller: caller.name })
      return keepUpload(gate.quarantine, request, event, body)
    },
    onVerdict: (verdict, afterLastByteMs, kept) => {
      judged = { verdict, afterLastByteMs, kept }
    },
    ...replaced,
  })
  keepAlive(passing) // so that it ends, and gives back what it holds, when the client goes away
  await passing
  if (!judged) throw new Error('an upload had no verdict')
  return { caseId, ...judged, listVersion: facts.listVersion }
}

/** What would go to an origin goes nowhere. */
async function discard(body: ForwardedBody): Promise<Response> {
  if (body instanceof ReadableStream) await body.pipeTo(new WritableStream())
  return new Response(null)
}
