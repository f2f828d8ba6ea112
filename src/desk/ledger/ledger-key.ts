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

/** Nothing: HKDF wants a salt. */
const NO_SALT = new Uint8Array(0)

/**
 * The key of the ledger: names records, tells their contents apart, and seals them. It is used for three things a record, by
 * the millions: node:crypto does so at once, where each call of WebCrypto is a job for another thread. With keys as bytes it
 * takes five times as long in Node.
 */
export class LedgerKey {
  /** Tells this key from others. */
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

  /** The row of a provider's record: 63 bits, as a decimal number. JavaScript's numbers have 53. */
  rowOf(source: string, key: string): string {
    const number = this.#sign(`record\n${source}\n${key}`).readBigUInt64BE(0)
    return String(number & 0x7fff_ffff_ffff_ffffn)
  }

  /** Tells a content from others: 32 hex digits. */
  contentOf(content: string): string {
    return this.#sign(`content\n${content}`).toString('hex', 0, CONTENT_BYTES)
  }

  /** Seals the content of a row, as hex digits. */
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

/** What is authenticated beside a content, so that no row has that of another. */
function sealedName(row: string): Buffer {
  return Buffer.from(`hashgate/record/${row}`)
}
