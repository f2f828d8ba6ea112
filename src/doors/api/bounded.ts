import { within } from '../../util/within.ts'

/**
 * A body as text; `undefined` if it is longer than `maxBytes`.
 * @throws what `onStall` returns, if a chunk takes longer than `maxStallMs`
 */
export async function readBoundedText(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  maxStallMs: number,
  onStall: () => Error,
): Promise<string | undefined> {
  if (!body) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await within(reader.read(), maxStallMs, onStall)
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => undefined)
      return undefined
    }
    text += decoder.decode(value, { stream: true })
  }
}
