import { parseHex, toHex } from '../util/bytes.ts'
import { BadListKeyError, UnknownKeyError, ValueDamagedError } from './errors.ts'
import type { Bytes, ListStore, ValueStore } from './store.ts'

// A sealed value: magic, key id, nonce; then the ciphertext and its tag, of AES-256-GCM. The additional authenticated data is
// the value's key in the store, so that no value can take the place of another.
const MAGIC = 'HGSEAL01'
const MAGIC_BYTES = 8
const KEY_ID_BYTES = 8
const NONCE_BYTES = 12
const HEADER_BYTES = MAGIC_BYTES + KEY_ID_BYTES + NONCE_BYTES

const KEY_BYTES = 32

/** A store whose values are sealed in another one. */
export class SealedStore implements ListStore {
  readonly #inner: ValueStore
  readonly #keys: readonly [ListKey, ...ListKey[]]
  #rings: Promise<[Keyring, ...Keyring[]]> | undefined

  /** @param keys the first seals, all of them open */
  constructor(inner: ValueStore, keys: readonly [ListKey, ...ListKey[]]) {
    this.#inner = inner
    this.#keys = keys
  }

  /**
   * @throws {UnknownKeyError} the value was sealed with a key that is not among these
   * @throws {ValueDamagedError} it is not sealed, or not what was sealed for this key of the store
   */
  async get(key: string): Promise<Bytes | undefined> {
    const open = (value: Bytes) => this.#open(key, value)
    if (this.#inner.withValue) return this.#inner.withValue(key, open)
    const value = await this.#inner.get(key)
    return value && open(value)
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.#inner.put(key, await this.#seal(key, value))
  }

  async putAll(
    values: ReadonlyMap<string, Bytes>,
    onWritten?: (count: number) => void,
  ): Promise<void> {
    const sealed = new Map<string, Bytes>()
    for (const [key, value] of values) sealed.set(key, await this.#seal(key, value))
    await this.#inner.putAll(sealed, onWritten)
  }

  list(prefix: string): Promise<string[]> {
    return this.#inner.list(prefix)
  }

  deleteAll(keys: readonly string[]): Promise<void> {
    return this.#inner.deleteAll(keys)
  }

  async nameOf(content: Bytes): Promise<string> {
    const [{ namer }] = await this.#ready()
    return toHex(new Uint8Array(await crypto.subtle.sign('HMAC', namer, content)))
  }

  async #seal(key: string, value: Bytes): Promise<Bytes> {
    const [{ id, cipher }] = await this.#ready()
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    const sealed = await crypto.subtle.encrypt(cipherFor(key, nonce), cipher, value)
    const whole = new Uint8Array(HEADER_BYTES + sealed.byteLength)
    whole.set(new TextEncoder().encode(MAGIC))
    whole.set(id, MAGIC_BYTES)
    whole.set(nonce, MAGIC_BYTES + KEY_ID_BYTES)
    whole.set(new Uint8Array(sealed), HEADER_BYTES)
    return whole
  }

  async #open(key: string, value: Bytes): Promise<Bytes> {
    const magic = new TextDecoder().decode(value.subarray(0, MAGIC_BYTES))
    if (magic !== MAGIC || value.length < HEADER_BYTES) {
      throw new ValueDamagedError(key, 'is not sealed')
    }
    const id = toHex(value.subarray(MAGIC_BYTES, MAGIC_BYTES + KEY_ID_BYTES))
    const ring = (await this.#ready()).find((candidate) => toHex(candidate.id) === id)
    if (!ring) throw new UnknownKeyError(key, id)
    const nonce = value.subarray(MAGIC_BYTES + KEY_ID_BYTES, HEADER_BYTES)
    try {
      const sealed = value.subarray(HEADER_BYTES)
      return new Uint8Array(await crypto.subtle.decrypt(cipherFor(key, nonce), ring.cipher, sealed))
    } catch (cause) {
      throw new ValueDamagedError(key, 'does not match its seal', { cause })
    }
  }

  #ready(): Promise<[Keyring, ...Keyring[]]> {
    this.#rings ??= makeRings(this.#keys)
    return this.#rings
  }
}

/** A key of the list, as it is configured: 32 bytes. */
export type ListKey = Bytes

/**
 * Reads LIST_KEY: one key of 64 hex digits, or several with commas between. The first seals; all of them open.
 * @throws {BadListKeyError} it is not set, or no such key
 */
export function parseListKeys(text: string | undefined): [ListKey, ...ListKey[]] {
  const [first, ...others] = (text ?? '').split(',').map((part) => parseKey(part.trim()))
  if (!first) throw new BadListKeyError()
  return [first, ...others]
}

function parseKey(text: string): ListKey {
  const key = parseHex(text, KEY_BYTES)
  if (!key) throw new BadListKeyError()
  return key
}

/** Makes a new key, as text. */
export function generateListKey(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))
}

/** What is derived from a key. */
interface Keyring {
  id: Bytes
  /** Seals and opens. */
  cipher: CryptoKey
  /** Derives names from content without revealing anything about it. */
  namer: CryptoKey
}

function cipherFor(key: string, iv: Bytes) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`hashgate/${key}`) }
}

async function makeRings(keys: readonly [ListKey, ...ListKey[]]): Promise<[Keyring, ...Keyring[]]> {
  const [first, ...others] = keys
  return [await makeRing(first), ...(await Promise.all(others.map(makeRing)))]
}

/** Derives one key for each use (HKDF, RFC 5869), so that no key has two uses. */
async function makeRing(key: ListKey): Promise<Keyring> {
  const base = await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits'])
  const derive = async (use: string, bytes: number) => {
    const info = new TextEncoder().encode(`hashgate list ${use}`)
    const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info }
    return new Uint8Array(await crypto.subtle.deriveBits(how, base, bytes * 8))
  }
  const cipher = await derive('cipher', KEY_BYTES)
  const namer = await derive('names', KEY_BYTES)
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  return {
    id: await derive('key id', KEY_ID_BYTES),
    cipher: await crypto.subtle.importKey('raw', cipher, 'AES-GCM', false, ['encrypt', 'decrypt']),
    namer: await crypto.subtle.importKey('raw', namer, hmac, false, ['sign']),
  }
}
