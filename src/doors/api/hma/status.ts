import { textAnswer } from '../../respond.ts'
import type { Call } from '../route.ts'

/** `GET /status`: whether hashes can be looked up, in HMA's words. */
export async function answerStatus({ uploads, waitUntil }: Call): Promise<Response> {
  const { list } = uploads.gate
  const isUsable = await list.get(waitUntil).then(
    () => true,
    () => false,
  )
  const { state } = list.state
  if (state === 'stale') return textAnswer('INDEX-STALE', 503)
  return isUsable ? textAnswer('I-AM-ALIVE') : textAnswer('INDEX-NOT-LOADED', 503)
}
