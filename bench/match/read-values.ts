/** The part of workerd's streams used here, which Node's types lack. */
interface ByteStream {
  getReader(options: { mode: 'byob' }): {
    readAtLeast(
      bytes: number,
      into: Uint8Array<ArrayBuffer>,
    ): Promise<{ done: boolean; value?: Uint8Array<ArrayBuffer> }>
  }
}

export interface StreamNamespace {
  get(key: string, options: { type: 'stream' }): Promise<ByteStream | null>
}

const CHUNK_BYTES = 262_144

/**
 * Reads values as fast as KV delivers them, and keeps nothing. Rows of keys are read in parallel,
 * the keys of a row one by one. Returns their total bytes.
 */
export async function readValues(
  namespace: StreamNamespace,
  rows: readonly string[][],
): Promise<number> {
  const bytes = await Promise.all(
    rows.map(async (keys) => {
      let sum = 0
      for (const key of keys) sum += await readValue(namespace, key)
      return sum
    }),
  )
  return bytes.reduce((sum, ofRow) => sum + ofRow, 0)
}

async function readValue(namespace: StreamNamespace, key: string): Promise<number> {
  const stream = await namespace.get(key, { type: 'stream' })
  if (!stream) throw new Error(`no value ${key}`)
  const reader = stream.getReader({ mode: 'byob' })
  let buffer = new Uint8Array(CHUNK_BYTES)
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.readAtLeast(CHUNK_BYTES, buffer)
    bytes += value?.length ?? 0
    if (done || !value) return bytes
    buffer = new Uint8Array(value.buffer)
  }
}
