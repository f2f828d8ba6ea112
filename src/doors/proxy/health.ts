import type { Uploads } from '../../upload/uploads.ts'
import type { WaitUntil } from '../../util/wait-until.ts'

/**
 * Tells how the list stands: 200 if uploads are judged by it, 503 if they cannot be. No hash, bank or name of an entry.
 * The first one that asks an isolate waits for the list, as an upload would.
 */
export async function answerHealth(
  { gate: { list }, bytes, decoders }: Pick<Uploads, 'gate' | 'bytes' | 'decoders'>,
  waitUntil: WaitUntil,
): Promise<Response> {
  const isUsable = await list.get(waitUntil).then(
    () => true,
    () => false,
  )
  const uploads = {
    heldBytes: bytes.used,
    waiting: bytes.waiting + decoders.waiting,
    decoders: decoders.used,
  }
  const headers = { 'cache-control': 'no-store' }
  return Response.json({ list: list.state, uploads }, { status: isUsable ? 200 : 503, headers })
}
