import { verdictEvent } from '../../upload/verdict-event.ts'
import { ApiError } from './errors.ts'
import { judgeHashes } from './hashes.ts'
import { isJson } from './json-body.ts'
import type { Call } from './route.ts'
import { verdictAnswer } from './verdict-answer.ts'

/** `POST /v1/verdict`: the verdict on a file, or on hashes as JSON. */
export async function answerVerdict(call: Call): Promise<Response> {
  return isJson(call.request) ? judgeHashes(call) : judgeFile(call)
}

async function judgeFile(call: Call): Promise<Response> {
  const { request, caller, waitUntil, uploads } = call
  const { caseId, outcome, ...facts } = await uploads.judgeBody(request, {
    caller: caller.name,
    waitUntil,
  })
  const event = verdictEvent(caseId, request, outcome, { ...facts, caller: caller.name })
  const { files, otherFiles } = event
  // If there are only texts, the client put its file in the wrong place. That must not look like a
  // file without a match.
  if (files.length === 0 && outcome.action === 'allow')
    throw new ApiError(400, 'There is no file in the request.')
  uploads.report(event)
  return verdictAnswer(outcome, event, { files, ...(otherFiles !== undefined && { otherFiles }) })
}
