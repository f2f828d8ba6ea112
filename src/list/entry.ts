/** Bytes of a hash, by kind: the perceptual one, and digests of whole files. */
export const HASH_LENGTHS = { pdq: 32, md5: 16, sha1: 20, sha256: 32 } as const

export type HashKind = keyof typeof HASH_LENGTHS

/** Kinds of hashes that match only what is the same byte for byte. */
export type DigestKind = Exclude<HashKind, 'pdq'>

export const DIGEST_KINDS = ['md5', 'sha1', 'sha256'] as const satisfies readonly DigestKind[]

/** One hash of a list with what the list says about it. */
export interface Entry {
  kind: HashKind
  hash: Uint8Array
  /** Names the entry in events; the list's own id, or one made from its content. */
  id: string
  /** The list's other columns by name: source, label, … */
  labels: Record<string, string>
  /** Of a perceptual hash: the largest distance at which it matches, if a publisher lowered it. */
  cap?: number
}
