import { blake2b } from '@noble/hashes/blake2.js'
import { parseHex, toHex } from '../../../util/bytes.ts'
import type { Bytes } from '../../../list/store.ts'
import { BadAnswerError } from '../errors.ts'

/** Bytes of a minisign public key: algorithm, key id, key. */
const MINISIGN_KEY_BYTES = 2 + 8 + 32
const MINISIGN_SIGNATURE_BYTES = 2 + 8 + 64

/** SHA-256 of a file, in hex. */
export async function sha256(bytes: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

/**
 * Checks a file against output of `sha256sum`: against its first 64 hex digits.
 * @throws {BadAnswerError}
 */
export async function checkSha256(file: Bytes, sums: string, what: string): Promise<void> {
  const wanted = /\b[0-9a-f]{64}\b/i.exec(sums)?.[0].toLowerCase()
  if (wanted === undefined) throw new BadAnswerError(what, 'has a SHA-256 file without a SHA-256')
  if (wanted !== (await sha256(file))) throw new BadAnswerError(what, 'does not match its SHA-256')
}

/**
 * Checks a detached Ed25519 signature: 64 bytes, raw, in hex or in base64.
 * @param publicKey 32 bytes, in hex or base64
 * @throws {BadAnswerError}
 */
export async function checkEd25519(
  file: Bytes,
  signature: Bytes,
  publicKey: string,
  what: string,
): Promise<void> {
  const raw = signature.length === 64 ? signature : bytesFrom(new TextDecoder().decode(signature))
  await verifySignature(bytesFrom(publicKey), raw, file, what)
}

/**
 * Checks a minisign signature of a file, or of its BLAKE2b hash, and of its trusted comment.
 * @param publicKey the second line of minisign.pub
 * @throws {BadAnswerError}
 */
export async function checkMinisign(
  file: Bytes,
  text: string,
  publicKey: string,
  what: string,
): Promise<void> {
  const [, signatureLine = '', commentLine = '', globalLine = ''] = text.split(/\r?\n/)
  const key = bytesFrom(publicKey)
  const signature = bytesFrom(signatureLine)
  const comment = /^trusted comment: (.*)$/.exec(commentLine)?.[1]
  const isComplete =
    key?.length === MINISIGN_KEY_BYTES && signature?.length === MINISIGN_SIGNATURE_BYTES
  if (!isComplete || comment === undefined) {
    throw new BadAnswerError(what, 'has a signature that minisign did not make')
  }
  if (toHex(key.subarray(2, 10)) !== toHex(signature.subarray(2, 10))) {
    throw new BadAnswerError(what, 'is signed with another key')
  }
  const algorithm = new TextDecoder().decode(signature.subarray(0, 2))
  const raw = signature.slice(10)
  const signed = algorithm === 'ED' ? new Uint8Array(blake2b(file, { dkLen: 64 })) : file
  await verifySignature(key.slice(10), raw, signed, what)
  const global = new Uint8Array([...raw, ...new TextEncoder().encode(comment)])
  await verifySignature(key.slice(10), bytesFrom(globalLine), global, what)
}

async function verifySignature(
  key: Bytes | undefined,
  signature: Bytes | undefined,
  message: Bytes,
  what: string,
): Promise<void> {
  let isGood = false
  if (key?.length === 32 && signature?.length === 64) {
    const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
    isGood = await crypto.subtle.verify('Ed25519', imported, signature, message)
  }
  if (!isGood) throw new BadAnswerError(what, 'has an invalid signature')
}

/** Bytes from hex digits or base64. */
function bytesFrom(text: string): Bytes | undefined {
  const plain = text.trim()
  const hex = parseHex(plain, plain.length / 2)
  if (hex) return hex
  try {
    return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
