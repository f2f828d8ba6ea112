import { createHash, type Hash } from 'node:crypto'
import { DIGEST_KINDS, type DigestKind } from '../list/entry.ts'

/** Digests of a whole file, by kind. */
export type FileDigests = Record<DigestKind, Uint8Array>

/** Takes the digests of a file while its bytes go by. */
export class FileDigester {
  readonly #hashes: [DigestKind, Hash][] = DIGEST_KINDS.map((kind) => [kind, createHash(kind)])

  update(chunk: Uint8Array): void {
    for (const [, hash] of this.#hashes) hash.update(chunk)
  }

  /** Digests of the bytes so far; more may follow. */
  digestSoFar(): FileDigests {
    const digests = this.#hashes.map(([kind, hash]) => [kind, new Uint8Array(hash.copy().digest())])
    return Object.fromEntries(digests) as FileDigests
  }

  /** Tells that the file is whole. */
  digest(): FileDigests {
    const digests = this.#hashes.map(([kind, hash]) => [kind, new Uint8Array(hash.digest())])
    return Object.fromEntries(digests) as FileDigests
  }
}
