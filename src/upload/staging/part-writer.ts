import { randomUUID } from 'node:crypto'
import { PartMissingError } from './errors.ts'
import { folderOf } from './folder.ts'
import type { StagedPart } from './staged-upload.ts'

/** Bytes of each part but the last, where parts follow one another. Memory holds one part. */
export const PART_BYTES = 4 * 1024 * 1024

/**
 * Puts bytes that follow what is staged into the bucket, in parts of PART_BYTES. A shorter last
 * part is written again, together with what follows it. So there are few parts, however small the
 * client's chunks are.
 */
export class PartWriter {
  readonly #bucket: R2Bucket
  readonly #id: string
  #buffer = new Uint8Array(PART_BYTES)
  #number: number
  #filled = 0
  #isChanged = false

  private constructor(bucket: R2Bucket, id: string, number: number) {
    this.#bucket = bucket
    this.#id = id
    this.#number = number
  }

  /** @param last the last part so far */
  static async after(
    last: StagedPart | undefined,
    bucket: R2Bucket,
    id: string,
  ): Promise<PartWriter> {
    if (!last) return new PartWriter(bucket, id, 0)
    if (last.bytes === PART_BYTES) return new PartWriter(bucket, id, last.number + 1)
    const writer = new PartWriter(bucket, id, last.number)
    writer.#buffer.set(await readStagedPart(bucket, last))
    writer.#filled = last.bytes
    return writer
  }

  /** Takes bytes. Returns the parts that they complete, which are then in the bucket. */
  async write(chunk: Uint8Array): Promise<StagedPart[]> {
    const parts: StagedPart[] = []
    for (let at = 0; at < chunk.length;) {
      const taken = chunk.subarray(at, at + PART_BYTES - this.#filled)
      this.#buffer.set(taken, this.#filled)
      this.#filled += taken.length
      this.#isChanged = true
      at += taken.length
      if (this.#filled === PART_BYTES) parts.push(await this.#put())
    }
    return parts
  }

  async end(): Promise<StagedPart[]> {
    return this.#isChanged ? [await this.#put()] : []
  }

  /** Frees its memory. It takes no more bytes then. */
  free(): void {
    this.#buffer = new Uint8Array(0)
  }

  async #put(): Promise<StagedPart> {
    const part = {
      number: this.#number,
      key: newKey(this.#id, this.#number),
      bytes: this.#filled,
      md5: '',
    }
    await this.#bucket.put(part.key, this.#buffer.subarray(0, this.#filled))
    this.#number++
    this.#filled = 0
    this.#isChanged = false
    return part
  }
}

/** The name of a new object. No name is used twice, so that what was judged is what is sent. */
export function newKey(id: string, number: number): string {
  return `${folderOf(id)}${number}-${randomUUID()}`
}

async function readStagedPart(bucket: R2Bucket, { key, bytes }: StagedPart): Promise<Uint8Array> {
  const object = await bucket.get(key, { range: { offset: 0, length: bytes } })
  if (!object) throw new PartMissingError(key)
  return new Uint8Array(await object.arrayBuffer())
}
