import { verdictEvent } from '../../upload/verdict-event.ts'
import { ApiError } from './errors.ts'
import { judgeHashes } from './hashes.ts'
import { isJson } from './json-body.ts'
import type { Call } from './route.ts'
import { judgeBody } from './upload.ts'
import { verdictAnswer } from './verdict-answer.ts'

/** `POST /v1/verdict`: the verdict on a file, or on hashes as JSON. */
export async function answerVerdict(call: Call): Promise<Response> {
  return isJson(call.request) ? judgeHashes(call) : judgeFile(call)
}

async function judgeFile(call: Call): Promise<Response> {
  const { request, caller, gate } = call
  const { caseId, verdict, ...facts } = await judgeBody(call)
  const event = verdictEvent(caseId, request, verdict, { ...facts, caller: caller.name })
  const { files, otherFiles } = event
  // Where there are only texts, a client has put its file in a wrong place: that must not look like a file without a match.
  if (files.length === 0 && verdict.action === 'allow')
    throw new ApiError(400, 'There is no file in the request.')
  gate.tell(event)
  return verdictAnswer(verdict, event, { files, ...(otherFiles !== undefined && { otherFiles }) })
}
