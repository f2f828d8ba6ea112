import { createHash, type Hash } from 'node:crypto'
import { DIGEST_KINDS, type DigestKind } from '../list/entry.ts'

/** Computes digests of a file as its bytes pass: a megabyte takes 1.5 ms with MD5, and 0.6 ms with SHA-1 or SHA-256. */
export class FileDigester<Kind extends DigestKind = DigestKind> {
  readonly #hashes: [Kind, Hash][]

  constructor(kinds: readonly Kind[]) {
    this.#hashes = kinds.map((kind) => [kind, createHash(kind)])
  }

  static ofAllKinds(): FileDigester {
    return new FileDigester(DIGEST_KINDS)
  }

  update(chunk: Uint8Array): void {
    for (const [, hash] of this.#hashes) hash.update(chunk)
  }

  /** Digests of the bytes so far; more may follow. */
  digestSoFar(): FileDigests {
    const digests = this.#hashes.map(([kind, hash]) => [kind, new Uint8Array(hash.copy().digest())])
    return Object.fromEntries(digests) as FileDigests
  }

  /** Digests of the whole file. Call it once, at the end. */
  digest(): Record<Kind, Uint8Array> {
    const digests = this.#hashes.map(([kind, hash]) => [kind, new Uint8Array(hash.digest())])
    return Object.fromEntries(digests) as Record<Kind, Uint8Array>
  }
}

/** Digests of a whole file, by kind. */
export type FileDigests = Record<DigestKind, Uint8Array>
