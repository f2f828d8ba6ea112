import type { Uploads } from '../../upload/uploads.ts'
import type { WaitUntil } from '../../util/wait-until.ts'

/**
 * Reports the state of the list: 200 if uploads can be judged, otherwise 503. It names no hash,
 * bank or entry. The first request in an isolate waits for the list, as an upload would.
 * @param isFull whether everything is shown: how full an isolate is tells an attacker whether an
 * attack works
 */
export async function answerHealth(
  { gate, bytes, decoders }: Pick<Uploads, 'gate' | 'bytes' | 'decoders'>,
  isFull: boolean,
  waitUntil: WaitUntil,
): Promise<Response> {
  const { list } = gate
  const isUsable = await gate.isReady(waitUntil)
  const headers = { 'cache-control': 'no-store' }
  const status = isUsable ? 200 : 503
  if (!isFull) {
    const { state, age } = list.state
    return Response.json({ list: { state, age } }, { status, headers })
  }
  const uploads = {
    heldBytes: bytes.used,
    waiting: bytes.waiting + decoders.waiting,
    decoders: decoders.used,
  }
  return Response.json({ list: list.state, uploads }, { status, headers })
}
