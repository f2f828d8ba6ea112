import { concatenate } from './bytes.ts'

/**
 * All bytes of a body; `undefined` if it has more than `maxBytes`. The rest is then not read.
 * @param body its chunks, each valid until the next is requested
 */
export async function readAtMost(
  body: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk.slice())
  }
  return concatenate(chunks)
}
