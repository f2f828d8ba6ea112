import { concatenate, parseHex, toHex } from '../../util/bytes.ts'
import { BadDeskKeyError, RecordDamagedError } from './errors.ts'

type Bytes = Uint8Array<ArrayBuffer>

const KEY_BYTES = 32
const NONCE_BYTES = 12
const CONTENT_BYTES = 16

/** The key of the ledger: names records, tells their contents apart, and seals them. */
export class LedgerKey {
  /** Tells this key from others. */
  readonly id: string
  readonly #cipher: CryptoKey
  readonly #namer: CryptoKey

  private constructor(id: string, cipher: CryptoKey, namer: CryptoKey) {
    this.id = id
    this.#cipher = cipher
    this.#namer = namer
  }

  /**
   * Reads DESK_KEY, 64 hex digits.
   * @throws {BadDeskKeyError}
   */
  static async parse(text: string | undefined): Promise<LedgerKey> {
    const key = parseHex((text ?? '').trim(), KEY_BYTES)
    if (!key) throw new BadDeskKeyError()
    const base = await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits'])
    const derive = async (use: string, bytes: number) => {
      const info = new TextEncoder().encode(`hashgate ledger ${use}`)
      const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info }
      return new Uint8Array(await crypto.subtle.deriveBits(how, base, bytes * 8))
    }
    const cipher = await derive('cipher', KEY_BYTES)
    const namer = await derive('names', KEY_BYTES)
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    return new LedgerKey(
      toHex(await derive('key id', 8)),
      await crypto.subtle.importKey('raw', cipher, 'AES-GCM', false, ['encrypt', 'decrypt']),
      await crypto.subtle.importKey('raw', namer, hmac, false, ['sign']),
    )
  }

  /** The row of a provider's record: 63 bits, as a decimal number. JavaScript's numbers have 53. */
  async rowOf(source: string, key: string): Promise<string> {
    const mac = await this.#sign(`record\n${source}\n${key}`)
    const number = new DataView(mac.buffer).getBigUint64(0)
    return String(number & 0x7fff_ffff_ffff_ffffn)
  }

  /** Tells a content from others: 32 hex digits. */
  async contentOf(content: string): Promise<string> {
    return toHex((await this.#sign(`content\n${content}`)).subarray(0, CONTENT_BYTES))
  }

  /** Seals the content of a row, as hex digits. */
  async seal(row: string, content: string): Promise<string> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    const plain = new TextEncoder().encode(content)
    const sealed = await crypto.subtle.encrypt(cipherFor(row, nonce), this.#cipher, plain)
    return toHex(concatenate([nonce, new Uint8Array(sealed)]))
  }

  /** @throws {RecordDamagedError} it is not what was sealed for this row */
  async open(row: string, sealed: string): Promise<string> {
    const bytes = parseHex(sealed, sealed.length / 2) ?? new Uint8Array(0)
    const nonce = bytes.slice(0, NONCE_BYTES)
    try {
      const rest = bytes.slice(NONCE_BYTES)
      const plain = await crypto.subtle.decrypt(cipherFor(row, nonce), this.#cipher, rest)
      return new TextDecoder().decode(plain)
    } catch (cause) {
      throw new RecordDamagedError(row, { cause })
    }
  }

  async #sign(text: string): Promise<Bytes> {
    const bytes = new TextEncoder().encode(text)
    return new Uint8Array(await crypto.subtle.sign('HMAC', this.#namer, bytes))
  }
}

function cipherFor(row: string, iv: Bytes) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`hashgate/record/${row}`) }
}
