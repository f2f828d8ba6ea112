import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { parseHex, toHex } from '../../util/bytes.ts'
import { BadDeskKeyError, RecordDamagedError } from './errors.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CONTENT_BYTES = 16

/** An empty salt, which HKDF requires. */
const NO_SALT = new Uint8Array(0)

/**
 * The ledger's key. It names records, distinguishes their contents, and seals them: three uses per
 * record, for millions of records. node:crypto works synchronously, while each WebCrypto call is a
 * job for another thread. Passing keys as bytes takes five times as long in Node.
 */
export class LedgerKey {
  /** Identifies this key. */
  readonly id: string
  readonly #cipher: KeyObject
  readonly #namer: KeyObject

  private constructor(id: string, cipher: KeyObject, namer: KeyObject) {
    this.id = id
    this.#cipher = cipher
    this.#namer = namer
  }

  /**
   * Reads DESK_KEY, 64 hex digits.
   * @throws {BadDeskKeyError}
   */
  static parse(text: string | undefined): LedgerKey {
    const key = parseHex((text ?? '').trim(), KEY_BYTES)
    if (!key) throw new BadDeskKeyError(Boolean(text))
    const derive = (use: string, bytes: number) =>
      new Uint8Array(hkdfSync('sha256', key, NO_SALT, `hashgate ledger ${use}`, bytes))
    const secretOf = (use: string) => createSecretKey(derive(use, KEY_BYTES))
    return new LedgerKey(toHex(derive('key id', 8)), secretOf('cipher'), secretOf('names'))
  }

  /**
   * The row of a provider's record: 63 bits, as a decimal number. JavaScript's numbers only have
   * 53.
   */
  rowOf(source: string, key: string): string {
    const number = this.#sign(`record\n${source}\n${key}`).readBigUInt64BE(0)
    return String(number & 0x7fff_ffff_ffff_ffffn)
  }

  /** Identifies a content: 32 hex digits. */
  contentOf(content: string): string {
    return this.#sign(`content\n${content}`).toString('hex', 0, CONTENT_BYTES)
  }

  /** Seals the content of a row, in hex. */
  seal(row: string, content: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#cipher, nonce).setAAD(sealedName(row))
    const parts = [nonce, cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(parts).toString('hex')
  }

  /** @throws {RecordDamagedError} it is not what was sealed for this row */
  open(row: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'hex')
    const end = bytes.length - TAG_BYTES
    try {
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const options = { authTagLength: TAG_BYTES }
      const decipher = createDecipheriv('aes-256-gcm', this.#cipher, nonce, options)
      decipher.setAAD(sealedName(row)).setAuthTag(bytes.subarray(end))
      const plain = [decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]
      return Buffer.concat(plain).toString('utf8')
    } catch (cause) {
      throw new RecordDamagedError(row, { cause })
    }
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#namer).update(text).digest()
  }
}

/** Authenticated together with a content, so that contents cannot be moved between rows. */
function sealedName(row: string): Buffer {
  return Buffer.from(`hashgate/record/${row}`)
}
