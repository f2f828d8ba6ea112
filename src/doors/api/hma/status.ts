import { textAnswer } from '../../problem.ts'
import type { Call } from '../route.ts'

/** `GET /status`: whether hashes can be looked up, in HMA's words. */
export async function answerStatus({ gate, keepAlive }: Call): Promise<Response> {
  const isUsable = await gate.list.get(keepAlive).then(
    () => true,
    () => false,
  )
  const { state } = gate.list.state
  if (state === 'stale') return textAnswer('INDEX-STALE', 503)
  return isUsable ? textAnswer('I-AM-ALIVE') : textAnswer('INDEX-NOT-LOADED', 503)
}
