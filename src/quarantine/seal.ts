import type { Encrypter } from 'age-encryption'
import { createTarPacker } from 'modern-tar'
import type { QuarantineRecord } from './record.ts'

/** The files of a sealed object, a TAR sealed by age: `age --decrypt | tar --extract` gets them. */
export const EVENT_FILE = 'event.json'
export const BODY_FILE = 'body'

/** A TAR consists of blocks; two empty ones end it. */
const TAR_BLOCK_BYTES = 512

/**
 * Seals a body and its record chunk by chunk, so that memory never holds both forms.
 * @throws if a recipient cannot be used
 */
export async function seal(
  record: QuarantineRecord,
  body: HeldBytes,
  encrypter: Encrypter,
): Promise<Sealed> {
  const event = new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`)
  const { readable: tar, controller } = createTarPacker()
  const mtime = new Date(record.time)
  const add = async (name: string, size: number, chunks: Iterable<Uint8Array>) => {
    const writer = controller.add({ name, size, mtime, mode: 0o600 }).getWriter()
    for (const chunk of chunks) await writer.write(chunk)
    await writer.close()
  }
  const pack = async () => {
    await add(EVENT_FILE, event.length, [event])
    await add(BODY_FILE, body.length, body.chunks())
    controller.finalize()
  }
  const readable = await encrypter.encrypt(tar)
  pack().catch((error: unknown) => controller.error(error)) // the reader gets the error
  return { readable, bytes: readable.size(tarBytes(event.length, body.length)) }
}

export interface HeldBytes {
  /** In bytes. */
  readonly length: number
  chunks(): Iterable<Uint8Array>
}

export interface Sealed {
  readable: ReadableStream<Uint8Array>
  bytes: number
}

/** Length of a TAR with files of these lengths. */
function tarBytes(...files: number[]): number {
  const blocks = (bytes: number) => 1 + Math.ceil(bytes / TAR_BLOCK_BYTES)
  return TAR_BLOCK_BYTES * files.reduce((sum, bytes) => sum + blocks(bytes), 2)
}
